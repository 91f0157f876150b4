# Tests of the study floor; see local.mk.
