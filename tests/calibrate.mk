# Tests of the calibrate floor; see local.mk.
