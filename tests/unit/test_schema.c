#include "cli/schema.h"

#include "models/model.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * No validator is at hand that we would rather trust than the program's own check, so the test walks shipped
 * scenarios beside the schema: whatever key stands in a file must stand in the schema where it stands.
 */

static struct json *schema;

static void begin(void)
{
    schema = schema_of_scenarios();
}

static void end(void)
{
    json_free(schema);
}

TestSuite(schema, .init = begin, .fini = end);

static const struct json *definition(const char *name)
{
    return json_get(json_get(schema, "definitions"), name);
}

static void expect_keys(const struct json *object, const struct json *in, const char *where)
{
    const struct json *properties = json_get(in, "properties");

    JSON_EACH (v, object)
        cr_expect_not_null(json_get(properties, json_key(v)), "%s: \"%s\" is not in the schema", where,
                           json_key(v));
}

/* The part of a stage's rules that speaks of its model. */
static const struct json *rule_of(const char *model)
{
    JSON_EACH (rule, json_get(definition("stage"), "allOf")) {
        const struct json *of = json_get(json_get(json_get(rule, "if"), "properties"), "model");

        if (strcmp(json_get_string(of, "const", ""), model) == 0)
            return json_get(json_get(rule, "then"), "properties");
    }
    return NULL;
}

static void expect_stages(const struct json *stages, const char *where)
{
    JSON_EACH (st, stages) {
        const struct json *rule = rule_of(json_get_string(st, "model", ""));

        expect_keys(st, definition("stage"), where);
        cr_assert_not_null(rule, "%s: model %s", where, json_get_string(st, "model", ""));
        if (json_get(st, "params") != NULL)
            expect_keys(json_get(st, "params"), json_get(rule, "params"), where);
        if (json_get(st, "calls") != NULL)
            expect_keys(json_get(st, "calls"), json_get(rule, "calls"), where);
    }
}

static void expect_scenario(const char *path)
{
    struct err err = {0};
    struct json *s = NULL;

    cr_assert_eq(json_read(path, &s, &err), 0, "%s", err.text);
    expect_keys(s, schema, path);
    JSON_EACH (r, json_get(s, "resources"))
        expect_keys(r, definition("resource"), path);
    if (json_get(s, "stages") != NULL)
        expect_stages(json_get(s, "stages"), path);
    if (json_get(s, "pipelines") != NULL)
        JSON_EACH (p, json_get(s, "pipelines")) {
            expect_keys(p, definition("pipeline"), path);
            if (json_get(p, "stages") != NULL)
                expect_stages(json_get(p, "stages"), path);
        }
    json_free(s);
}

Test(schema, shipped_scenarios_hold_nothing_that_it_does_not)
{
    char folder[4000], path[4300];
    struct dirent *e;
    int seen = 0;
    DIR *d;

    snprintf(folder, sizeof folder, "%s/scenarios", getenv("abs_srcdir"));
    d = opendir(folder);
    cr_assert_not_null(d);
    while ((e = readdir(d)) != NULL) {
        if (strstr(e->d_name, ".json") == NULL)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        expect_scenario(path);
        seen++;
    }
    closedir(d);
    cr_expect_gt(seen, 1);
}

Test(schema, every_model_and_every_parameter_is_there_with_its_meaning)
{
    for (int i = 0; models[i] != NULL; i++) {
        const struct json *rule = rule_of(models[i]->name);

        cr_assert_not_null(rule, "%s", models[i]->name);
        for (const struct param *p = models[i]->params; p->type != PARAM_END; p++) {
            const struct json *v = json_get(json_get(json_get(rule, "params"), "properties"), p->name);

            cr_assert_not_null(v, "%s.%s", models[i]->name, p->name);
            cr_expect_not_null(json_get(v, "description"), "%s.%s", models[i]->name, p->name);
        }
    }
}

Test(schema, references_lead_somewhere)
{
    cr_expect_not_null(definition("stage"));
    cr_expect_not_null(definition("resource"));
    cr_expect_not_null(definition("pipeline"));
    cr_expect_str_eq(json_get_string(schema, "$schema", ""), "http://json-schema.org/draft-07/schema#");
    cr_expect(!json_get_bool(schema, "additionalProperties", true), "unknown keys are errors");
}
