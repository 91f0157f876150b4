# Tests of the pipeline floor; see local.mk.
