# Tests of the calibrate floor; see local.mk.
criterion_tests += \
	%D%/unit/test_cost \
	%D%/unit/test_calibrate \
	%D%/unit/test_infer

%C%_unit_test_cost_LDADD = $(calibrate_libs) $(CRITERION_LIBS)
%C%_unit_test_calibrate_LDADD = $(calibrate_libs) $(CRITERION_LIBS)

criterion_tests += %D%/unit/test_resolve
%C%_unit_test_resolve_LDADD = $(calibrate_libs) $(CRITERION_LIBS)

criterion_tests += \
	%D%/analytic/test_fit_recovery_linear \
	%D%/analytic/test_fit_recovery_knots \
	%D%/analytic/test_fit_recovery_distribution \
	%D%/analytic/test_fit_recovery_sweep \
	%D%/analytic/test_fit_recovery_roofline \
	%D%/analytic/test_fit_recovery_arrivals \
	%D%/analytic/test_fit_recovery_pooling

%C%_analytic_test_fit_recovery_linear_SOURCES = %D%/analytic/test_fit_recovery_linear.c %D%/analytic/recovery.h
%C%_analytic_test_fit_recovery_linear_LDADD = $(calibrate_libs) $(CRITERION_LIBS)
%C%_analytic_test_fit_recovery_knots_SOURCES = %D%/analytic/test_fit_recovery_knots.c %D%/analytic/recovery.h
%C%_analytic_test_fit_recovery_knots_LDADD = $(calibrate_libs) $(CRITERION_LIBS)
%C%_unit_test_infer_LDADD = $(calibrate_libs) $(CRITERION_LIBS)
%C%_analytic_test_fit_recovery_distribution_SOURCES = %D%/analytic/test_fit_recovery_distribution.c %D%/analytic/recovery.h
%C%_analytic_test_fit_recovery_distribution_LDADD = $(calibrate_libs) $(CRITERION_LIBS)
%C%_analytic_test_fit_recovery_sweep_SOURCES = %D%/analytic/test_fit_recovery_sweep.c %D%/analytic/recovery.h
%C%_analytic_test_fit_recovery_sweep_LDADD = $(calibrate_libs) $(CRITERION_LIBS)
%C%_analytic_test_fit_recovery_roofline_SOURCES = %D%/analytic/test_fit_recovery_roofline.c %D%/analytic/recovery.h
%C%_analytic_test_fit_recovery_roofline_LDADD = $(calibrate_libs) $(CRITERION_LIBS)
%C%_analytic_test_fit_recovery_arrivals_SOURCES = %D%/analytic/test_fit_recovery_arrivals.c %D%/analytic/recovery.h
%C%_analytic_test_fit_recovery_arrivals_LDADD = $(calibrate_libs) $(CRITERION_LIBS)
%C%_analytic_test_fit_recovery_pooling_SOURCES = %D%/analytic/test_fit_recovery_pooling.c %D%/analytic/recovery.h
%C%_analytic_test_fit_recovery_pooling_LDADD = $(calibrate_libs) $(CRITERION_LIBS)

criterion_tests += %D%/unit/test_fit_model
%C%_unit_test_fit_model_LDADD = $(calibrate_libs) $(CRITERION_LIBS)

criterion_tests += %D%/unit/test_twin_rag
%C%_unit_test_twin_rag_LDADD = $(calibrate_libs) $(CRITERION_LIBS)
