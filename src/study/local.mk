noinst_LIBRARIES += %D%/libstudy.a
%C%_libstudy_a_SOURCES =
