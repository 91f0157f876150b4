# Targets that look at the same tests in another light.
#
# asan, tsan, coverage and fuzz need other compiler flags: the sources go by `distdir` into side/NAME/source and are
# configured beside it, so that this build stays as it is.  SIDE_TESTS="TESTS=.." narrows what they run.

# $(call side_build,NAME,CONFIGURE ARGUMENTS)
side_build = rm -rf side/$(1) && $(MAKE) $(AM_MAKEFLAGS) distdir && $(MKDIR_P) side/$(1) && \
	mv $(distdir) side/$(1)/source && cd side/$(1) && source/configure -q $(2)

sanitize = -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all
asan_flags = $(sanitize) -fsanitize=address,undefined
tsan_flags = $(sanitize) -fsanitize=thread
fuzz_flags = $(sanitize) -fsanitize=address,undefined,float-cast-overflow,fuzzer-no-link

### make bench: JSON lines; keep them and compare with scripts/bench_compare

bench: $(bench_programs) $(bin_PROGRAMS)
	@for b in $(bench_programs); do ./$$b || exit 1; done

### make asan

# Criterion keeps what a dying test says to itself, so the reports go to files.
asan:
	$(call side_build,asan,CFLAGS='$(asan_flags)') && \
	    reports="$$(pwd)/report" && ASAN_OPTIONS="log_path=$$reports" && export ASAN_OPTIONS && \
	    UBSAN_OPTIONS="print_stacktrace=1:log_path=$$reports" && export UBSAN_OPTIONS && \
	    { $(MAKE) $(AM_MAKEFLAGS) check $(SIDE_TESTS); status=$$?; cat report.* 2>/dev/null && status=1; exit $$status; }

### make tsan: the tests with threads

# Criterion maps its memory where ThreadSanitizer keeps its own, so only the other tests run; and both want the
# addresses of a process not to be moved about, which a container may forbid us to ask for.
tsan_tests = $(stress_tests) $(golden_tests)
tsan:
	$(call side_build,tsan,CFLAGS='$(tsan_flags)') && \
	    if setarch -R true 2>/dev/null; then still='setarch -R'; else still=; fi && \
	    TSAN_OPTIONS=halt_on_error=1 $$still $(MAKE) $(AM_MAKEFLAGS) check VERBOSE=1 TESTS='$(tsan_tests)' \
	        check_PROGRAMS='$(stress_tests)'

### make coverage: lines reached by `make check`

coverage:
	$(call side_build,coverage,CFLAGS='-O0 -g --coverage') && $(MAKE) $(AM_MAKEFLAGS) check $(SIDE_TESTS) && \
	    gcovr --root source --object-directory . --exclude 'source/tests/.*' --print-summary

### make valgrind: every child traced, logs read afterwards

valgrind: $(check_PROGRAMS) $(bin_PROGRAMS)
	@$(TESTS_ENVIRONMENT) $(AM_TESTS_ENVIRONMENT) $(SHELL) $(srcdir)/scripts/valgrind_check $(check_PROGRAMS)

### make soak: the coverage of intervals over 1,000 runs, 50 imports killed, then the tests again and again for
### SOAK_SECONDS

SOAK_SECONDS = 600
soak: $(check_PROGRAMS) $(bin_PROGRAMS)
	@./%D%/stress/coverage 1000
	@./%D%/stress/import_killed 50
	@$(AM_TESTS_ENVIRONMENT) $(SHELL) $(srcdir)/scripts/soak $(SOAK_SECONDS) $(check_PROGRAMS)

### make fuzz: every reader of foreign bytes, FUZZ_SECONDS each; needs clang

# FUZZ_FORMATS="spark chrome" in the environment narrows the trace formats.
FUZZ_SECONDS = 60
fuzz_build = $(call side_build,$(1),CC=clang CFLAGS='$(fuzz_flags)' FUZZ_LDFLAGS=-fsanitize=fuzzer)
fuzz:
	$(call fuzz_build,fuzz) && $(MAKE) $(AM_MAKEFLAGS) $(fuzz_programs) && \
	    source/scripts/fuzz $(FUZZ_SECONDS) source/tests/fuzz/seeds $(fuzz_programs)

### make fuzz-selftest: would the fuzzer find a bug?  The side build leaves out one check of a bound.

planted = src/store/import/jread.c
fuzz-selftest:
	$(call fuzz_build,planted) && sed -i 's/if (r->depth == JREAD_DEPTH)/if (false)/' source/$(planted) && \
	    grep -q 'if (false)' source/$(planted) && $(MAKE) $(AM_MAKEFLAGS) tests/fuzz/fuzz_import && \
	    if FUZZ_FORMATS=chrome source/scripts/fuzz $(FUZZ_SECONDS) source/tests/fuzz/seeds tests/fuzz/fuzz_import >log; \
	    then echo "the planted bug was not found in $(FUZZ_SECONDS) s"; exit 1; \
	    else grep -m 1 'jread.c.*runtime error' log && echo "the planted bug was found"; fi

### make replay: predictions beside what others measured; TRACES names the recorded files

TRACES = $(top_srcdir)/../shared/traces
replay: $(bin_PROGRAMS)
	@test -d '$(TRACES)' && FORESIGHT_TRACES='$(TRACES)' && export FORESIGHT_TRACES; \
	    ./foresight replay --cases '$(srcdir)/scenarios/replay' --store replay.db $(REPLAY)

### make format

format:
	cd $(srcdir) && find src models tests -name '*.[ch]' | xargs $(CLANG_FORMAT) -i

.PHONY: bench asan tsan coverage valgrind soak fuzz fuzz-selftest replay format
clean-local:
	rm -rf side
