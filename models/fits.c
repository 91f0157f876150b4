#include "models/fits.h"

#include <string.h>

#define FITS_END                                                                                             \
    {                                                                                                        \
        NULL, NULL, NULL, NULL, NULL                                                                         \
    }

const struct fit_info station_fits[] = {
    {"service", "spans", "", "end_s - start_s", "service law"},
    {"service", "measurements", "concurrency", "queries_per_s, latency_mean_s", "concurrency curve"},
    FITS_END};

const struct fit_info spark_fits[] = {
    {"overhead", "spark_task",
     "input_bytes, shuffle_remote_bytes, shuffle_local_bytes, shuffle_write_bytes, output_bytes", "run_s",
     "task law"},
    FITS_END};

const struct fit_info storage_fits[] = {
    {"read", "measurements", "accelerators, samples_per_s", "io_bytes_per_s", "storage runs"}, FITS_END};

const struct fit_info llm_serving_fits[] = {
    {"ops", "operator_costs", "tokens, batch, chunk, context, bytes", "time_s", "operator table"}, FITS_END};

const struct fit_info vector_db_fits[] = {
    {"search", "measurements", "concurrency", "queries_per_s, latency_mean_s", "concurrency curve"},
    {"recall", "measurements", "ef, nprobe, search_list", "recall_frac", "recall curve"},
    FITS_END};

static const struct fit_info link_fits[] = {{"transfer", "operator_costs", "bytes", "time_s", "collective"},
                                            FITS_END};

static const struct fit_info gpus_fits[] = {{"gemm", "operator_costs", "tokens, n, k", "time_s", "roofline"},
                                            FITS_END};

static const struct fit_info disk_fits[] = {
    {"read", "measurements", "block_bytes", "throughput_bytes_per_s, ios_per_s", "storage runs"}, FITS_END};

static const struct fit_info workload_fits[] = {
    {"open.arrivals", "requests", "arrival_s", "", "arrivals"},
    {"tokens", "requests", "", "input_tokens, output_tokens", "token lengths"},
    FITS_END};

const struct fit_target fit_targets[] = {
    {"workload", "arrivals and sizes of requests", workload_fits},
    {"link", "a link between GPUs or nodes", link_fits},
    {"gpus", "what a GPU computes and moves a second", gpus_fits},
    {"disk", "a disk or file system", disk_fits},
    {NULL, NULL, NULL},
};

const struct fit_info *fits_find(const char *target)
{
    const struct model *m = model_find(target);

    if (m != NULL && m->fits != NULL)
        return m->fits;
    for (const struct fit_target *t = fit_targets; t->name != NULL; t++)
        if (strcmp(t->name, target) == 0)
            return t->fits;
    return NULL;
}

size_t fits_names(const char **names, size_t room)
{
    size_t n = 0;

    for (size_t i = 0; models[i] != NULL && n < room; i++)
        if (models[i]->fits != NULL)
            names[n++] = models[i]->name;
    for (const struct fit_target *t = fit_targets; t->name != NULL && n < room; t++)
        if (model_find(t->name) == NULL || model_find(t->name)->fits == NULL)
            names[n++] = t->name;
    return n;
}
