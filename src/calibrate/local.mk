noinst_LIBRARIES += %D%/libcalibrate.a
%C%_libcalibrate_a_SOURCES = \
	%D%/calibrate.c \
	%D%/calibrate.h \
	%D%/fit.c \
	%D%/fit.h \
	%D%/fitted.h \
	%D%/knots.h \
	%D%/linear.h \
	%D%/resolve.c \
	%D%/resolve.h
