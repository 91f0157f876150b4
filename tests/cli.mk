# Tests of the cli floor; see local.mk.
golden_tests += \
	%D%/golden/help.t \
	%D%/golden/scenario.t \
	%D%/golden/results.t \
	%D%/golden/measured.t \
	%D%/golden/import.t \
	%D%/golden/replay.t \
	%D%/golden/init.t \
	%D%/golden/whatif.t
