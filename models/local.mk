noinst_LIBRARIES += %D%/libmodels.a
%C%_libmodels_a_SOURCES = \
	%D%/dataset.c \
	%D%/dataset.h \
	%D%/etl.c \
	%D%/etl.h \
	%D%/llm_cost.c \
	%D%/llm_cost.h \
	%D%/llm_decode.c \
	%D%/llm_engine.c \
	%D%/llm_engine.h \
	%D%/llm_fleet.c \
	%D%/llm_kv.c \
	%D%/llm_kv.h \
	%D%/llm_ops.c \
	%D%/llm_ops.h \
	%D%/llm_schedule.c \
	%D%/llm_serving.c \
	%D%/llm_serving.h \
	%D%/llm_shape.c \
	%D%/llm_shape.h \
	%D%/model.c \
	%D%/model.h \
	%D%/operators.c \
	%D%/preprocess.c \
	%D%/preprocess.h \
	%D%/registry.c \
	%D%/server.h \
	%D%/station.c \
	%D%/storage.c \
	%D%/storage.h \
	%D%/training.c \
	%D%/training.h
