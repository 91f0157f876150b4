# Tests of the report floor; see local.mk.
criterion_tests += %D%/unit/test_report %D%/unit/test_plot
%C%_unit_test_report_LDADD = $(report_libs) $(CRITERION_LIBS)
%C%_unit_test_plot_LDADD = $(report_libs) $(CRITERION_LIBS)
EXTRA_DIST += %D%/unit/markup.h

golden_tests += %D%/golden/report.t %D%/golden/hostile.t

bench_programs += %D%/bench/bench_report
%C%_bench_bench_report_LDADD = $(cli_libs)
