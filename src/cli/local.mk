noinst_LIBRARIES += %D%/libcli.a
%C%_libcli_a_SOURCES = \
	%D%/args.c \
	%D%/args.h \
	%D%/chart.c \
	%D%/chart.h \
	%D%/cmd.c \
	%D%/color.c \
	%D%/color.h \
	%D%/completion.c \
	%D%/completion.h \
	%D%/keys.c \
	%D%/keys.h \
	%D%/template.c \
	%D%/template.h \
	%D%/man.c \
	%D%/man.h \
	%D%/cmd.h \
	%D%/cmd_bound.c \
	%D%/cmd_check.c \
	%D%/cmd_demo.c \
	%D%/cmd_diff.c \
	%D%/cmd_doctor.c \
	%D%/cmd_exec.c \
	%D%/cmd_explain.c \
	%D%/cmd_fit.c \
	%D%/cmd_graph.c \
	%D%/cmd_help.c \
	%D%/cmd_import.c \
	%D%/cmd_init.c \
	%D%/cmd_models.c \
	%D%/cmd_plan.c \
	%D%/plan_print.c \
	%D%/plan_print.h \
	%D%/cmd_reconcile.c \
	%D%/cmd_rank.c \
	%D%/cmd_search.c \
	%D%/search_print.c \
	%D%/search_print.h \
	%D%/rank_print.c \
	%D%/rank_print_estate.c \
	%D%/rank_print_parts.h \
	%D%/rank_print.h \
	%D%/cmd_replay.c \
	%D%/cmd_report.c \
	%D%/cmd_run.c \
	%D%/cmd_runs.c \
	%D%/cmd_schema.c \
	%D%/cmd_trace.c \
	%D%/cmd_validate.c \
	%D%/cmd_whatif.c \
	%D%/compare.c \
	%D%/compare.h \
	%D%/fit_preset.c \
	%D%/fit_preset.h \
	%D%/fit_print.c \
	%D%/fit_print.h \
	%D%/fit_target.c \
	%D%/fit_target.h \
	%D%/keep.c \
	%D%/keep.h \
	%D%/guard.c \
	%D%/guard.h \
	%D%/load.c \
	%D%/load.h \
	%D%/print.c \
	%D%/print.h \
	%D%/reference.c \
	%D%/reference.h \
	%D%/schema.c \
	%D%/schema.h \
	%D%/studies.c \
	%D%/studies.h

bin_PROGRAMS += foresight
foresight_SOURCES = %D%/main.c
foresight_LDADD = $(cli_libs)
