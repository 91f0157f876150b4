noinst_LIBRARIES += %D%/libreport.a
%C%_libreport_a_CPPFLAGS = $(AM_CPPFLAGS) $(PDF_CFLAGS)
%C%_libreport_a_SOURCES = \
	%D%/doc.c \
	%D%/doc.h \
	%D%/draw.c \
	%D%/draw.h \
	%D%/gnuplot.c \
	%D%/gnuplot.h \
	%D%/html.c \
	%D%/html.h \
	%D%/label.c \
	%D%/label.h \
	%D%/markdown.c \
	%D%/markdown.h \
	%D%/palette.h \
	%D%/pdf.c \
	%D%/pdf.h \
	%D%/pdf_page.c \
	%D%/pdf_page.h \
	%D%/pdf_parts.h \
	%D%/pdf_table.c \
	%D%/plot.c \
	%D%/plot.h \
	%D%/plot_csv.c \
	%D%/plot_range.c \
	%D%/plot_range.h \
	%D%/plot_script.c \
	%D%/plot_script.h \
	%D%/plot_svg.c \
	%D%/plot_svg.h \
	%D%/plot_term.c \
	%D%/report.c \
	%D%/report.h \
	%D%/section_answer.c \
	%D%/section_build.c \
	%D%/section_common.c \
	%D%/section_compare.c \
	%D%/section_cost.c \
	%D%/section_load.c \
	%D%/section_owners.c \
	%D%/section_pipeline.c \
	%D%/section_provenance.c \
	%D%/section_rank.c \
	%D%/section_sensitivity.c \
	%D%/section_time.c \
	%D%/section_validate.c \
	%D%/sections.h
