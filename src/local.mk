# One static library per floor; each floor may use the ones below it:
#
#   cli -> report -> study -> { calibrate, executor } -> pipeline -> models -> { engine, store } -> base
#
# NAME_libs is what a program that uses floor NAME links: its library, then everything below.  Tests link by
# these names too, so a call up the house fails at link time.
#
# OpenBLAS and GSL's own gslcblas both define cblas_*.  The dynamic linker takes the first library in link order,
# so OpenBLAS stands before GSL: the executor's sgemm must be the fast one.

base_libs = src/base/libbase.a $(CJSON_LIBS) $(LIBMD_LIBS) -lm
store_libs = src/store/libstore.a $(SQLITE3_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS) $(YAML_LIBS) $(base_libs)
engine_libs = src/engine/libengine.a $(base_libs) $(GSL_LIBS)
models_libs = models/libmodels.a $(engine_libs)
pipeline_libs = src/pipeline/libpipeline.a $(models_libs)
calibrate_libs = src/calibrate/libcalibrate.a $(pipeline_libs) $(store_libs)
executor_libs = src/executor/libexecutor.a $(FAISS_LIBS) $(OPENBLAS_LIBS) $(JPEG_LIBS) $(LZ4_LIBS) $(ZSTD_LIBS) $(pipeline_libs) $(store_libs)
study_libs = src/study/libstudy.a src/calibrate/libcalibrate.a $(executor_libs) $(MPI_LIBS)
report_libs = src/report/libreport.a $(PDF_LIBS) $(store_libs)
cli_libs = src/cli/libcli.a src/report/libreport.a $(PDF_LIBS) $(study_libs)

include %D%/base/local.mk
include %D%/engine/local.mk
include %D%/store/local.mk
include %D%/pipeline/local.mk
include %D%/calibrate/local.mk
include %D%/calibrate/recipes.mk
include %D%/executor/local.mk
include %D%/study/local.mk
include %D%/report/local.mk
include %D%/cli/local.mk
