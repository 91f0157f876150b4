noinst_LIBRARIES += %D%/libengine.a
%C%_libengine_a_SOURCES = \
	%D%/buffer.h \
	%D%/cores.h \
	%D%/link.h \
	%D%/replicate.h \
	%D%/rng.h \
	%D%/sim.h \
	%D%/station.h \
	%D%/stats.h
