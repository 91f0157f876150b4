noinst_LIBRARIES += %D%/libpipeline.a
%C%_libpipeline_a_SOURCES = \
	%D%/bound.c \
	%D%/bound.h \
	%D%/edit.c \
	%D%/edit.h \
	%D%/flow.c \
	%D%/flow.h \
	%D%/flow_edge.c \
	%D%/flow_parts.h \
	%D%/flow_stage.c \
	%D%/outcome.c \
	%D%/outcome.h \
	%D%/scenario.c \
	%D%/scenario.h \
	%D%/scenario_read.h \
	%D%/scenario_resolve.c \
	%D%/scenario_stages.c \
	%D%/scenario_tools.c \
	%D%/scenario_workload.c \
	%D%/simulate.c \
	%D%/simulate.h \
	%D%/warmup.c \
	%D%/warmup.h
