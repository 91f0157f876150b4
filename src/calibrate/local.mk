noinst_LIBRARIES += %D%/libcalibrate.a
%C%_libcalibrate_a_SOURCES = \
	%D%/calibrate.c \
	%D%/calibrate.h \
	%D%/cost.c \
	%D%/cost.h \
	%D%/fitted.c \
	%D%/fitted.h \
	%D%/knots.h \
	%D%/linear.c \
	%D%/linear.h \
	%D%/nnls.c \
	%D%/nnls.h \
	%D%/piecewise.c \
	%D%/piecewise.h \
	%D%/resolve.c \
	%D%/resolve.h
