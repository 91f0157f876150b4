# Tests of the store floor; see local.mk.
criterion_tests += \
	%D%/unit/test_store \
	%D%/unit/test_trace \
	%D%/unit/test_view \
	%D%/unit/test_calibration \
	%D%/unit/test_result \
	%D%/unit/test_import \
	%D%/unit/test_import_formats \
	%D%/unit/test_import_hostile \
	%D%/unit/test_recordings
EXTRA_DIST += %D%/unit/temp_store.h %D%/unit/import_helpers.h %D%/unit/import_samples.h

%C%_unit_test_store_LDADD = $(store_libs) $(CRITERION_LIBS)
%C%_unit_test_trace_LDADD = $(store_libs) $(CRITERION_LIBS)
%C%_unit_test_view_LDADD = $(store_libs) $(CRITERION_LIBS)
%C%_unit_test_calibration_LDADD = $(store_libs) $(CRITERION_LIBS)
%C%_unit_test_result_LDADD = $(store_libs) $(CRITERION_LIBS)
%C%_unit_test_import_LDADD = $(store_libs) $(CRITERION_LIBS)
%C%_unit_test_import_formats_LDADD = $(store_libs) $(CRITERION_LIBS)
%C%_unit_test_import_hostile_LDADD = $(store_libs) $(CRITERION_LIBS)
%C%_unit_test_recordings_LDADD = $(store_libs) $(CRITERION_LIBS)

stress_tests += %D%/stress/import_killed
%C%_stress_import_killed_LDADD = $(store_libs)

bench_programs += %D%/bench/bench_store %D%/bench/bench_import
EXTRA_DIST += %D%/bench/import_files.h
%C%_bench_bench_store_LDADD = $(store_libs)
%C%_bench_bench_import_LDADD = $(store_libs)

fuzz_programs += %D%/fuzz/fuzz_import
%C%_fuzz_fuzz_import_LDADD = $(store_libs)
%C%_fuzz_fuzz_import_LDFLAGS = $(FUZZ_LDFLAGS)
