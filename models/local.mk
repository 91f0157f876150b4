noinst_LIBRARIES += %D%/libmodels.a
%C%_libmodels_a_SOURCES = \
	%D%/collective.c \
	%D%/collective.h \
	%D%/data_parallel.c \
	%D%/data_parallel.h \
	%D%/dataset.c \
	%D%/dataset.h \
	%D%/epochs.c \
	%D%/epochs.h \
	%D%/etl.c \
	%D%/etl.h \
	%D%/experiment.c \
	%D%/gpu.c \
	%D%/gpu.h \
	%D%/loader.c \
	%D%/model.c \
	%D%/model.h \
	%D%/operators.c \
	%D%/opgraph.c \
	%D%/opgraph.h \
	%D%/preprocess.c \
	%D%/preprocess.h \
	%D%/registry.c \
	%D%/server.h \
	%D%/spark.c \
	%D%/spark_app.c \
	%D%/spark_app.h \
	%D%/spark_law.c \
	%D%/spark_sched.c \
	%D%/spark_sched.h \
	%D%/station.c \
	%D%/storage.c \
	%D%/storage.h \
	%D%/training.c \
	%D%/training.h \
	%D%/transformer.c \
	%D%/transformer.h
