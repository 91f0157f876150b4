# Tests of the pipeline floor; see local.mk.
criterion_tests += \
	%D%/unit/test_simulate_limits \
	%D%/unit/test_scenario \
	%D%/unit/test_edit
EXTRA_DIST += %D%/unit/scenario_text.h %D%/analytic/theory.h

%C%_unit_test_edit_LDADD = $(pipeline_libs) $(CRITERION_LIBS)
%C%_unit_test_scenario_LDADD = $(pipeline_libs) $(CRITERION_LIBS)

criterion_tests += \
	%D%/analytic/test_pipeline \
	%D%/analytic/test_random_networks \
	%D%/analytic/test_random_pipelines
%C%_analytic_test_pipeline_LDADD = $(pipeline_libs) $(CRITERION_LIBS)
%C%_unit_test_simulate_limits_LDADD = $(pipeline_libs) $(CRITERION_LIBS)
%C%_analytic_test_random_pipelines_LDADD = $(pipeline_libs) $(CRITERION_LIBS)
%C%_analytic_test_random_networks_LDADD = $(pipeline_libs) $(CRITERION_LIBS)

criterion_tests += %D%/analytic/test_calls
EXTRA_DIST += %D%/unit/asking_models.h
%C%_analytic_test_calls_LDADD = $(pipeline_libs) $(CRITERION_LIBS)

criterion_tests += %D%/unit/test_requests
%C%_unit_test_requests_LDADD = $(pipeline_libs) $(CRITERION_LIBS)

criterion_tests += %D%/unit/test_uncertainty
%C%_unit_test_uncertainty_LDADD = $(pipeline_libs) $(CRITERION_LIBS)
criterion_tests += %D%/analytic/test_routes
%C%_analytic_test_routes_LDADD = $(pipeline_libs) $(CRITERION_LIBS)

criterion_tests += %D%/analytic/test_supply
%C%_analytic_test_supply_LDADD = $(pipeline_libs) $(CRITERION_LIBS)
criterion_tests += %D%/unit/test_data_path
%C%_unit_test_data_path_LDADD = $(pipeline_libs) $(CRITERION_LIBS)

bench_programs += %D%/bench/bench_datapath
%C%_bench_bench_datapath_LDADD = $(pipeline_libs)

criterion_tests += %D%/unit/test_knob
%C%_unit_test_knob_LDADD = $(pipeline_libs) $(CRITERION_LIBS)
