# Tests of the base floor; see local.mk.
criterion_tests += \
	%D%/unit/test_arena \
	%D%/unit/test_err \
	%D%/unit/test_json \
	%D%/unit/test_law \
	%D%/unit/test_param \
	%D%/unit/test_progress \
	%D%/unit/test_table \
	%D%/unit/test_text \
	%D%/unit/test_units

tests_unit_test_arena_LDADD = $(base_libs) $(CRITERION_LIBS)
tests_unit_test_err_LDADD = $(base_libs) $(CRITERION_LIBS)
tests_unit_test_json_LDADD = $(base_libs) $(CRITERION_LIBS)
tests_unit_test_law_LDADD = $(base_libs) $(CRITERION_LIBS)
tests_unit_test_param_LDADD = $(base_libs) $(CRITERION_LIBS)
tests_unit_test_progress_LDADD = $(base_libs) $(CRITERION_LIBS)
tests_unit_test_table_LDADD = $(base_libs) $(CRITERION_LIBS)
tests_unit_test_text_LDADD = $(base_libs) $(CRITERION_LIBS)
tests_unit_test_units_LDADD = $(base_libs) $(CRITERION_LIBS)

fuzz_programs += \
	%D%/fuzz/fuzz_json \
	%D%/fuzz/fuzz_law

tests_fuzz_fuzz_json_LDADD = $(base_libs)
tests_fuzz_fuzz_json_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_law_LDADD = $(base_libs)
tests_fuzz_fuzz_law_LDFLAGS = $(FUZZ_LDFLAGS)

stress_tests += %D%/stress/progress
tests_stress_progress_LDADD = $(base_libs)
