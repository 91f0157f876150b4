noinst_LIBRARIES += %D%/libcli.a
%C%_libcli_a_SOURCES =

if HAVE_MAIN
bin_PROGRAMS += foresight
endif
foresight_SOURCES = %D%/main.c
foresight_LDADD = $(cli_libs)
