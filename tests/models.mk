# Tests of the models floor; see local.mk.
criterion_tests += \
	%D%/unit/test_models \
	%D%/unit/test_columnar_io \
	%D%/unit/test_gpu_training \
	%D%/unit/test_dataset \
	%D%/unit/test_answer \
	%D%/unit/test_inference \
	%D%/unit/test_vector_db \
	%D%/unit/test_feature_store \
	%D%/unit/test_prompt \
	%D%/unit/test_opgraph \
	%D%/unit/test_page_cache \
	%D%/unit/test_spark
EXTRA_DIST += %D%/unit/tiny_host.h

%C%_unit_test_models_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_columnar_io_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_gpu_training_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_dataset_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_answer_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_inference_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_vector_db_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_feature_store_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_prompt_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_spark_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_opgraph_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_page_cache_LDADD = $(models_libs) $(CRITERION_LIBS)
