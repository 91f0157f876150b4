# Tests of the engine floor; see local.mk.
