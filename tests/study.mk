# Tests of the study floor; see local.mk.
criterion_tests += %D%/unit/test_study

%C%_unit_test_study_LDADD = $(study_libs) $(CRITERION_LIBS)
