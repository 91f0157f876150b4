noinst_LIBRARIES += %D%/libpipeline.a
%C%_libpipeline_a_SOURCES =
