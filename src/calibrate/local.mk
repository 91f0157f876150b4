noinst_LIBRARIES += %D%/libcalibrate.a
%C%_libcalibrate_a_SOURCES = \
	%D%/calibrate.c \
	%D%/calibrate.h \
	%D%/cost.c \
	%D%/cost.h \
	%D%/distribution.c \
	%D%/distribution.h \
	%D%/empirical.c \
	%D%/empirical.h \
	%D%/family.c \
	%D%/family.h \
	%D%/fitted.c \
	%D%/fitted.h \
	%D%/knots.c \
	%D%/knots.h \
	%D%/likelihood.c \
	%D%/likelihood.h \
	%D%/linear.c \
	%D%/linear.h \
	%D%/nnls.c \
	%D%/nnls.h \
	%D%/nodes.c \
	%D%/nodes.h \
	%D%/nonlinear.c \
	%D%/nonlinear.h \
	%D%/piecewise.c \
	%D%/piecewise.h \
	%D%/infer.c \
	%D%/infer.h \
	%D%/infer_calls.c \
	%D%/infer_parts.h \
	%D%/infer_steps.c \
	%D%/resolve.c \
	%D%/resolve.h

# From recordings to parameters.
%C%_libcalibrate_a_SOURCES += \
	%D%/drift.c \
	%D%/drift.h \
	%D%/fit_model.c \
	%D%/fit_model.h \
	%D%/fitting.c \
	%D%/fitting.h \
	%D%/law_rows.c \
	%D%/law_rows.h \
	%D%/recipe_operators.c \
	%D%/recipe_requests.c \
	%D%/recipe_spans.c \
	%D%/recipe_spark.c \
	%D%/recipe_storage.c \
	%D%/recipes.c \
	%D%/recipes.h \
	%D%/samples.c \
	%D%/samples.h \
	%D%/roofline.c \
	%D%/roofline.h \
	%D%/sweep.c \
	%D%/sweep.h
