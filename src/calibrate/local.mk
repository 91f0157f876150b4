noinst_LIBRARIES += %D%/libcalibrate.a
%C%_libcalibrate_a_SOURCES = \
	%D%/calibrate.c \
	%D%/calibrate.h \
	%D%/cost.c \
	%D%/cost.h \
	%D%/fit_model.c \
	%D%/fit_model.h \
	%D%/fitted.c \
	%D%/fitted.h \
	%D%/knots.c \
	%D%/knots.h \
	%D%/linear.c \
	%D%/linear.h \
	%D%/nnls.c \
	%D%/nnls.h \
	%D%/nodes.c \
	%D%/nodes.h \
	%D%/piecewise.c \
	%D%/piecewise.h \
	%D%/infer.c \
	%D%/infer.h \
	%D%/infer_calls.c \
	%D%/infer_parts.h \
	%D%/infer_steps.c \
	%D%/fitting.c \
	%D%/fitting.h \
	%D%/recipe_operators.c \
	%D%/recipe_spark.c \
	%D%/recipes.c \
	%D%/recipes.h \
	%D%/resolve.c \
	%D%/resolve.h \
	%D%/samples.c \
	%D%/samples.h
