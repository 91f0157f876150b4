noinst_LIBRARIES += %D%/libpipeline.a
%C%_libpipeline_a_SOURCES = \
	%D%/bound.c \
	%D%/bound.h \
	%D%/edit.c \
	%D%/edit.h \
	%D%/flow.c \
	%D%/flow.h \
	%D%/flow_call.c \
	%D%/flow_host.c \
	%D%/flow_parts.h \
	%D%/flow_request.c \
	%D%/flow_result.c \
	%D%/flow_sink.c \
	%D%/flow_source.c \
	%D%/flow_stage.c \
	%D%/fold.c \
	%D%/fold.h \
	%D%/outcome.c \
	%D%/outcome.h \
	%D%/scenario.c \
	%D%/scenario.h \
	%D%/scenario_calls.c \
	%D%/scenario_edges.c \
	%D%/scenario_pipelines.c \
	%D%/scenario_read.h \
	%D%/scenario_requests.c \
	%D%/scenario_resolve.c \
	%D%/scenario_resources.c \
	%D%/scenario_stages.c \
	%D%/scenario_tools.c \
	%D%/scenario_workload.c \
	%D%/simulate.c \
	%D%/simulate.h \
	%D%/warmup.c \
	%D%/warmup.h
