# Tests of the executor floor; see local.mk.
criterion_tests += \
	%D%/unit/test_queue \
	%D%/unit/test_rawlog \
	%D%/unit/test_columnar \
	%D%/unit/test_kernels \
	%D%/unit/test_execute \
	%D%/unit/test_etl_path \
	%D%/unit/test_paths \
	%D%/unit/test_vision \
	%D%/unit/test_vision_kernels
EXTRA_DIST += %D%/unit/small_plan.h

%C%_unit_test_queue_LDADD = $(executor_libs) $(CRITERION_LIBS)
%C%_unit_test_rawlog_LDADD = $(executor_libs) $(CRITERION_LIBS)
%C%_unit_test_columnar_LDADD = $(executor_libs) $(CRITERION_LIBS)
%C%_unit_test_kernels_LDADD = $(executor_libs) $(CRITERION_LIBS)
%C%_unit_test_execute_LDADD = $(executor_libs) $(CRITERION_LIBS)
%C%_unit_test_etl_path_LDADD = $(executor_libs) $(CRITERION_LIBS)
%C%_unit_test_paths_LDADD = $(executor_libs) $(CRITERION_LIBS)

%C%_unit_test_vision_LDADD = $(executor_libs) $(CRITERION_LIBS)
%C%_unit_test_vision_kernels_LDADD = $(executor_libs) $(CRITERION_LIBS)

stress_tests += %D%/stress/queue_threads
%C%_stress_queue_threads_LDADD = $(executor_libs)

bench_programs += %D%/bench/bench_executor
%C%_bench_bench_executor_LDADD = $(executor_libs)

criterion_tests += %D%/unit/test_transformer %D%/unit/test_retrieval
%C%_unit_test_transformer_LDADD = $(executor_libs) $(CRITERION_LIBS)
%C%_unit_test_retrieval_LDADD = $(executor_libs) $(CRITERION_LIBS)
