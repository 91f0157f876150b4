/*
 * dlio_output.c - the per-step log of one emulated accelerator (DLIO, MLPerf Storage).
 *
 * Per epoch and block: load[] and proc[] are the seconds a step waited for its
 * batch and took in all, compute[] the seconds slept for the computation; au is
 * the accelerator utilization in %.
 */
#include "store/import/documents.h"
#include "store/import/drift.h"
#include "store/import/formats.h"

#include "base/arena.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 64, STEP = 1 /* its place in kinds[] */, FIGURES = 5 };

static const struct {
    const char *key, *name;
    double scale;
} kinds[FIGURES] = {{"load", "load_s", 1},
                    {"proc", "step_s", 1},
                    {"compute", "compute_s", 1},
                    {"throughput", "samples_per_s", 1},
                    {"au", "accelerator_utilization_frac", 0.01}};

struct series {
    double *v;
    size_t n, size;
    bool single;
};

struct block {
    char name[40];
    struct series series[FIGURES];
};

struct epoch {
    struct block block[BLOCKS];
    int blocks;
};

static int sniff(const struct import_head *h)
{
    return strstr(h->text, "\"potential_caching\"") != NULL && strstr(h->text, "\"host_cpu_count\"") != NULL
               ? 90
               : 0;
}

static void push(struct series *s, double v)
{
    if (s->n == s->size) {
        s->size = s->size == 0 ? 256 : 2 * s->size;
        s->v = xrealloc(s->v, s->size, sizeof *s->v);
    }
    s->v[s->n++] = v;
}

static struct series *series_of(struct epoch *e, const char *name, int kind)
{
    int i = 0;

    while (i < e->blocks && strcmp(e->block[i].name, name) != 0)
        i++;
    if (i == BLOCKS)
        return NULL;
    if (i == e->blocks) {
        memset(&e->block[i], 0, sizeof e->block[i]);
        snprintf(e->block[i].name, sizeof e->block[i].name, "%s", name);
        e->blocks++;
    }
    return &e->block[i].series[kind];
}

static void read_blocks(struct jread *j, struct epoch *e, int kind)
{
    const char *key;

    if (!jread_enter(j, '{'))
        return;
    while ((key = jread_member(j)) != NULL) {
        struct series *s = series_of(e, key, kind);

        if (s == NULL)
            continue;
        if (jread_enter(j, '[')) {
            while (jread_element(j))
                push(s, jread_real(j));
        } else {
            push(s, jread_real(j));
            s->single = true;
        }
    }
}

static int store_block(struct import *im, const struct block *b, double epoch, struct err *err)
{
    bool stored;

    struct drift drift = {0};

    for (size_t i = 0; i < b->series[STEP].n; i++)
        drift_add(&drift, b->series[STEP].v[i]);
    drift_end(&drift, im, "the time of a step", " s");
    import_measure(im, "training storage steps");
    import_setting_number(im, "epoch", epoch);
    import_setting(im, "block", b->name);
    for (int k = 0; k < FIGURES; k++)
        for (size_t i = 0; i < b->series[k].n; i++)
            import_figure(im, kinds[k].name, b->series[k].single ? NAN : (double)i,
                          b->series[k].v[i] * kinds[k].scale);
    TRY(import_measure_end(im, &stored, err));
    if (stored)
        import_keep(im);
    else
        import_skip(im, "a block without steps");
    return 0;
}

static int read_epoch(struct import *im, struct jread *j, struct epoch *e, double number, struct err *err)
{
    const char *key;
    int rc = 0;

    e->blocks = 0;
    if (jread_enter(j, '{'))
        while ((key = jread_member(j)) != NULL)
            for (int k = 0; k < FIGURES; k++)
                if (strcmp(key, kinds[k].key) == 0) {
                    read_blocks(j, e, k);
                    break;
                }
    for (int i = 0; i < e->blocks; i++) {
        if (rc == 0 && jread_bad(j) == NULL)
            rc = store_block(im, &e->block[i], number, err);
        for (int k = 0; k < FIGURES; k++)
            free(e->block[i].series[k].v);
    }
    return rc;
}

static int document(struct import *im, struct jread *j, void *ctx, struct err *err)
{
    const char *key;

    if (jread_enter(j, '{'))
        while ((key = jread_member(j)) != NULL)
            if (isdigit((unsigned char)key[0])) {
                double number = strtod(key, NULL);

                import_at(im, jread_line(j));
                TRY(read_epoch(im, j, ctx, number, err));
            }
    return 0;
}

static int run(struct import *im, struct err *err)
{
    struct epoch *e = xcalloc(1, sizeof *e);
    int rc = import_documents(im, document, e, err);

    free(e);
    return rc;
}

const struct importer dlio_output_importer = {
    .name = "dlio-output",
    .help = "DLIO per-step log (JSON): load and step time of every batch, by epoch",
    .units = "seconds; utilization in %",
    .sniff = sniff,
    .run = run,
};
