noinst_LIBRARIES += %D%/libexecutor.a
%C%_libexecutor_a_SOURCES =
