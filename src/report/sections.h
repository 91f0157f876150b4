/*
 * sections.h - the parts of a review, one function each; used in this folder only.
 */
#ifndef REPORT_SECTIONS_H
#define REPORT_SECTIONS_H

#include "report/doc.h"
#include "report/label.h"

#include <stddef.h>

struct json;

struct review {
    const struct json *run, *rank, *validate; /* NULL: not in the store */
    const char *scenario, *unit;              /* unit: "sample"; "unit" when the result does not say */
    struct doc *d;
};

void section_pipeline(const struct review *r);
void section_ranking(const struct review *r);
void section_validation(const struct review *r);
void section_time(const struct review *r);
void section_cost(const struct review *r);
void section_provenance(const struct review *r);

/* Says which command `result` comes from; or, when there is none, which command makes one (and returns
 * false). */
bool section_source(const struct review *r, const struct json *result, const char *command);

/* Members of result[key] when that is an array or object; NULL otherwise. */
const struct json *section_list(const struct json *result, const char *key);

/* A string as it is, anything else as JSON; lists of them joined by commas. */
void section_words(const struct json *v, struct text *out);

void cell_estimate(struct doc *d, struct estimate e, enum label_style style);

/* The members of rank.optimizations by end-to-end gain, largest first; the caller frees the list. */
const struct json **ranked_optimizations(const struct json *rank, size_t *n);

#endif
