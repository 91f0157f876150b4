noinst_LIBRARIES += %D%/libmodels.a
%C%_libmodels_a_SOURCES = \
	%D%/collective.c \
	%D%/collective.h \
	%D%/data_parallel.c \
	%D%/data_parallel.h \
	%D%/dataset.c \
	%D%/dataset.h \
	%D%/etl.c \
	%D%/etl.h \
	%D%/goodput.c \
	%D%/goodput.h \
	%D%/gpu.c \
	%D%/gpu.h \
	%D%/gpu_training.c \
	%D%/model.c \
	%D%/model.h \
	%D%/operators.c \
	%D%/preprocess.c \
	%D%/preprocess.h \
	%D%/registry.c \
	%D%/station.c \
	%D%/storage.c \
	%D%/storage.h \
	%D%/training.c \
	%D%/training.h \
	%D%/transformer.c \
	%D%/transformer.h
