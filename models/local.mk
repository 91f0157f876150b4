noinst_LIBRARIES += %D%/libmodels.a
%C%_libmodels_a_SOURCES =
