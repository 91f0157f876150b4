# Tests of the study floor; see local.mk.
criterion_tests += %D%/unit/test_study %D%/unit/test_rank %D%/unit/test_replay %D%/unit/test_whatif %D%/unit/test_validate

%C%_unit_test_study_LDADD = $(study_libs) $(CRITERION_LIBS)
%C%_unit_test_validate_LDADD = $(study_libs) $(CRITERION_LIBS)
%C%_unit_test_rank_LDADD = $(study_libs) $(CRITERION_LIBS)
%C%_unit_test_replay_LDADD = $(study_libs) $(CRITERION_LIBS)
%C%_unit_test_whatif_LDADD = $(study_libs) $(CRITERION_LIBS)
EXTRA_DIST += %D%/unit/ranked_text.h

criterion_tests += %D%/unit/test_details
%C%_unit_test_details_LDADD = $(study_libs) $(CRITERION_LIBS)

criterion_tests += %D%/unit/test_simulated
%C%_unit_test_simulated_LDADD = $(study_libs) $(CRITERION_LIBS)

criterion_tests += %D%/unit/test_rules
%C%_unit_test_rules_LDADD = $(study_libs) $(CRITERION_LIBS)
criterion_tests += %D%/unit/test_replay_serving
%C%_unit_test_replay_serving_LDADD = $(study_libs) $(CRITERION_LIBS)
criterion_tests += %D%/analytic/test_plan
%C%_analytic_test_plan_LDADD = $(study_libs) $(CRITERION_LIBS)

criterion_tests += %D%/unit/test_plan
%C%_unit_test_plan_LDADD = $(study_libs) $(CRITERION_LIBS)

criterion_tests += %D%/unit/test_select %D%/unit/test_search
%C%_unit_test_select_LDADD = $(study_libs) $(CRITERION_LIBS)
%C%_unit_test_search_LDADD = $(study_libs) $(CRITERION_LIBS)

bench_programs += %D%/bench/bench_search
%C%_bench_bench_search_LDADD = $(study_libs)
%C%_bench_bench_search_CPPFLAGS = $(AM_CPPFLAGS) -DTOP_SRCDIR='"$(abs_top_srcdir)"'
criterion_tests += %D%/unit/test_estate
%C%_unit_test_estate_LDADD = $(study_libs) $(CRITERION_LIBS)
