/*
 * yaml_formats.c - cedar's operator statistics, DLIO workloads, hardware descriptions of aiconfigurator.
 *
 * cedar: latencies are NANOSECONDS per sample, sizes bytes, disk_info seconds
 * per byte, by place of the operator; the baseline and every offload variant
 * become a measurement each.  DLIO: bytes and seconds.  Hardware: bytes,
 * bytes/s, FLOP/s, W, seconds, as their comments say.
 */
#include "store/import/formats.h"
#include "store/import/yaml.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int end_measurement(struct import *im, const char *empty, struct err *err)
{
    bool stored;

    TRY(import_measure_end(im, &stored, err));
    if (stored)
        import_keep(im);
    else
        import_skip(im, empty);
    return 0;
}

static int read_tree(struct import *im, int (*store)(struct import *, const struct json *, struct err *),
                     struct err *err)
{
    struct json *tree;
    int rc = yaml_read(im, &tree, err);

    if (rc == 0)
        rc = json_type(tree) == JSON_OBJECT
                 ? store(im, tree, err)
                 : import_refuse(im, 1, 0, err, "not a mapping of names to values");
    json_free(tree);
    return rc;
}

/* -------------------------------------------------------------------- cedar */

static int cedar_sniff(const struct import_head *h)
{
    return strncmp(h->text, "baseline:", 9) == 0 && strstr(h->text, "latencies:") != NULL ? 90 : 0;
}

static int by_operator(struct import *im, const struct json *profile, const char *key, const char *name,
                       double scale, struct err *err)
{
    JSON_EACH (c, json_get(profile, key)) {
        char *end;
        double at = strtod(json_key(c), &end);

        if (*end != '\0' || json_type(c) != JSON_NUMBER)
            return import_refuse(im, 0, 0, err, "%s.%s is not a number by the place of an operator", key,
                                 json_key(c));
        import_figure(im, name, at, json_number(c) * scale);
    }
    return 0;
}

static int profile(struct import *im, const struct json *p, const char *variant, const char *operator_,
                   struct err *err)
{
    if (json_type(p) != JSON_OBJECT || json_get(p, "latencies") == NULL)
        return import_bad(im, 0, "a profile without latencies", err);
    import_measure(im, "input pipeline operators");
    import_setting(im, "variant", variant);
    import_setting(im, "offloaded", operator_);
    TRY(by_operator(im, p, "latencies", "latency_s", 1e-9, err));
    TRY(by_operator(im, p, "input_sizes", "input_bytes", 1, err));
    TRY(by_operator(im, p, "output_sizes", "output_bytes", 1, err));
    import_figure(im, "samples_per_s", NAN, json_get_number(p, "throughput", NAN));
    return end_measurement(im, "a profile without figures", err);
}

static int cedar_store(struct import *im, const struct json *tree, struct err *err)
{
    const struct json *disk = json_get(tree, "disk_info"), *baseline = json_get(tree, "baseline");

    if (baseline != NULL)
        TRY(profile(im, baseline, "baseline", NULL, err));
    JSON_EACH (backend, json_get(tree, "offloads"))
        JSON_EACH (p, backend)
            TRY(profile(im, p, json_key(backend), json_key(p), err));
    if (disk != NULL) {
        import_measure(im, "disk");
        import_figure(im, "read_s_per_byte", NAN, json_get_number(disk, "read_latency", NAN));
        import_figure(im, "write_s_per_byte", NAN, json_get_number(disk, "write_latency", NAN));
        TRY(end_measurement(im, "a disk without figures", err));
    }
    JSON_EACH (c, tree)
        if (strcmp(json_key(c), "baseline") != 0 && strcmp(json_key(c), "offloads") != 0 &&
            strcmp(json_key(c), "disk_info") != 0)
            TRY(import_unknown(im, json_key(c), err));
    return 0;
}

static int cedar_run(struct import *im, struct err *err)
{
    return read_tree(im, cedar_store, err);
}

const struct importer yaml_cedar_importer = {
    .name = "cedar",
    .help = "cedar statistics (YAML): latency and bytes per operator, baseline and offloaded",
    .units = "latencies in ns per sample, sizes in bytes, disk in s per byte",
    .sniff = cedar_sniff,
    .run = cedar_run,
};

/* ------------------------------------------------------- flat lists of paths */

struct path {
    const char *from, *name; /* "train.computation_time" */
    bool setting;
};

static const struct json *at_path(const struct json *tree, const char *path)
{
    char key[60];
    size_t n = strcspn(path, ".");

    if (n >= sizeof key || tree == NULL || json_type(tree) != JSON_OBJECT)
        return NULL;
    memcpy(key, path, n);
    key[n] = '\0';
    tree = json_get(tree, key);
    return path[n] == '.' ? at_path(tree, path + n + 1) : tree;
}

static void read_paths(struct import *im, const struct json *tree, const struct path *paths)
{
    for (; paths->from != NULL; paths++) {
        const struct json *v = at_path(tree, paths->from);

        if (v == NULL)
            continue;
        if (json_type(v) == JSON_STRING && paths->setting)
            import_setting(im, paths->name, json_string(v));
        else if (json_type(v) == JSON_NUMBER && paths->setting)
            import_setting_number(im, paths->name, json_number(v));
        else if (json_type(v) == JSON_NUMBER)
            import_figure(im, paths->name, NAN, json_number(v));
    }
}

/* --------------------------------------------------------------------- DLIO */

static int dlio_sniff(const struct import_head *h)
{
    return strstr(h->text, "dataset:") != NULL && strstr(h->text, "record_length") != NULL &&
                   strstr(h->text, "reader:") != NULL && h->text[0] != '{'
               ? 90
               : 0;
}

static int dlio_store(struct import *im, const struct json *tree, struct err *err)
{
    static const struct path paths[] = {
        {"model.name", "model", true},
        {"framework", "framework", true},
        {"dataset.format", "format", true},
        {"reader.data_loader", "loader", true},
        {"dataset.num_files_train", "files", false},
        {"dataset.num_samples_per_file", "samples_per_file", false},
        {"dataset.record_length", "record_bytes", false},
        {"dataset.record_length_stdev", "record_sd_bytes", false},
        {"dataset.record_length_bytes", "record_bytes", false},
        {"dataset.record_length_bytes_stdev", "record_sd_bytes", false},
        {"dataset.record_length_bytes_resize", "record_resized_bytes", false},
        {"reader.batch_size", "batch", false},
        {"reader.read_threads", "read_threads", false},
        {"reader.prefetch_size", "prefetch", false},
        {"train.epochs", "epochs", false},
        {"train.computation_time", "compute_s", false},
        {"model.model_size", "model_bytes", false},
        {"model.model_size_bytes", "model_bytes", false},
        {"metric.au", "accelerator_utilization_frac", false},
        {NULL, NULL, false},
    };
    const char *accelerator = strrchr(import_base(im), '_'); /* unet3d_h100 */

    import_measure(im, "training workload");
    if (accelerator != NULL)
        import_setting(im, "accelerator", accelerator + 1);
    read_paths(im, tree, paths);
    return end_measurement(im, "no number of a DLIO workload in it", err);
}

static int dlio_run(struct import *im, struct err *err)
{
    return read_tree(im, dlio_store, err);
}

const struct importer yaml_dlio_importer = {
    .name = "dlio-workload",
    .help = "DLIO workload (YAML): record size, batch, compute time of an emulated training job",
    .units = "bytes and seconds; the accelerator is the end of the file's name",
    .sniff = dlio_sniff,
    .run = dlio_run,
};

/* ----------------------------------------------------------------- hardware */

static int hardware_sniff(const struct import_head *h)
{
    return strstr(h->text, "\ngpu:") != NULL && strstr(h->text, "mem_bw:") != NULL &&
                   strstr(h->text, "bfloat16_tc_flops:") != NULL
               ? 90
               : 0;
}

static int hardware_store(struct import *im, const struct json *tree, struct err *err)
{
    static const struct path paths[] = {
        {"gpu.mem_bw", "memory_bytes_per_s", false},
        {"gpu.mem_bw_empirical_scaling_factor", "memory_efficiency_frac", false},
        {"gpu.mem_empirical_constant_latency", "memory_latency_s", false},
        {"gpu.mem_capacity", "memory_bytes", false},
        {"gpu.bfloat16_tc_flops", "bf16_flop_per_s", false},
        {"gpu.int8_tc_flops", "int8_op_per_s", false},
        {"gpu.fp8_tc_flops", "fp8_flop_per_s", false},
        {"gpu.fp4_tc_flops", "fp4_flop_per_s", false},
        {"gpu.power", "power_w", false},
        {"node.num_gpus_per_node", "gpus_per_node", false},
        {"node.inter_node_bw", "inter_node_bytes_per_s", false},
        {"node.intra_node_bw", "intra_node_bytes_per_s", false},
        {"node.pcie_bw", "pcie_bytes_per_s", false},
        {"node.p2p_latency", "p2p_latency_s", false},
        {"misc.other_mem", "other_memory_bytes", false},
        {NULL, NULL, false},
    };

    import_measure(im, "hardware");
    import_setting(im, "system", import_base(im));
    read_paths(im, tree, paths);
    JSON_EACH (c, at_path(tree, "misc.nccl_mem"))
        import_figure(im, "nccl_memory_bytes", strtod(json_key(c), NULL), json_number(c));
    return end_measurement(im, "no number of a hardware description in it", err);
}

static int hardware_run(struct import *im, struct err *err)
{
    return read_tree(im, hardware_store, err);
}

const struct importer yaml_hardware_importer = {
    .name = "hardware",
    .help = "aiconfigurator system description (YAML): peaks and bandwidths of a GPU node",
    .units = "bytes, bytes/s, FLOP/s, W, seconds",
    .sniff = hardware_sniff,
    .run = hardware_run,
};
