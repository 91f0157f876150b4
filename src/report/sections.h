/*
 * sections.h - the parts of a review, one file each; used in this folder only.
 *
 * A section writes itself from the stored documents and says, when one is missing, which command makes it.
 */
#ifndef REPORT_SECTIONS_H
#define REPORT_SECTIONS_H

#include "report/doc.h"
#include "report/label.h"
#include "report/plot.h"

#include <stddef.h>

struct json;
struct arena;

struct review {
    const struct json *run, *rank, *validate, *details, *plan, *search; /* NULL: not in the store */
    const struct json *const *compared;                                 /* runs side by side */
    size_t compared_n;
    const char *scenario, *unit; /* unit: "sample"; "unit" when the result does not say */
    struct doc *d;
    struct arena *a; /* as long as the document is written */
    int n_pipes;     /* pipelines drawn so far */
};

void section_answer(struct review *r);
void section_comparison(struct review *r);
void section_pipeline(struct review *r);
void section_ranking(struct review *r);
bool section_has_estate(const struct review *r);
void section_estate(struct review *r);
void section_owners(struct review *r);
void section_build(struct review *r);
void section_front(struct review *r);
void section_load(struct review *r);
void section_time(struct review *r);
void section_sensitivity(struct review *r);
void section_cost(struct review *r);
void section_validation(struct review *r);
void section_provenance(struct review *r);

/* Says which command `result` comes from; or, when there is none, which command makes one (and returns
 * false). */
bool section_source(const struct review *r, const struct json *result, const char *command);

/* Members of result[key] when that is an array or object; NULL otherwise. */
const struct json *section_list(const struct json *result, const char *key);

/* A string as it is, a list joined by commas, an object as "key = value", anything else as JSON. */
void section_words(const struct json *v, struct text *out);
const char *section_joined(const struct review *r,
                           const struct json *v); /* the same, as long as r->a lives */

/* "stages.prep.params.workers" as --set takes it too: "prep.workers". */
const char *section_short_path(const struct review *r, const char *path);

void cell_estimate(struct doc *d, struct estimate e, enum label_style style);

/* The figures of an estimate as a point of a plot: its interval, and that of the prediction; x is free. */
struct plot_point section_point(struct estimate e, double x);

/* Seconds are drawn in the unit that fits the largest. */
struct time_axis {
    double factor;
    const char *unit; /* "ms" */
};
struct time_axis section_time_axis(double most_s);

/* The members of rank.optimizations by end-to-end gain, largest first; the caller frees the list. */
const struct json **ranked_optimizations(const struct json *rank, size_t *n);

/* What limits the run, by its bound; "" when it does not say. */
const char *section_bottleneck(const struct json *run);

/* Whether any resource has a price. */
bool section_has_price(const struct json *result);

#endif
