# Each floor lists its tests in tests/FLOOR.mk, by what they are:
#
#   criterion_tests  unit/ and analytic/, one program each; linked by
#                      tests_unit_test_X_LDADD = $(FLOOR_libs) $(CRITERION_LIBS)
#   stress_tests     plain main programs: exit status 0 passes
#   golden_tests     shell scripts that print TAP, see golden/lib.sh
#   bench_programs   print JSON lines; run by `make bench`
#   fuzz_programs    LLVMFuzzerTestOneInput; run by `make fuzz`; linked with tests_fuzz_X_LDFLAGS = $(FUZZ_LDFLAGS)
#
# The source of tests/unit/test_X is tests/unit/test_X.c unless said otherwise.

criterion_tests =
stress_tests =
golden_tests = %D%/golden/blas.t
bench_programs =
fuzz_programs =

include %D%/base.mk
include %D%/engine.mk
include %D%/store.mk
include %D%/models.mk
include %D%/pipeline.mk
include %D%/calibrate.mk
include %D%/executor.mk
include %D%/study.mk
include %D%/report.mk
include %D%/cli.mk

check_PROGRAMS += $(stress_tests)
EXTRA_PROGRAMS += $(bench_programs) $(fuzz_programs)
TESTS += $(stress_tests) $(golden_tests)
if HAVE_CRITERION
check_PROGRAMS += $(criterion_tests)
TESTS += $(criterion_tests)
endif

TEST_EXTENSIONS = .t
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
T_LOG_DRIVER = $(LOG_DRIVER)
LOG_COMPILER = $(SHELL) $(srcdir)/%D%/run_program.sh
T_LOG_COMPILER = $(SHELL)
AM_TESTS_ENVIRONMENT = \
	CRITERION_OUTPUTS='tap:-'; CRITERION_JOBS=1; export CRITERION_OUTPUTS CRITERION_JOBS; \
	abs_srcdir='$(abs_top_srcdir)'; FORESIGHT='$(abs_top_builddir)/foresight'; export abs_srcdir FORESIGHT; \
	FORESIGHT_PRESETS='$(abs_top_srcdir)/models/presets'; export FORESIGHT_PRESETS; \
	FORESIGHT_TRACES="$${FORESIGHT_TRACES-$(abs_top_srcdir)/../shared/traces}"; \
	test -d "$$FORESIGHT_TRACES" && export FORESIGHT_TRACES || unset FORESIGHT_TRACES; \
	LC_ALL=C; OPENBLAS_NUM_THREADS=1; export LC_ALL OPENBLAS_NUM_THREADS;

EXTRA_DIST += $(golden_tests) %D%/run_program.sh %D%/golden/lib.sh
