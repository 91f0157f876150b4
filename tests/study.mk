# Tests of the study floor; see local.mk.
criterion_tests += %D%/unit/test_study %D%/unit/test_rank %D%/unit/test_replay %D%/unit/test_whatif

%C%_unit_test_study_LDADD = $(study_libs) $(CRITERION_LIBS)
%C%_unit_test_rank_LDADD = $(study_libs) $(CRITERION_LIBS)
%C%_unit_test_replay_LDADD = $(study_libs) $(CRITERION_LIBS)
%C%_unit_test_whatif_LDADD = $(study_libs) $(CRITERION_LIBS)
EXTRA_DIST += %D%/unit/ranked_text.h

criterion_tests += %D%/unit/test_simulated
%C%_unit_test_simulated_LDADD = $(study_libs) $(CRITERION_LIBS)

criterion_tests += %D%/unit/test_estate
%C%_unit_test_estate_LDADD = $(study_libs) $(CRITERION_LIBS)
