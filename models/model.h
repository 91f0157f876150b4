/*
 * model.h - what a component model is.
 *
 * A model says what one item wants and how it leaves.  It is a constant table:
 * a name, a sentence, its parameters, its operators, and pure functions.  The
 * pipeline floor turns the wants into contention; the bound uses their means.
 *
 *   shape    how many workers a stage has and how it groups items
 *   pieces   into how many items a worker cuts one (1 when absent)
 *   demand   what one piece wants, as an ordered list of phases, and how it leaves;
 *            with luck it is a draw, without (luck == NULL) the mean
 *   best_demand   an optimistic mean (NULL: the mean of demand), so that the bound is a true bound
 *
 * A model with state (an LLM engine, a prompt loop) also has a `server`: see server.h.  Its demand and
 * best_demand then only serve the bound.
 *
 * Adding a model: one file, one line in registry.c, one line in local.mk.
 */
#ifndef MODELS_MODEL_H
#define MODELS_MODEL_H

#include "base/param.h"
#include "engine/rng.h"
#include "models/dataset.h"
#include "models/etl.h"

#include <stdbool.h>
#include <stdint.h>

/* What flows through a pipeline: a log partition, a stripe, a batch, a request. */
struct item {
    uint64_t key;      /* names the item's luck; pieces get keys of their own */
    uint64_t sequence; /* its place in the order of its source, for in-order delivery */
    double count;      /* workload units (samples, requests) it stands for */
    double rows;       /* rows it holds now; a filter removes some */
    double bytes;      /* what it weighs now, on disk or on the wire */
    double distinct;   /* distinct session groups in it once deduplicated; 0 while plain */
    double crosses;    /* feature crosses each group carries */
    double born_s;
    int epoch;
    bool hit;          /* served from a cache: upstream work is not repeated */
    int order, codec;  /* table layout, known from the file's footer after ETL */
    double used_bytes; /* bytes of the streams the job reads, compressed, of this item */
    double encoded_bytes, encoded_used_bytes;
    double stripe_rows;
    int delta;          /* enum delta_kind: a label beside the table, to be merged by who reads it */
    double delta_bytes; /* of it, on disk */
    const struct dataset_cfg *data; /* NULL for plain requests */
    struct request *request;        /* the serving side (server.h); NULL elsewhere */
};

enum role { ROLE_CPU, ROLE_GPU, ROLE_DISK_READ, ROLE_DISK_WRITE, ROLE_NET, ROLE_SERVERS, ROLE_MEM, ROLES };

/* The key under which a scenario's `on` binds the role: both disk roles are "disk". */
const char *role_name(enum role r);

struct phase {
    enum role role;
    int op;          /* index into the model's operators: where the time goes */
    double amount;   /* seconds of one core or server; bytes of a disk, link or memory bus */
    double requests; /* disks: operations it stands for */
};

enum { DEMAND_MAX = 32 };

struct demand {
    int n;
    struct phase phases[DEMAND_MAX];
};

/* What runs of operators were asked to do: for questions about sizes, not about time. */
struct size_log {
    int n;
    struct {
        int op;
        double items, bytes;
    } seen[DEMAND_MAX];
};

/* Whose luck a draw belongs to. The same item draws the same luck in every variant of a scenario. */
struct luck {
    uint64_t seed, stage;
    uint32_t replication;
    struct size_log *sizes; /* NULL; else demand_cost() writes down what it was asked */
};

struct shape {
    long workers; /* items worked on at a time; 0: every item at once, the resource does the queueing */
    double take;  /* gathers this many units into one item before working; 0: items as they come */
    long
        prefetch; /* pieces per worker that may be in work or waiting for the next stage; -1: no such limit */
    bool in_order;    /* pieces leave in the order of the items they were cut from */
    bool once;        /* makes a table: later epochs do not pass here again */
    bool caches;      /* keeps what it made: later epochs start here, as hits */
    long queue_limit; /* workers == 0: items beyond this are lost; -1: none are */
    double parallel;  /* parts of one item under way at the same time, at most; 0: its phases follow each other */
};

/* Which measurement of a span a cost's term counts. */
enum op_counts {
    COUNT_DEFAULT,
    COUNT_ITEMS,
    COUNT_BYTES_IN,
    COUNT_BYTES_OUT
}; /* default: items, and bytes in */

struct op_info {
    const char *name;
    const char *items, *bytes; /* what the operator's cost counts; NULL: that term is not used */
    enum op_counts items_from, bytes_from;
};

/* How long one operator of a language model took at one size; sizes that do not apply are NAN. */
struct cost_row {
    const char *hardware, *model, *op, *variant; /* "" if unknown */
    int devices;                                 /* tensor-parallel degree, or members of a collective */
    double tokens, batch, chunk, context, bytes, time_s;
};

/* References that a model's parameters may hold; the answers live in `a`.  Not found: an error that names
 * what there is. */
struct lookup {
    void *ctx;
    /* "trace:NAME", a measured operator table */
    int (*costs)(void *ctx, const char *ref, struct arena *a, struct cost_row **rows, size_t *n,
                 struct err *err);
    /* a document of models/presets by its name: hardware, LLM shapes, prices, operator tables, curves */
    int (*document)(void *ctx, const char *name, struct arena *a, const struct json **out, struct err *err);
};

/*
 * What can be found out from recordings, one row per parameter: `foresight models NAME` lists it, `foresight
 * fit NAME --trace ...` does it.  The method says how; the methods are those of calibrate/recipes.h.
 */
struct fit_info {
    const char *param;  /* place under the stage's params: "service"; or what it is when none is set */
    const char *view;   /* of the store: where the observations stand */
    const char *from;   /* columns that say at what size, commas between; "" when there is none */
    const char *to;     /* the column that says how much */
    const char *method; /* "operator table" */
};

struct model_env {
    const struct dataset_cfg *data; /* NULL when the workload has none */
    const char *where;              /* JSON path of the stage's params */
    struct arena *arena;
    const struct lookup *lookup; /* NULL: references resolve to nothing */
};

struct model {
    const char *name, *title, *about;
    size_t cfg_size;
    const struct param *params;
    const char *const *roles;  /* NULL-terminated: what `on` must bind */
    const struct op_info *ops; /* name == NULL at the end; NULL: named by the scenario (operator_name) */
    const char *kernel;        /* the real twin in the executor; NULL: none */
    bool needs_dataset;

    int (*check)(void *cfg, const struct model_env *env,
                 struct err *err); /* relations; may fill derived fields */
    /* What the bound resources must have, once it is known (NULL: anything does); counts[role] is 0 where
       nothing is bound. `where` is the JSON path of the stage's params. */
    int (*check_bound)(const void *cfg, const long counts[ROLES], const char *where, struct err *err);
    void (*shape)(const void *cfg, struct shape *out);
    long (*pieces)(const void *cfg, const struct item *in);
    void (*demand)(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave);
    void (*best_demand)(const void *cfg, const struct item *in, struct demand *out, struct item *leave);
    const char *(*operator_name)(const void *cfg, int op);
    int (*operators)(const void *cfg); /* how many, when `ops` is NULL */
    const struct server *server;       /* NULL: stateless */
    const struct fit_info *fits;       /* param == NULL at the end; NULL: nothing can be fitted */
};

extern const struct model *const models[]; /* NULL at the end */
const struct model *model_find(const char *name);
const char *model_nearest(const char *name);

int model_operators(const struct model *m, const void *cfg);
const char *model_operator_name(const struct model *m, const void *cfg, int op);

/* Helpers for demand functions. */
void demand_add(struct demand *d, enum role role, int op, double amount, double requests);
/* One run of an operator on a core, with its noise when there is luck. */
void demand_cost(struct demand *d, int op, const struct cost *c, double items, double bytes,
                 const struct item *in, const struct luck *luck);
/* A draw from `law`, or its mean; `purpose` separates several draws of one item. */
double luck_law(const struct law *law, const struct item *in, const struct luck *luck, uint64_t purpose);
/* The sum of n independent draws. */
double luck_law_sum(const struct law *law, long n, const struct item *in, const struct luck *luck,
                    uint64_t purpose);

#endif
