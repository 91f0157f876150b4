#include "executor/path.h"

#include "base/text.h"
#include "executor/host.h"
#include "pipeline/edit.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct exec_path rec_path, etl_path, vision_path, rag_path;

const struct exec_path *const exec_paths[] = {
    &rec_path,
    &etl_path,
    &vision_path,
    &rag_path,
    NULL,
};

const char *const exec_pin_names[] = {"none", "cores", "each", NULL};

/* ----------------------------------------------------------------------------------- finding */

const struct exec_path *exec_path_of(const struct scenario *s)
{
    for (int i = 0; exec_paths[i] != NULL; i++)
        if (exec_paths[i]->matches(s))
            return exec_paths[i];
    return NULL;
}

static int no_path(const struct scenario *s, struct err *err)
{
    struct arena *a = arena_new();
    const char *list = "";

    for (int i = 0; exec_paths[i] != NULL; i++)
        list = arena_printf(a, "%s%s%s (%s)", list, i > 0 ? "; " : "", exec_paths[i]->about,
                            exec_paths[i]->example);
    err_set(err, ERR_SCENARIO, "%s: $.stages: the executor has no twin of this pipeline; it runs %s", s->file,
            list);
    arena_free(a);
    return err->code;
}

static int read_exec(const struct scenario *s, const struct exec_path *p, struct arena *a, void **cfg,
                     struct err *err)
{
    static const struct param nothing[] = {PARAMS_END};
    const struct json *given = json_get(s->tree, "exec");

    *cfg = arena_array(a, 1, p->cfg_size > 0 ? p->cfg_size : 1);
    if (given != NULL && json_type(given) != JSON_OBJECT)
        return err_set(err, ERR_SCENARIO, "%s: $.exec is a %s; an object is wanted", s->file,
                       json_type_name(json_type(given)));
    if (param_load(p->params != NULL ? p->params : nothing, given, "$.exec", a, *cfg, err) != 0)
        return err_at(err, "%s", s->file);
    return 0;
}

/* Of all pools of cores that its stages work on. */
static long cores_of(const struct scenario *s)
{
    long cores = 0;

    for (int i = 0; i < s->resources_n; i++) {
        bool used = false;

        for (int k = 0; k < s->stages_n; k++)
            used = used || s->stages[k].on[ROLE_CPU] == i;
        if (used && s->resources[i].kind == RESOURCE_CORES)
            cores += s->resources[i].count;
    }
    return cores;
}

int exec_prepare(const struct scenario *s, struct arena *a, struct exec_job *out, struct err *err)
{
    void *cfg;

    *out = (struct exec_job){.path = exec_path_of(s), .cores = cores_of(s)};
    if (out->path == NULL)
        return no_path(s, err);
    TRY(read_exec(s, out->path, a, &cfg, err));
    return out->path->plan(s, cfg, a, &out->plan, err);
}

bool exec_is_chain(const struct scenario *s, const char *const *kernels, int n)
{
    if (s->stages_n != n)
        return false;
    for (int i = 0; i < n; i++)
        if (s->stages[i].model->kernel == NULL || strcmp(s->stages[i].model->kernel, kernels[i]) != 0)
            return false;
    return true;
}

int exec_buffers(const struct scenario *s, int n, long *buffers, struct err *err)
{
    for (int i = 1; i < n; i++) {
        if (s->stages[i].in_capacity < 1)
            return err_set(err, ERR_SCENARIO,
                           "%s: the buffer in front of \"%s\" holds %g; the executor needs room for 1",
                           s->file, s->stages[i].name, s->stages[i].in_capacity);
        buffers[i - 1] = (long)s->stages[i].in_capacity;
    }
    return 0;
}

const char *exec_doubt(const struct exec_job *job, struct arena *a)
{
    int usable = host_cores();

    if (job->cores <= usable)
        return NULL;
    return arena_printf(a, "the scenario has %ld cores, but this process may use %d processors", job->cores,
                        usable);
}

/* ---------------------------------------------------------------------------------- switches */

/* "stages.prep.params.ops[0]" or "prep.ops[0]" as "preprocess.ops"; paths of no stage as they are. */
static void canonical(const struct scenario *s, const char *edit, char *out, size_t size)
{
    const char *stage = strncmp(edit, "stages.", 7) == 0 ? edit + 7 : edit;
    size_t n = strcspn(stage, ".");
    const char *param = stage[n] == '.' ? stage + n + 1 : "";

    snprintf(out, size, "%s", edit);
    if (strncmp(param, "params.", 7) == 0)
        param += 7;
    for (int i = 0; i < s->stages_n; i++)
        if (strlen(s->stages[i].name) == n && strncmp(s->stages[i].name, stage, n) == 0)
            snprintf(out, size, "%s.%.*s", s->stages[i].model->name, (int)strcspn(param, "["), param);
}

bool exec_path_reads(const struct exec_path *p, const struct scenario *s, const char *edit)
{
    char path[256];

    canonical(s, edit, path, sizeof path);
    if (strcmp(path, "seed") == 0 || strncmp(path, "exec.", 5) == 0)
        return true;
    for (int i = 0; p->switches[i] != NULL; i++)
        if (fnmatch(p->switches[i], path, 0) == 0)
            return true;
    return false;
}

/* ----------------------------------------------------------------------------------- outcome */

void exec_outcome_fini(struct exec_outcome *o)
{
    free(o->requests);
    o->requests = NULL;
    o->requests_n = 0;
}

void exec_figure_add(struct exec_outcome *o, const char *name, const char *unit, double value)
{
    ASSERT(o->figures_n < EXEC_FIGURES_MAX);
    o->figures[o->figures_n++] = (struct exec_figure){name, unit, value};
}
