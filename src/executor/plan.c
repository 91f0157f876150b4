#include "executor/plan.h"

#include "base/text.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char *const kernels[EXEC_STAGES] = {"etl", "storage", "preprocess", "training"};

static bool has_twins(const struct scenario *s)
{
    if (s->stages_n != EXEC_STAGES || s->workload.data == NULL)
        return false;
    for (int i = 0; i < EXEC_STAGES; i++)
        if (s->stages[i].model->kernel == NULL || strcmp(s->stages[i].model->kernel, kernels[i]) != 0)
            return false;
    return true;
}

int exec_plan_of(const struct scenario *s, struct exec_plan *out, struct err *err)
{
    if (!has_twins(s))
        return err_set(
            err, ERR_SCENARIO,
            "%s: $.stages: the executor runs a chain of etl, storage, preprocess and training over a data "
            "set; scenarios/quickstart.json is one",
            s->file);
    *out = (struct exec_plan){.data = *s->workload.data,
                              .etl = *(const struct etl_cfg *)s->stages[EXEC_ETL].cfg,
                              .storage = *(const struct storage_cfg *)s->stages[EXEC_STORAGE].cfg,
                              .prep = *(const struct preprocess_cfg *)s->stages[EXEC_PREP].cfg,
                              .train = *(const struct training_cfg *)s->stages[EXEC_TRAIN].cfg,
                              .seed = s->seed};
    for (int i = 0; i < EXEC_STAGES; i++)
        out->stage_names[i] = s->stages[i].name;
    for (int i = 1; i < EXEC_STAGES; i++) {
        if (s->stages[i].in_capacity < 1)
            return err_set(err, ERR_SCENARIO,
                           "%s: the buffer in front of \"%s\" holds %g; the executor needs room for 1",
                           s->file, s->stages[i].name, s->stages[i].in_capacity);
        out->buffers[i - 1] = (long)s->stages[i].in_capacity;
    }
    return 0;
}

long exec_plan_cores(const struct scenario *s)
{
    return s->resources[s->stages[0].on[ROLE_CPU]].count;
}

/* The first value of `key` in a /proc file of "key : value" lines; "" when there is none. */
static void proc_value(const char *path, const char *key, char *out, size_t size)
{
    FILE *f = fopen(path, "r");
    char line[512];

    out[0] = '\0';
    while (f != NULL && out[0] == '\0' && fgets(line, sizeof line, f) != NULL) {
        char *colon = strchr(line, ':');

        if (strncmp(line, key, strlen(key)) != 0 || colon == NULL)
            continue;
        colon[strcspn(colon, "\n")] = '\0';
        snprintf(out, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
    }
    if (f != NULL)
        fclose(f);
}

struct json *host_describe(void)
{
    struct json *o = json_new_object();
    struct utsname u;
    cpu_set_t set;
    char text[256];

    proc_value("/proc/cpuinfo", "model name", text, sizeof text);
    json_set_string(o, "processor", text);
    json_set_number(o, "cores_usable", sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0);
    json_set_number(o, "memory_bytes", (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE));
    if (uname(&u) == 0) {
        json_set_string(o, "kernel", u.release);
        json_set_string(o, "machine", u.machine);
    }
    return o;
}
