/*
 * rules.h - rewrites that a scenario admits without its author having thought of them.
 *
 * A rule looks at one stage (or resource) as it was built and proposes edits, or says why it must not.  What
 * it proposes is an optimization like any other: a name, the stages it touches, edits.  rules_declare() puts
 * it beside those that the author declared, and from there on nothing tells them apart.
 *
 * What makes a rewrite legal:
 *
 *   - its own rule says so: operators stay behind what they need, nothing is kept behind a random operator, a
 *     job still gets every byte that it uses (docs/rules.md lists them; `why` says it for each)
 *   - the scenario with it still builds: the models check their parameters as they do for a file
 *   - it takes hold: a preset or a calibration that stands above the parameter would make it a no-op
 *
 * The batch of a training job is its author's: steps to a target grow with it, so no rule touches it.  A
 * rewrite that changes answers (fewer bits in weights or codes) is lossy, and says so in `about`.
 *
 * Everything lives in the arena given; *out may be used as long as it does.
 */
#ifndef STUDY_RULES_H
#define STUDY_RULES_H

#include "base/json.h"
#include "pipeline/scenario.h"

struct rewrite {
    const char *rule;  /* "reorder" */
    const char *name;  /* of the optimization: "load.reorder" */
    const char *on;    /* the stage or resource it looks at */
    const char *about; /* what it does, in figures where there are any */
    const char *why;   /* what makes it legal; or why it is not, or idle */
    bool legal, lossy;
    struct json *set;     /* path -> value; NULL unless legal; freed by rules_free() */
    const char **touches; /* stages */
    int touches_n;
};

struct rules_found {
    struct rewrite *list; /* legal ones first, in the order of the table and of the scenario */
    int n, legal;
};

/* `tree`: the scenario, calibrations not applied.  An error is one of the scenario itself. */
int rules_find(const struct json *tree, const char *file, const struct resolver *resolver, struct arena *a,
               struct rules_found *out, struct err *err);
void rules_free(struct rules_found *r);

/* Adds the legal ones to the tree's optimizations, unless one there makes the same edits or has the name;
 * those that do not build together exclude each other. */
int rules_declare(struct json *tree, const char *file, const struct resolver *resolver,
                  const struct rules_found *r, struct err *err);

struct json *rules_json(const struct rules_found *r); /* a list; the caller frees it */

#endif
