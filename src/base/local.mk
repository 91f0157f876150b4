noinst_LIBRARIES += %D%/libbase.a
%C%_libbase_a_SOURCES = \
	%D%/arena.c \
	%D%/arena.h \
	%D%/err.c \
	%D%/err.h \
	%D%/json.h \
	%D%/law.h \
	%D%/param.h \
	%D%/progress.h \
	%D%/text.h \
	%D%/units.h
