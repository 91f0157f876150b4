# Tests of the models floor; see local.mk.
