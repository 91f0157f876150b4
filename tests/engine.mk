# Tests of the engine floor; see local.mk.
criterion_tests += \
	%D%/analytic/test_closed_forms

%C%_analytic_test_closed_forms_LDADD = $(engine_libs) $(CRITERION_LIBS)
EXTRA_DIST += %D%/analytic/closed_forms.h
