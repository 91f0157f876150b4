noinst_LIBRARIES += %D%/libengine.a
%C%_libengine_a_SOURCES = \
	%D%/buffer.c \
	%D%/buffer.h \
	%D%/cores.c \
	%D%/cores.h \
	%D%/desk.c \
	%D%/desk.h \
	%D%/disk.c \
	%D%/event.c \
	%D%/event.h \
	%D%/heap.c \
	%D%/heap.h \
	%D%/hist.c \
	%D%/ladder.c \
	%D%/ladder.h \
	%D%/law_check.h \
	%D%/link.c \
	%D%/link.h \
	%D%/output.c \
	%D%/output.h \
	%D%/replicate.c \
	%D%/replicate.h \
	%D%/ring.h \
	%D%/rng.c \
	%D%/rng.h \
	%D%/rng_gsl.h \
	%D%/share.c \
	%D%/share.h \
	%D%/sim.c \
	%D%/sim.h \
	%D%/space.c \
	%D%/space.h \
	%D%/station.c \
	%D%/station.h \
	%D%/stats.c \
	%D%/stats.h \
	%D%/ziggurat.c
