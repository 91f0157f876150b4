#include "cli/schema.h"

#include "cli/keys.h"
#include "models/server.h"
#include "pipeline/constraint.h"
#include "pipeline/knob.h"
#include "pipeline/scenario.h"

#include <stdio.h>
#include <string.h>

static struct json *any_of(const char *const *types)
{
    struct json *list = json_new_array();

    for (int i = 0; types[i] != NULL; i++)
        json_push(list, json_new_string(types[i]));
    return list;
}

static void closed(struct json *object, struct json *properties)
{
    json_set_string(object, "type", "object");
    json_set(object, "properties", properties);
    json_set_bool(object, "additionalProperties", false);
}

/* "Time one item holds one server; in s, default 1ms" */
static void describe(struct json *o, const struct param *p)
{
    char text[600];

    snprintf(text, sizeof text, "%s%s%s%s%s", p->help, p->unit != UNIT_NONE ? "; in " : "",
             p->unit != UNIT_NONE ? units_name(p->unit) : "", p->def != NULL ? "; default " : "",
             p->def != NULL ? p->def : "");
    json_set_string(o, "description", text);
}

static struct json *costs_schema(const struct param *p)
{
    static const char *const terms[] = {"fixed", "per_item", "per_byte", "cv", NULL};
    static const char *const quantity[] = {"number", "string", NULL};
    struct json *o = json_new_object(), *operators = json_new_object();

    for (int i = 0; p->choices[i] != NULL; i++) {
        struct json *each = json_set_object(operators, p->choices[i]), *properties = json_new_object();

        for (int k = 0; terms[k] != NULL; k++)
            json_set(json_set_object(properties, terms[k]), "type", any_of(quantity));
        closed(each, properties);
    }
    closed(o, operators);
    return o;
}

/* Quantities may be written with a unit, and some settings as "auto": text is allowed wherever a number is.
 */
static struct json *param_schema(const struct param *p)
{
    static const char *const quantity[] = {"number", "string", NULL};
    static const char *const law[] = {"number", "string", "object", NULL};
    struct json *o = p->type == PARAM_COSTS ? costs_schema(p) : json_new_object(), *names;

    describe(o, p);
    switch (p->type) {
    case PARAM_REAL:
    case PARAM_INT:
        json_set(o, "type", any_of(quantity));
        json_set_number(o, "minimum", p->min);
        json_set_number(o, "maximum", p->max);
        break;
    case PARAM_BOOL:
        json_set_string(o, "type", "boolean");
        break;
    case PARAM_LAW:
        json_set(o, "type", any_of(law));
        break;
    case PARAM_CHOICE:
        names = json_set_array(o, "enum");
        for (int i = 0; p->choices[i] != NULL; i++)
            json_push(names, json_new_string(p->choices[i]));
        break;
    default:
        break;
    }
    return o;
}

static struct json *table_schema(const struct param *table)
{
    struct json *properties = json_new_object(), *o = json_new_object();

    for (const struct param *p = table; p->type != PARAM_END; p++)
        json_set(properties, p->name, param_schema(p));
    closed(o, properties);
    return o;
}

static struct json *names_of(const char *const *names)
{
    struct json *o = json_new_object(), *properties = json_new_object();

    for (int i = 0; names != NULL && names[i] != NULL; i++)
        json_set_string(json_set_object(properties, names[i]), "type", "string");
    closed(o, properties);
    return o;
}

/* What a stage of one model may hold beside what every stage may. */
static struct json *model_rule(const struct model *m)
{
    struct json *rule = json_new_object(), *stage;

    stage = json_set_object(json_set_object(rule, "if"), "properties");
    json_set_string(json_set_object(stage, "model"), "const", m->name);
    stage = json_set_object(json_set_object(rule, "then"), "properties");
    json_set(stage, "params", table_schema(m->params));
    json_set(stage, "calls", names_of(m->server != NULL ? m->server->callees : NULL));
    return rule;
}

/* With the sentence that every key has. */
static struct json *keys_schema(const char *of, const char *const *keys)
{
    struct json *properties = json_new_object();

    for (int i = 0; keys[i] != NULL; i++) {
        const char *help = key_help(of, keys[i]);
        struct json *o = json_set_object(properties, keys[i]);

        if (help != NULL)
            json_set_string(o, "description", help);
    }
    return properties;
}

static struct json *stage_schema(void)
{
    struct json *o = json_new_object(), *properties = keys_schema("stage", stage_keys), *list, *roles;

    json_set_string(json_get_mutable(properties, "name"), "type", "string");
    json_set_string(json_get_mutable(properties, "owner"), "type", "string");
    list = json_set_array(json_get_mutable(properties, "model"), "enum");
    for (int i = 0; models[i] != NULL; i++)
        json_push(list, json_new_string(models[i]->name));
    roles = json_new_object();
    for (enum role r = 0; r < ROLES; r++)
        json_set_string(json_set_object(roles, role_name(r)), "type", "string");
    closed(json_get_mutable(properties, "on"), roles);
    closed(o, properties);
    list = json_set_array(o, "required");
    json_push(list, json_new_string("name"));
    json_push(list, json_new_string("model"));
    list = json_set_array(o, "allOf");
    for (int i = 0; models[i] != NULL; i++)
        json_push(list, model_rule(models[i]));
    return o;
}

static void refer(struct json *properties, const char *key, const char *to)
{
    struct json *v = json_get_mutable(properties, key);

    json_set_string(v, "type", "array");
    json_set_string(json_set_object(v, "items"), "$ref", to);
}

static struct json *resource_schema(void)
{
    struct json *one = table_schema(resource_params), *properties = json_get_mutable(one, "properties");

    for (int i = 0; resource_references[i] != NULL; i++) {
        struct json *v = json_set_object(properties, resource_references[i]);

        json_set_string(v, "description", key_help("resource", resource_references[i]));
        json_set_string(v, "type", "string");
    }
    json_push(json_set_array(one, "required"), json_new_string("kind"));
    return one;
}

static struct json *pipeline_schema(void)
{
    struct json *o = json_new_object(), *properties = keys_schema("pipeline", pipeline_keys);

    refer(properties, "stages", "#/definitions/stage");
    json_set_string(json_get_mutable(properties, "name"), "type", "string");
    closed(o, properties);
    json_push(json_set_array(o, "required"), json_new_string("name"));
    return o;
}

/* ------------------------------------------------- what studies read */

static void typed(struct json *properties, const char *key, const char *type)
{
    json_set_string(json_get_mutable(properties, key), "type", type);
}

static struct json *knob_schema(void)
{
    static const char *const quantity[] = {"number", "string", NULL}, *const paths[] = {"string", "array",
                                                                                        NULL};
    struct json *o = json_new_object(), *properties = keys_schema("knob", knob_keys), *list;

    typed(properties, "name", "string");
    json_set(json_get_mutable(properties, "path"), "type", any_of(paths));
    typed(properties, "about", "string");
    typed(properties, "values", "array");
    list = json_get_mutable(properties, "range");
    json_set_string(list, "type", "array");
    json_set_number(list, "minItems", 2);
    json_set_number(list, "maxItems", 2);
    json_set(json_get_mutable(properties, "step"), "type", any_of(quantity));
    typed(properties, "points", "integer");
    list = json_set_array(json_get_mutable(properties, "scale"), "enum");
    json_push(list, json_new_string("linear"));
    json_push(list, json_new_string("log"));
    closed(o, properties);
    json_push(json_set_array(o, "required"), json_new_string("path"));
    return o;
}

static void objective_schema(struct json *o)
{
    struct json *properties = keys_schema("objective", objective_keys), *names;

    for (int i = 0; i < 2; i++) {
        names = json_set_array(json_get_mutable(properties, objective_keys[i]), "examples");
        for (const struct figure_def *f = figures; f->name != NULL; f++)
            json_push(names, json_new_string(f->name));
        typed(properties, objective_keys[i], "string");
    }
    typed(properties, "quality_usd", "number");
    closed(o, properties);
}

static void constraints_schema(struct json *o)
{
    json_set_string(o, "type", "array");
    json_set_string(o, "description",
                    "FIGURE <= QUANTITY or FIGURE >= QUANTITY, as in \"latency_s.p95 <= 2s\"");
    json_set_string(json_set_object(o, "items"), "type", "string");
}

struct json *schema_of_scenarios(void)
{
    struct json *o = json_new_object(), *properties = keys_schema("scenario", scenario_keys), *definitions,
                *resources;

    json_set_string(o, "$schema", "http://json-schema.org/draft-07/schema#");
    json_set_string(o, "title", "foresight scenario");
    definitions = json_set_object(o, "definitions");
    json_set(definitions, "stage", stage_schema());
    json_set(definitions, "resource", resource_schema());
    json_set(definitions, "pipeline", pipeline_schema());
    json_set(definitions, "knob", knob_schema());
    refer(properties, "stages", "#/definitions/stage");
    refer(properties, "pipelines", "#/definitions/pipeline");
    refer(properties, "knobs", "#/definitions/knob");
    objective_schema(json_get_mutable(properties, "objective"));
    constraints_schema(json_get_mutable(properties, "constraints"));
    resources = json_get_mutable(properties, "resources");
    json_set_string(resources, "type", "object");
    json_set_string(json_set_object(resources, "additionalProperties"), "$ref", "#/definitions/resource");
    json_set_string(json_get_mutable(properties, "name"), "type", "string");
    closed(o, properties);
    json_push(json_set_array(o, "required"), json_new_string("name"));
    json_push(json_get_mutable(o, "required"), json_new_string("resources"));
    return o;
}
