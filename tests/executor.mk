# Tests of the executor floor; see local.mk.
