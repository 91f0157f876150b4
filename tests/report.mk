# Tests of the report floor; see local.mk.
