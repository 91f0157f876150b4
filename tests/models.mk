# Tests of the models floor; see local.mk.
criterion_tests += \
	%D%/analytic/test_llm \
	%D%/unit/test_llm_engine \
	%D%/unit/test_llm_hosted \
	%D%/unit/test_llm_ops \
	%D%/unit/test_llm_shape \
	%D%/unit/test_models \
	%D%/unit/test_columnar_io \
	%D%/unit/test_gpu_training \
	%D%/unit/test_dataset \
	%D%/unit/test_label \
	%D%/unit/test_opgraph \
	%D%/unit/test_page_cache \
	%D%/unit/test_answer \
	%D%/unit/test_inference \
	%D%/unit/test_vector_db \
	%D%/unit/test_feature_store \
	%D%/unit/test_prompt \
	%D%/unit/test_spark
EXTRA_DIST += %D%/unit/tiny_host.h

%C%_unit_test_models_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_columnar_io_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_gpu_training_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_dataset_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_label_LDADD = $(models_libs) $(CRITERION_LIBS)
EXTRA_DIST += %D%/unit/llm_host.h
%C%_unit_test_llm_hosted_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_llm_ops_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_llm_shape_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_analytic_test_llm_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_llm_engine_LDADD = $(models_libs) $(CRITERION_LIBS)

bench_programs += %D%/bench/bench_llm
%C%_bench_bench_llm_LDADD = $(models_libs)
%C%_unit_test_answer_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_inference_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_vector_db_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_feature_store_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_prompt_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_spark_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_opgraph_LDADD = $(models_libs) $(CRITERION_LIBS)
%C%_unit_test_page_cache_LDADD = $(models_libs) $(CRITERION_LIBS)
