# Tests of the base floor; see local.mk.
