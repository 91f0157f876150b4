noinst_LIBRARIES += %D%/libpipeline.a
%C%_libpipeline_a_SOURCES = \
	%D%/bound.c \
	%D%/bound.h \
	%D%/edit.c \
	%D%/edit.h \
	%D%/flow.c \
	%D%/flow.h \
	%D%/outcome.c \
	%D%/outcome.h \
	%D%/scenario.c \
	%D%/scenario.h \
	%D%/simulate.c \
	%D%/simulate.h
