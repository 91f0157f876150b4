# Tests of the cli floor; see local.mk.
