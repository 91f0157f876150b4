/*
 * vectordbbench.c - VectorDBBench results: load times, recall, and a sweep over concurrency; prices.
 *
 * Durations and latencies are in seconds.  Each point of the sweep becomes a
 * measurement of its own with the setting "concurrency".  Of the connection
 * only label, version and region are kept.
 */
#include "store/import/documents.h"
#include "store/import/formats.h"
#include "store/import/sweep.h"

#include "base/arena.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 256, SETTINGS = 64, TEXT = 120 };

struct setting {
    char name[60], text[TEXT];
    double number; /* NAN: text */
};

struct result {
    double clients[POINTS], per_s[POINTS], p99[POINTS], p95[POINTS], mean[POINTS];
    int clients_n, per_s_n, p99_n, p95_n, mean_n;
    double insert, optimize, load, qps, serial_p99, serial_p95, recall, ndcg, max_load;
    struct setting setting[SETTINGS];
    int settings;
    bool has_metrics;
};

struct bench {
    struct sweep sweep;
    struct result r;
};

static void read_list(struct jread *j, double *v, int *n)
{
    if (!jread_enter(j, '['))
        return;
    while (jread_element(j)) {
        double x = jread_real(j);

        if (*n < POINTS)
            v[(*n)++] = x;
    }
}

static void read_metrics(struct import *im, struct jread *j, struct result *r, struct err *err)
{
    const struct {
        const char *key;
        double *one, *list;
        int *n;
    } known[] = {
        {"insert_duration", &r->insert, NULL, NULL},
        {"optimize_duration", &r->optimize, NULL, NULL},
        {"load_duration", &r->load, NULL, NULL},
        {"qps", &r->qps, NULL, NULL},
        {"serial_latency_p99", &r->serial_p99, NULL, NULL},
        {"serial_latency_p95", &r->serial_p95, NULL, NULL},
        {"recall", &r->recall, NULL, NULL},
        {"ndcg", &r->ndcg, NULL, NULL},
        {"max_load_count", &r->max_load, NULL, NULL},
        {"conc_num_list", NULL, r->clients, &r->clients_n},
        {"conc_qps_list", NULL, r->per_s, &r->per_s_n},
        {"conc_latency_p99_list", NULL, r->p99, &r->p99_n},
        {"conc_latency_p95_list", NULL, r->p95, &r->p95_n},
        {"conc_latency_avg_list", NULL, r->mean, &r->mean_n},
    };
    const char *key;

    if (!jread_enter(j, '{'))
        return;
    r->has_metrics = true;
    while ((key = jread_member(j)) != NULL) {
        size_t i = 0;

        while (i < sizeof known / sizeof *known && strcmp(known[i].key, key) != 0)
            i++;
        if (i == sizeof known / sizeof *known) {
            if (strncmp(key, "st_", 3) != 0 && import_unknown(im, key, err) != 0)
                return; /* the streaming case's own figures begin with st_ */
        } else if (known[i].one != NULL) {
            *known[i].one = jread_real(j);
        } else {
            read_list(j, known[i].list, known[i].n);
        }
    }
}

static bool is_secret(const char *key)
{
    static const char *const parts[] = {"pass", "token", "secret", "uri", "url",
                                        "user", "host",  "api",    "key"};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(key, parts[i]) != NULL && strcmp(key, "use_partition_key") != 0)
            return true;
    return false;
}

static void add_setting(struct result *r, const char *name, struct jread *j)
{
    char kind = jread_peek(j);
    const char *text = jread_scalar(j);
    struct setting *s = &r->setting[r->settings];

    if (text == NULL || strcmp(text, "null") == 0 || *text == '\0' || r->settings == SETTINGS)
        return;
    r->settings++;
    snprintf(s->name, sizeof s->name, "%s", name);
    snprintf(s->text, sizeof s->text, "%s", text);
    s->number = kind == '0' ? strtod(text, NULL) : NAN;
}

/* The scalars of an object; `only` (NULL at its end) restricts them. */
static void read_settings(struct jread *j, struct result *r, const char *const *only)
{
    const char *key;
    char name[60];

    if (!jread_enter(j, '{'))
        return;
    while ((key = jread_member(j)) != NULL) {
        size_t i = 0;

        snprintf(name, sizeof name, "%s", key);
        while (only != NULL && only[i] != NULL && strcmp(only[i], name) != 0)
            i++;
        if (is_secret(name) || (only != NULL && only[i] == NULL))
            continue;
        add_setting(r, strcmp(name, "db_label") == 0 ? "label" : name, j);
    }
}

static void read_task(struct jread *j, struct result *r)
{
    static const char *const connection[] = {"db_label", "version", "region", NULL};
    static const char *const cases[] = {"case_id", "k", NULL};
    const char *key;

    if (!jread_enter(j, '{'))
        return;
    while ((key = jread_member(j)) != NULL)
        if (strcmp(key, "db") == 0)
            add_setting(r, "db", j);
        else if (strcmp(key, "db_config") == 0)
            read_settings(j, r, connection);
        else if (strcmp(key, "db_case_config") == 0)
            read_settings(j, r, NULL);
        else if (strcmp(key, "case_config") == 0)
            read_settings(j, r, cases);
}

/* ----------------------------------------------------------------- storing */

static void begin(struct import *im, const struct result *r)
{
    import_measure(im, "vector search");
    for (int i = 0; i < r->settings; i++)
        if (isnan(r->setting[i].number))
            import_setting(im, r->setting[i].name, r->setting[i].text);
        else
            import_setting_number(im, r->setting[i].name, r->setting[i].number);
}

/* 0 stands for "not measured" in everything but the recall of a run that measured it. */
static double measured(double v)
{
    return v > 0 ? v : NAN;
}

static void group_name(const struct result *r, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    for (int i = 0; i < r->settings && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s=%s", i > 0 ? "," : "", r->setting[i].name,
                              r->setting[i].text);
}

static int store_points(struct import *im, struct bench *b, bool *any, struct err *err)
{
    const struct result *r = &b->r;
    char group[600];
    bool stored;

    group_name(r, group, sizeof group);
    for (int i = 0; i < r->clients_n && i < r->per_s_n; i++) {
        begin(im, r);
        import_setting_number(im, "concurrency", r->clients[i]);
        import_figure(im, "queries_per_s", NAN, measured(r->per_s[i]));
        import_figure(im, "latency_mean_s", NAN, i < r->mean_n ? measured(r->mean[i]) : NAN);
        import_figure(im, "latency_p95_s", NAN, i < r->p95_n ? measured(r->p95[i]) : NAN);
        import_figure(im, "latency_p99_s", NAN, i < r->p99_n ? measured(r->p99[i]) : NAN);
        TRY(import_measure_end(im, &stored, err));
        *any = *any || stored;
        sweep_add(&b->sweep, im, group, r->clients[i], r->per_s[i],
                  i < r->mean_n ? measured(r->mean[i]) : NAN, i < r->mean_n ? measured(r->mean[i]) : NAN);
    }
    return 0;
}

static int store(struct import *im, struct bench *b, struct err *err)
{
    const struct result *r = &b->r;
    bool any;

    begin(im, r);
    import_figure(im, "insert_s", NAN, measured(r->insert));
    import_figure(im, "optimize_s", NAN, measured(r->optimize));
    import_figure(im, "load_s", NAN, measured(r->load));
    import_figure(im, "queries_max_per_s", NAN, measured(r->qps));
    import_figure(im, "serial_latency_p95_s", NAN, measured(r->serial_p95));
    import_figure(im, "serial_latency_p99_s", NAN, measured(r->serial_p99));
    import_figure(im, "recall_frac", NAN, measured(r->recall));
    import_figure(im, "ndcg_frac", NAN, measured(r->ndcg));
    import_figure(im, "vectors_max", NAN, measured(r->max_load));
    TRY(import_measure_end(im, &any, err));
    TRY(store_points(im, b, &any, err));
    if (any)
        import_keep(im);
    else
        import_skip(im, "a run that measured nothing");
    return 0;
}

static int read_results(struct import *im, struct jread *j, struct bench *b, struct err *err)
{
    const char *key;

    if (!jread_enter(j, '['))
        return 0;
    while (jread_element(j)) {
        struct result *r = &b->r;

        memset(r, 0, sizeof *r);
        import_at(im, jread_line(j));
        err->code = 0;
        if (!jread_enter(j, '{'))
            jread_skip(j);
        else
            while ((key = jread_member(j)) != NULL) {
                if (strcmp(key, "metrics") == 0)
                    read_metrics(im, j, r, err);
                else if (strcmp(key, "task_config") == 0)
                    read_task(j, r);
                TRY(err->code);
            }
        if (jread_bad(j) != NULL)
            return 0;
        TRY(r->has_metrics ? store(im, b, err)
                           : import_bad(im, jread_column(j), "a result without metrics", err));
    }
    return 0;
}

static int document(struct import *im, struct jread *j, void *ctx, struct err *err)
{
    const char *key;

    if (jread_enter(j, '{'))
        while ((key = jread_member(j)) != NULL)
            if (strcmp(key, "results") == 0)
                TRY(read_results(im, j, ctx, err));
    return 0;
}

static int run(struct import *im, struct err *err)
{
    struct bench *b = xcalloc(1, sizeof *b);
    int rc = import_documents(im, document, b, err);

    import_at(im, 0);
    sweep_end(&b->sweep, im, "mean latency");
    free(b);
    return rc;
}

static int sniff(const struct import_head *h)
{
    return strstr(h->text, "\"conc_num_list\"") != NULL || strstr(h->text, "\"serial_latency_p99\"") != NULL
               ? 90
               : 0;
}

const struct importer vectordbbench_importer = {
    .name = "vectordbbench",
    .help = "VectorDBBench results (JSON): load, recall, sweep over concurrency",
    .units = "seconds, queries a second; 0 means not measured",
    .sniff = sniff,
    .run = run,
};

/* ------------------------------------------------------------------- prices */

static int prices(struct import *im, struct jread *j, void *ctx, struct err *err)
{
    const char *key;
    char service[60], label[60];
    bool stored;

    (void)ctx;
    if (!jread_enter(j, '{'))
        return 0;
    while ((key = jread_member(j)) != NULL) {
        snprintf(service, sizeof service, "%s", key);
        import_at(im, jread_line(j));
        if (jread_peek(j) != '{') {
            TRY(import_bad(im, jread_column(j), "a service without labels", err));
            continue;
        }
        jread_enter(j, '{');
        while ((key = jread_member(j)) != NULL) {
            snprintf(label, sizeof label, "%s", key);
            import_at(im, jread_line(j));
            import_measure(im, "price");
            import_setting(im, "service", service);
            import_setting(im, "label", label);
            import_figure(im, "price_usd_per_h", NAN, jread_real(j));
            if (jread_bad(j) != NULL)
                return 0;
            TRY(import_measure_end(im, &stored, err));
            if (stored)
                import_keep(im);
            else
                TRY(import_bad(im, jread_column(j), "a price that is no number", err));
        }
    }
    return 0;
}

static int prices_run(struct import *im, struct err *err)
{
    return import_documents(im, prices, NULL, err);
}

static int prices_sniff(const struct import_head *h)
{
    return strcmp(h->name, "dbPrices") == 0 ||
                   (h->text[0] == '{' && strstr(h->text, "\"ZillizCloud\": {") != NULL)
               ? 80
               : 0;
}

const struct importer db_prices_importer = {
    .name = "db-prices",
    .help = "VectorDBBench prices (JSON): service, label, price",
    .units = "USD an hour",
    .sniff = prices_sniff,
    .run = prices_run,
};
