# Tests of the engine floor; see local.mk.
criterion_tests += \
	%D%/unit/test_event \
	%D%/unit/test_ladder \
	%D%/unit/test_cache \
	%D%/unit/test_gather \
	%D%/unit/test_net \
	%D%/unit/test_rng \
	%D%/unit/test_stats \
	%D%/unit/test_station \
	%D%/unit/test_cores \
	%D%/unit/test_bus \
	%D%/unit/test_link \
	%D%/unit/test_buffer \
	%D%/unit/test_space \
	%D%/unit/test_desk \
	%D%/unit/test_replicate \
	%D%/unit/test_output \
	%D%/analytic/test_closed_forms \
	%D%/analytic/test_disciplines

%C%_unit_test_event_LDADD = $(engine_libs) $(CRITERION_LIBS)
%C%_unit_test_ladder_LDADD = $(engine_libs) $(CRITERION_LIBS)
%C%_unit_test_cache_LDADD = $(engine_libs) $(CRITERION_LIBS)
%C%_unit_test_gather_LDADD = $(engine_libs) $(CRITERION_LIBS)
%C%_unit_test_net_LDADD = $(engine_libs) $(CRITERION_LIBS)
%C%_unit_test_rng_LDADD = $(engine_libs) $(CRITERION_LIBS)
%C%_unit_test_stats_LDADD = $(engine_libs) $(CRITERION_LIBS)
%C%_unit_test_station_LDADD = $(engine_libs) $(CRITERION_LIBS)
%C%_unit_test_cores_LDADD = $(engine_libs) $(CRITERION_LIBS)
%C%_unit_test_bus_LDADD = $(pipeline_libs) $(CRITERION_LIBS)
%C%_unit_test_link_LDADD = $(engine_libs) $(CRITERION_LIBS)
%C%_unit_test_buffer_LDADD = $(engine_libs) $(CRITERION_LIBS)
%C%_unit_test_replicate_LDADD = $(engine_libs) $(CRITERION_LIBS)
%C%_unit_test_output_LDADD = $(engine_libs) $(CRITERION_LIBS)
%C%_unit_test_desk_LDADD = $(engine_libs) $(CRITERION_LIBS)
%C%_unit_test_space_LDADD = $(engine_libs) $(CRITERION_LIBS)
%C%_analytic_test_closed_forms_SOURCES = %D%/analytic/test_closed_forms.c %D%/analytic/closed_forms.h
%C%_analytic_test_closed_forms_LDADD = $(engine_libs) $(CRITERION_LIBS)
%C%_analytic_test_disciplines_LDADD = $(engine_libs) $(CRITERION_LIBS)

bench_programs += %D%/bench/bench_engine
%C%_bench_bench_engine_LDADD = $(engine_libs)

stress_tests += %D%/stress/engine_replicate
stress_tests += %D%/stress/coverage
%C%_stress_coverage_LDADD = $(engine_libs)
%C%_stress_engine_replicate_LDADD = $(engine_libs)
