noinst_LIBRARIES += %D%/libstudy.a
%C%_libstudy_a_SOURCES = \
	%D%/measure.c \
	%D%/measure.h \
	%D%/rank.c \
	%D%/rank.h \
	%D%/replay.c \
	%D%/replay.h \
	%D%/replay_case.c \
	%D%/replay_json.c \
	%D%/replay_score.c \
	%D%/replay/cedar.c \
	%D%/replay/epochs.c \
	%D%/replay/dsi.c \
	%D%/replay/fsdp.c \
	%D%/replay/identities.c \
	%D%/replay/kinds.c \
	%D%/replay/spark.c \
	%D%/replay/spark_log.c \
	%D%/replay/spark_log.h \
	%D%/replay/loader_kineto.c \
	%D%/replay/megatron.c \
	%D%/replay/recd.c \
	%D%/replay/scaling.c \
	%D%/replay/storage_bench.c \
	%D%/replay/tools.c \
	%D%/replay/tools.h \
	%D%/replay/training_scale.c \
	%D%/shapley.c \
	%D%/shapley.h \
	%D%/values.c \
	%D%/values.h \
	%D%/validate.c \
	%D%/validate.h \
	%D%/variant.c \
	%D%/variant.h
