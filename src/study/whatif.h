/*
 * whatif.h - what changes if ...?  Two scenarios side by side, like a plan.
 *
 * Both are simulated with the same seed: the same request has the same luck in
 * both, and what is compared is paired replication by replication.  Two stored
 * runs can be compared as well; of those only the intervals are left, so they
 * are taken as independent and the difference is as wide as both together.  A
 * figure is called changed when the interval of its difference leaves zero out.
 */
#ifndef STUDY_WHATIF_H
#define STUDY_WHATIF_H

#include "pipeline/figure.h"
#include "study/changes.h"

enum verdict { VERDICT_SAME, VERDICT_BETTER, VERDICT_WORSE };

struct whatif_figure {
    const struct figure_def *def;
    const char *pipeline; /* "" when there is one only */
    struct estimate before, after, delta, ratio;
    bool has_before, has_after; /* a figure may come or go with the change */
    enum verdict verdict;
};

struct whatif_side {
    const char *name, *sha256, *bottleneck; /* of the scenario; "" where unknown */
};

struct whatif {
    struct whatif_side before, after;
    bool paired; /* the same seed and replications on both sides */
    double confidence;
    size_t changes_n, figures_n;
    struct change *changes;
    struct whatif_figure *figures; /* by pipeline, then in the order of `figures` */
};

/* Everything lives in `a`; changes point into the trees, names into the outcomes' scenarios. */
void whatif_compare(const struct json *tree_before, const struct json *tree_after,
                    const struct outcome *before, const struct outcome *after, struct arena *a,
                    struct whatif *out);

/* Two result documents of `run`, as the store keeps them.  ERR_USAGE when one has no metrics. */
int whatif_compare_runs(const struct json *before, const struct json *after, struct arena *a,
                        struct whatif *out, struct err *err);

/* Whether any setting or figure differs: what --detailed-exitcode reports. */
bool whatif_differs(const struct whatif *w);

struct json *whatif_json(const char *command, const struct whatif *w);

#endif
