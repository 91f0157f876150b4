# Tests of the store floor; see local.mk.
