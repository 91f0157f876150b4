#include "executor/path.h"

#include "pipeline/edit.h"

#include <criterion/criterion.h>
#include <gsl/gsl_errno.h>
#include <stdlib.h>
#include <string.h>

static struct err err;

static struct json *read_example(const char *name, char *path, size_t size)
{
    struct json *tree = NULL;

    gsl_set_error_handler_off();
    snprintf(path, size, "%s/%s", getenv("abs_srcdir"), name);
    cr_assert_eq(json_read(path, &tree, &err), 0, "%s", err.text);
    return tree;
}

static struct scenario *build(const struct json *tree, const char *path)
{
    struct scenario *s = NULL;

    cr_assert_eq(scenario_build(tree, path, NULL, &s, &err), 0, "%s", err.text);
    return s;
}

static void expect_real_twins(const struct exec_path *p, const struct scenario *s)
{
    struct optimization *opts;
    int n;

    cr_assert_eq(optimizations_read(s->tree, s->file, s->arena, &opts, &n, &err), 0, "%s", err.text);
    cr_expect_gt(n, 3, "%s", p->example);
    for (int i = 0; i < n; i++)
        JSON_EACH (e, opts[i].edits)
            cr_expect(exec_path_reads(p, s, json_key(e)), "%s: %s edits %s, which is not executed",
                      p->example, opts[i].name, json_key(e));
}

Test(paths, every_path_runs_its_example_and_nobody_elses)
{
    for (int i = 0; exec_paths[i] != NULL; i++) {
        const struct exec_path *p = exec_paths[i];
        struct exec_job job;
        char path[4000];
        struct json *tree = read_example(p->example, path, sizeof path);
        struct scenario *s = build(tree, path);

        for (int k = 0; exec_paths[k] != NULL; k++)
            cr_expect_eq(exec_paths[k]->matches(s), k == i, "%s by the path of %s", p->example,
                         exec_paths[k]->example);
        cr_expect_eq(exec_prepare(s, s->arena, &job, &err), 0, "%s", err.text);
        cr_expect(job.path == p && job.plan != NULL && job.cores > 0);
        expect_real_twins(p, s);
        scenario_free(s);
        json_free(tree);
    }
}

Test(paths, costs_are_never_read)
{
    for (int i = 0; exec_paths[i] != NULL; i++) {
        char path[4000];
        struct json *tree = read_example(exec_paths[i]->example, path, sizeof path);
        struct scenario *s = build(tree, path);

        for (int k = 0; k < s->stages_n; k++)
            for (const struct param *p = s->stages[k].model->params; p->name != NULL; p++) {
                char edit[200];

                snprintf(edit, sizeof edit, "stages.%s.params.%s", s->stages[k].name, p->name);
                if (p->type == PARAM_COSTS || strstr(p->name, "ratio") != NULL)
                    cr_expect_not(exec_path_reads(exec_paths[i], s, edit), "%s", edit);
            }
        scenario_free(s);
        json_free(tree);
    }
}

Test(paths, what_exec_does_not_know_is_refused)
{
    char path[4000];
    struct json *tree = read_example("scenarios/quickstart.json", path, sizeof path), *exec;
    struct exec_job job;
    struct scenario *s;

    exec = json_set_object(tree, "exec");
    json_set_number(exec, "sise", 3);
    s = build(tree, path);
    cr_expect_eq(exec_prepare(s, s->arena, &job, &err), ERR_SCENARIO);
    cr_expect(strstr(err.text, "quickstart.json") != NULL && strstr(err.text, "sise") != NULL, "%s",
              err.text);
    scenario_free(s);
    json_set_number(tree, "exec", 3);
    s = build(tree, path);
    cr_expect_eq(exec_prepare(s, s->arena, &job, &err), ERR_SCENARIO);
    cr_expect_not_null(strstr(err.text, "$.exec"), "%s", err.text);
    scenario_free(s);
    json_free(tree);
}

Test(paths, a_pipeline_without_a_twin_is_told_what_there_is)
{
    char path[4000];
    struct json *tree = read_example("scenarios/01-one-stage.json", path, sizeof path);
    struct scenario *s = build(tree, path);
    struct exec_job job;

    cr_expect_eq(exec_prepare(s, s->arena, &job, &err), ERR_SCENARIO);
    for (int i = 0; exec_paths[i] != NULL; i++)
        cr_expect_not_null(strstr(err.text, exec_paths[i]->example), "%s", err.text);
    scenario_free(s);
    json_free(tree);
}
