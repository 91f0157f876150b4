# Tests of the models floor; see local.mk.
criterion_tests += \
	%D%/unit/test_models \
	%D%/unit/test_gpu_training \
	%D%/unit/test_dataset

%C%_unit_test_models_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_dataset_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_gpu_training_LDADD = $(models_libs) $(CRITERION_LIBS)
