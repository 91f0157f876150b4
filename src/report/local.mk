noinst_LIBRARIES += %D%/libreport.a
%C%_libreport_a_SOURCES =
