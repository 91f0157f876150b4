noinst_LIBRARIES += %D%/libbase.a
%C%_libbase_a_SOURCES = \
	%D%/arena.c \
	%D%/arena.h \
	%D%/err.c \
	%D%/err.h \
	%D%/json.c \
	%D%/json.h \
	%D%/json_print.c \
	%D%/json_scan.c \
	%D%/json_scan.h \
	%D%/law.c \
	%D%/law.h \
	%D%/param.c \
	%D%/param.h \
	%D%/progress.c \
	%D%/progress.h \
	%D%/table.c \
	%D%/table.h \
	%D%/text.c \
	%D%/text.h \
	%D%/units.c \
	%D%/units.h
