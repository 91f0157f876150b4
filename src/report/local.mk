noinst_LIBRARIES += %D%/libreport.a
%C%_libreport_a_SOURCES = \
	%D%/doc.c \
	%D%/doc.h \
	%D%/draw.c \
	%D%/draw.h \
	%D%/html.c \
	%D%/html.h \
	%D%/label.c \
	%D%/label.h \
	%D%/markdown.c \
	%D%/markdown.h \
	%D%/plot.c \
	%D%/plot.h \
	%D%/plot_script.c \
	%D%/plot_script.h \
	%D%/report.c \
	%D%/report.h \
	%D%/section_common.c \
	%D%/section_rank.c \
	%D%/section_run.c \
	%D%/section_validate.c \
	%D%/sections.h
