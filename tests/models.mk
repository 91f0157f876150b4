# Tests of the models floor; see local.mk.
criterion_tests += \
	%D%/unit/test_models \
	%D%/unit/test_dataset \
	%D%/unit/test_opgraph \
	%D%/unit/test_page_cache \
	%D%/unit/test_spark

%C%_unit_test_models_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_dataset_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_spark_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_opgraph_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_page_cache_LDADD = $(models_libs) $(CRITERION_LIBS)
