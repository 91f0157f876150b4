# Tests of the calibrate floor; see local.mk.
criterion_tests += \
	%D%/unit/test_fit \
	%D%/unit/test_calibrate

%C%_unit_test_fit_LDADD = $(calibrate_libs) $(CRITERION_LIBS)
%C%_unit_test_calibrate_LDADD = $(calibrate_libs) $(CRITERION_LIBS)

criterion_tests += %D%/unit/test_resolve
%C%_unit_test_resolve_LDADD = $(calibrate_libs) $(CRITERION_LIBS)
