/*
 * fio.c - fio's --output-format=json: one measurement per job and direction.
 *
 * Latencies are in nanoseconds where the name ends in _ns, and in MICROSECONDS
 * where it does not (fio before 3.0); runtime is in milliseconds; bw is in
 * KiB/s, and bw_bytes, where there is one, in bytes a second; usr_cpu in %.
 */
#include "store/import/documents.h"
#include "store/import/formats.h"

#include "base/arena.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS = 40, PERCENTILES = 64 };

struct option {
    char name[40], value[80];
};

struct latency {
    double mean, sd, min, max, p_at[PERCENTILES], p[PERCENTILES];
    int n;
};

struct direction {
    double ios, bytes, bw, bw_kib, iops, runtime;
    struct latency complete, total;
};

struct job {
    char name[80];
    struct option option[OPTIONS];
    int options;
    double usr_cpu, sys_cpu, error;
    struct direction d[3];
};

static const char *const directions[] = {"read", "write", "trim"};

static int sniff(const struct import_head *h)
{
    return strstr(h->text, "\"fio version\"") != NULL ? 95 : 0;
}

static void read_percentiles(struct jread *j, struct latency *l, double scale)
{
    const char *key;

    if (!jread_enter(j, '{'))
        return;
    while ((key = jread_member(j)) != NULL) {
        double at = strtod(key, NULL), v = jread_real(j);

        if (at > 0 && l->n < PERCENTILES) {
            l->p_at[l->n] = at / 100;
            l->p[l->n++] = v * scale;
        }
    }
}

static void read_latency(struct jread *j, struct latency *l, double scale)
{
    const char *key;

    if (!jread_enter(j, '{'))
        return;
    while ((key = jread_member(j)) != NULL) {
        if (strcmp(key, "mean") == 0)
            l->mean = jread_real(j) * scale;
        else if (strcmp(key, "stddev") == 0)
            l->sd = jread_real(j) * scale;
        else if (strcmp(key, "min") == 0)
            l->min = jread_real(j) * scale;
        else if (strcmp(key, "max") == 0)
            l->max = jread_real(j) * scale;
        else if (strcmp(key, "percentile") == 0)
            read_percentiles(j, l, scale);
    }
}

static void read_direction(struct jread *j, struct direction *d)
{
    const char *key;

    if (!jread_enter(j, '{'))
        return;
    while ((key = jread_member(j)) != NULL) {
        if (strcmp(key, "total_ios") == 0)
            d->ios = jread_real(j);
        else if (strcmp(key, "io_bytes") == 0)
            d->bytes = jread_real(j);
        else if (strcmp(key, "bw_bytes") == 0)
            d->bw = jread_real(j);
        else if (strcmp(key, "bw") == 0)
            d->bw_kib = jread_real(j);
        else if (strcmp(key, "iops") == 0)
            d->iops = jread_real(j);
        else if (strcmp(key, "runtime") == 0)
            d->runtime = jread_real(j) / 1e3;
        else if (strcmp(key, "clat_ns") == 0)
            read_latency(j, &d->complete, 1e-9);
        else if (strcmp(key, "clat") == 0)
            read_latency(j, &d->complete, 1e-6);
        else if (strcmp(key, "lat_ns") == 0)
            read_latency(j, &d->total, 1e-9);
        else if (strcmp(key, "lat") == 0)
            read_latency(j, &d->total, 1e-6);
    }
}

/* What the job was told to do; names of files and hosts stay out. */
static void read_options(struct jread *j, struct job *job)
{
    static const char *const kept[] = {"rw",      "readwrite", "bs",       "blocksize", "iodepth",
                                       "numjobs", "size",      "runtime",  "ioengine",  "direct",
                                       "sync",    "fsync",     "buffered", "rwmixread", "time_based",
                                       "rate",    "rate_iops", "nrfiles"};
    const char *key, *text;

    if (!jread_enter(j, '{'))
        return;
    while ((key = jread_member(j)) != NULL)
        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
            if (strcmp(key, kept[i]) == 0 && job->options < OPTIONS) {
                text = jread_scalar(j);
                snprintf(job->option[job->options].name, sizeof job->option[0].name, "%s", kept[i]);
                snprintf(job->option[job->options++].value, sizeof job->option[0].value, "%s",
                         text != NULL ? text : "");
                break;
            }
}

static void read_job(struct jread *j, struct job *job)
{
    const char *key, *text;

    if (!jread_enter(j, '{'))
        return;
    while ((key = jread_member(j)) != NULL) {
        if (strcmp(key, "jobname") == 0) {
            text = jread_string(j);
            snprintf(job->name, sizeof job->name, "%s", text != NULL ? text : "");
        } else if (strcmp(key, "job options") == 0) {
            read_options(j, job);
        } else if (strcmp(key, "usr_cpu") == 0) {
            job->usr_cpu = jread_real(j) / 100;
        } else if (strcmp(key, "sys_cpu") == 0) {
            job->sys_cpu = jread_real(j) / 100;
        } else if (strcmp(key, "error") == 0) {
            job->error = jread_real(j);
        } else {
            for (int d = 0; d < 3; d++)
                if (strcmp(key, directions[d]) == 0) {
                    read_direction(j, &job->d[d]);
                    break;
                }
        }
    }
}

static void add_latency(struct import *im, const struct latency *l, const char *const *names)
{
    import_figure(im, names[0], NAN, l->mean);
    import_figure(im, names[1], NAN, l->sd);
    import_figure(im, names[2], NAN, l->min);
    import_figure(im, names[3], NAN, l->max);
    for (int i = 0; i < l->n; i++)
        import_figure(im, names[4], l->p_at[i], l->p[i]);
}

static int store_direction(struct import *im, const struct job *job, int k, struct err *err)
{
    static const char *const complete[] = {"completion_mean_s", "completion_sd_s", "completion_min_s",
                                           "completion_max_s", "completion_quantile_s"},
                             *const total[] = {"latency_mean_s", "latency_sd_s", "latency_min_s",
                                               "latency_max_s", "latency_quantile_s"};
    const struct direction *d = &job->d[k];
    bool stored;

    import_measure(im, "storage");
    import_setting(im, "job", import_word(im, job->name));
    import_setting(im, "direction", directions[k]);
    for (int i = 0; i < job->options; i++)
        import_setting(im, job->option[i].name, job->option[i].value);
    import_figure(im, "ios", NAN, d->ios);
    import_figure(im, "bytes", NAN, d->bytes);
    import_figure(im, "bytes_per_s", NAN, d->bw > 0 ? d->bw : d->bw_kib * 1024);
    import_figure(im, "ios_per_s", NAN, d->iops);
    import_figure(im, "runtime_s", NAN, d->runtime);
    import_figure(im, "user_cpu_frac", NAN, job->usr_cpu);
    import_figure(im, "system_cpu_frac", NAN, job->sys_cpu);
    add_latency(im, &d->complete, complete);
    add_latency(im, &d->total, total);
    return import_measure_end(im, &stored, err);
}

static int read_jobs(struct import *im, struct jread *j, struct job *job, struct err *err)
{
    if (!jread_enter(j, '['))
        return 0;
    while (jread_element(j)) {
        bool any = false;

        memset(job, 0, sizeof *job);
        import_at(im, jread_line(j));
        read_job(j, job);
        if (jread_bad(j) != NULL)
            return 0;
        for (int k = 0; k < 3; k++)
            if (job->d[k].ios > 0 || job->d[k].bytes > 0) {
                TRY(store_direction(im, job, k, err));
                any = true;
            }
        if (job->error > 0)
            import_suspect(im, 1, "job %.60s ended with error %g", job->name, job->error);
        if (any)
            import_keep(im);
        else
            import_skip(im, "a job without reads, writes or trims");
    }
    return 0;
}

static int document(struct import *im, struct jread *j, void *ctx, struct err *err)
{
    const char *key;

    if (jread_enter(j, '{'))
        while ((key = jread_member(j)) != NULL)
            if (strcmp(key, "jobs") == 0)
                TRY(read_jobs(im, j, ctx, err));
    return 0;
}

static int run(struct import *im, struct err *err)
{
    struct job *job = xmalloc(sizeof *job);
    int rc = import_documents(im, document, job, err);

    free(job);
    return rc;
}

const struct importer fio_importer = {
    .name = "fio",
    .help = "fio results (--output-format=json): bandwidth, IOPS, latency percentiles",
    .units = "*_ns in ns, clat and lat without it in us, runtime in ms, bw in KiB/s",
    .sniff = sniff,
    .run = run,
};
