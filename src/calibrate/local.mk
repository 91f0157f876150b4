noinst_LIBRARIES += %D%/libcalibrate.a
%C%_libcalibrate_a_SOURCES = \
	%D%/resolve.c \
	%D%/resolve.h
