# From recordings to parameters; see local.mk.
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
	%D%/recipe_recall.c \
	%D%/recipe_requests.c \
	%D%/recipe_roofline.c \
	%D%/recipe_spans.c \
	%D%/recipe_spark.c \
	%D%/recipe_storage.c \
	%D%/recipe_sweep.c \
	%D%/recipes.c \
	%D%/recipes.h \
	%D%/resolve_rows.c \
	%D%/resolve_rows.h \
	%D%/resolve_values.c \
	%D%/resolve_values.h \
	%D%/samples.c \
	%D%/samples.h
