#include "cli/reference.h"

#include "base/units.h"

#include <stdio.h>

static const char *type_name(enum param_type t)
{
    static const char *const names[] = {"",       "quantity", "whole number", "true or false",
                                        "choice", "law",      "costs",        "list"};

    return names[t];
}

static struct json *param_json(const struct param *p)
{
    struct json *o = json_new_object();

    json_set_string(o, "name", p->name);
    json_set_string(o, "type", type_name(p->type));
    json_set_string(o, "unit", units_name(p->unit));
    json_set_string(o, "default", p->def);
    if (p->type == PARAM_REAL || p->type == PARAM_INT || p->type == PARAM_LAW) {
        json_set_number(o, "min", p->min);
        json_set_number(o, "max", p->max);
    }
    if (p->choices != NULL) {
        struct json *list = json_set_array(o, p->type == PARAM_COSTS ? "operators" : "choices");

        for (int i = 0; p->choices[i] != NULL; i++)
            json_push(list, json_new_string(p->choices[i]));
    }
    json_set_string(o, "help", p->help);
    return o;
}

static void fits_json(const char *target, struct json *list)
{
    for (const struct fit_info *f = fits_find(target); f != NULL && f->param != NULL; f++) {
        struct json *o = json_push(list, json_new_object());

        json_set_string(o, "param", f->param);
        json_set_string(o, "view", f->view);
        json_set_string(o, "from", f->from);
        json_set_string(o, "to", f->to);
        json_set_string(o, "method", f->method);
    }
}

struct json *reference_target_json(const struct fit_target *t)
{
    struct json *o = json_new_object();

    json_set_string(o, "name", t->name);
    json_set_string(o, "about", t->about);
    fits_json(t->name, json_set_array(o, "fits"));
    return o;
}

struct json *reference_model_json(const struct model *m)
{
    struct json *o = json_new_object(), *list;

    json_set_string(o, "name", m->name);
    json_set_string(o, "title", m->title);
    json_set_string(o, "about", m->about);
    json_set_string(o, "kernel", m->kernel);
    list = json_set_array(o, "roles");
    for (int i = 0; m->roles[i] != NULL; i++)
        json_push(list, json_new_string(m->roles[i]));
    list = json_set_array(o, "params");
    for (const struct param *p = m->params; p->type != PARAM_END; p++)
        json_push(list, param_json(p));
    fits_json(m->name, json_set_array(o, "fits"));
    return o;
}

static void print_range(const struct param *p)
{
    char lo[40], hi[40];

    if (p->type == PARAM_REAL || p->type == PARAM_INT || p->type == PARAM_LAW)
        printf("      from %s to %s\n", units_format(lo, sizeof lo, p->min, p->unit),
               units_format(hi, sizeof hi, p->max, p->unit));
    if (p->choices != NULL) {
        printf("      %s:", p->type == PARAM_COSTS ? "operators" : "one of");
        for (int i = 0; p->choices[i] != NULL; i++)
            printf("%s %s", i ? "," : "", p->choices[i]);
        putchar('\n');
    }
    if (p->type == PARAM_COSTS)
        printf(
            "      each {\"fixed\": \"20us\", \"per_item\": \"5ns\", \"per_byte\": \"1ns\", \"cv\": 0.1}\n");
}

void reference_print_param(const struct model *m, const struct param *p)
{
    (void)m;
    printf("  %-24s %-14s default %s\n      %s\n", p->name, type_name(p->type), p->def ? p->def : "(none)",
           p->help);
    print_range(p);
}

/* What `foresight fit` can find out, and from what. */
static void print_fits(const char *target)
{
    const struct fit_info *f = fits_find(target);

    if (f == NULL)
        return;
    printf("\nCan be calibrated: foresight fit %s --trace TRACE\n", target);
    for (; f->param != NULL; f++)
        printf("  %-24s %s, from %s: %s%s%s\n", f->param, f->method, f->view, f->from, f->from[0] && f->to[0] ? " -> " : "",
               f->to);
}

void reference_print_target(const struct fit_target *t)
{
    printf("%s: %s\n", t->name, t->about);
    print_fits(t->name);
}

void reference_print_model(const struct model *m)
{
    printf("%s: %s\n\n%s\n", m->name, m->title, m->about);
    if (m->roles[0] != NULL) {
        printf("\nNeeds \"on\":");
        for (int i = 0; m->roles[i] != NULL; i++)
            printf(" %s", m->roles[i]);
        putchar('\n');
    }
    if (m->kernel != NULL)
        printf("Has a real twin in the executor: `foresight exec` runs it.\n");
    printf("\nParameters\n");
    for (const struct param *p = m->params; p->type != PARAM_END; p++)
        reference_print_param(m, p);
    print_fits(m->name);
    if (m->ops == NULL)
        return;
    printf("\nOperators, and what their cost counts\n");
    for (const struct op_info *o = m->ops; o->name != NULL; o++)
        printf("  %-24s items: %-24s bytes: %s\n", o->name, o->items ? o->items : "-",
               o->bytes ? o->bytes : "-");
}
