noinst_LIBRARIES += %D%/libstore.a
%C%_libstore_a_SOURCES = \
	%D%/calibration.c \
	%D%/calibration.h \
	%D%/check.c \
	%D%/result.c \
	%D%/result.h \
	%D%/schema.c \
	%D%/schema.h \
	%D%/sql.c \
	%D%/sql.h \
	%D%/store.c \
	%D%/store.h \
	%D%/trace.c \
	%D%/trace.h \
	%D%/trace_export.c
