noinst_LIBRARIES += %D%/libcalibrate.a
%C%_libcalibrate_a_SOURCES = \
	%D%/calibrate.c \
	%D%/calibrate.h \
	%D%/fit.c \
	%D%/fit.h \
	%D%/infer.c \
	%D%/infer.h \
	%D%/infer_calls.c \
	%D%/infer_parts.h \
	%D%/infer_steps.c \
	%D%/resolve.c \
	%D%/resolve.h
