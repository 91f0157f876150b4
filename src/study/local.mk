noinst_LIBRARIES += %D%/libstudy.a
%C%_libstudy_a_SOURCES = \
	%D%/measure.c \
	%D%/measure.h \
	%D%/rank.c \
	%D%/rank.h \
	%D%/shapley.c \
	%D%/shapley.h \
	%D%/values.c \
	%D%/values.h \
	%D%/validate.c \
	%D%/validate.h \
	%D%/variant.c \
	%D%/variant.h
