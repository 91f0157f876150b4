# Tests of the cli floor; see local.mk.
golden_tests += \
	%D%/golden/help.t \
	%D%/golden/scenario.t \
	%D%/golden/calls.t \
	%D%/golden/search.t \
	%D%/golden/results.t \
	%D%/golden/measured.t \
	%D%/golden/validate.t \
	%D%/golden/import.t \
	%D%/golden/replay.t \
	%D%/golden/serving.t \
	%D%/golden/init.t \
	%D%/golden/fit.t \
	%D%/golden/presets.t \
	%D%/golden/vision.t \
	%D%/golden/rank.t \
	%D%/golden/whatif.t \
	%D%/golden/datapath.t \
	%D%/golden/rules.t \
	%D%/golden/plan.t \
	%D%/golden/reconcile.t \
	%D%/golden/rag.t \
	%D%/golden/docs.t \
	%D%/golden/reference.t

criterion_tests += %D%/unit/test_schema
%C%_unit_test_schema_LDADD = $(cli_libs) $(CRITERION_LIBS)
