#include "base/arena.h"
#include "base/json.h"
#include "report/sections.h"

#include <math.h>
#include <string.h>

/* A matrix: a row for each optimization, a column for each name in its list, a figure of each cell. */
struct matrix {
    const char *list, *name; /* "delta_by_owner", "owner" */
    const char *key;         /* "usd_per_h" */
    enum label_style style;
    const char *what;
};

enum { MOST_COLUMNS = 9 };

static const struct json *cell_of(const struct json *optimization, const struct matrix *m, const char *name)
{
    const struct json *list = section_list(optimization, m->list);

    if (list != NULL)
        JSON_EACH (v, list) {
            if (strcmp(json_get_string(v, m->name, ""), name) == 0)
                return v;
        }
    return NULL;
}

/* NAN: nothing that can be told from zero. */
static double change_of(const struct json *cell, const char *key)
{
    struct estimate e = estimate_read(cell, key);

    if (!estimate_is_known(e) || fabs(e.mean) < 1e-12 || (e.hi > e.lo && e.lo <= 0 && e.hi >= 0))
        return NAN;
    return e.mean;
}

static size_t columns_of(const struct json *optimizations, const struct matrix *m, const char **names,
                         double *largest)
{
    size_t n = 0;

    *largest = 0;
    JSON_EACH (o, optimizations) {
        const struct json *list = section_list(o, m->list);

        if (list == NULL)
            continue;
        JSON_EACH (v, list) {
            const char *name = json_get_string(v, m->name, "");
            double change = change_of(v, m->key);
            size_t i = 0;

            while (i < n && strcmp(names[i], name) != 0)
                i++;
            if (i == n && n < MOST_COLUMNS)
                names[n++] = name;
            *largest = isfinite(change) ? fmax(*largest, fabs(change)) : *largest;
        }
    }
    return n;
}

static void write_cell(const struct review *r, const struct matrix *m, const struct json *cell,
                       double largest)
{
    double change = change_of(cell, m->key);
    char value[96], with_sign[100];

    if (!isfinite(change)) {
        doc_shade(r->d, 0, "\xc2\xb7");
        return;
    }
    label_value(value, sizeof value, change, m->style);
    snprintf(with_sign, sizeof with_sign, "%s%s", change > 0 ? "+" : "", value);
    doc_shade(r->d, -change / largest, with_sign); /* less taken is good */
}

static bool write_matrix(const struct review *r, const struct json *optimizations, const struct matrix *m)
{
    const char *names[MOST_COLUMNS], *heads[MOST_COLUMNS + 2] = {"<Optimization"};
    double largest;
    size_t n = columns_of(optimizations, m, names, &largest);

    if (n == 0 || !(largest > 0))
        return false;
    for (size_t i = 0; i < n; i++)
        heads[i + 1] = arena_printf(r->a, ">%s", names[i][0] != '\0' ? names[i] : "nobody");
    heads[n + 1] = NULL;
    doc_heading(r->d, m->what);
    doc_table(r->d, heads);
    JSON_EACH (o, optimizations) {
        doc_row(r->d);
        doc_cell(r->d, "%s", json_get_string(o, "name", "?"));
        for (size_t i = 0; i < n; i++)
            write_cell(r, m, cell_of(o, m, names[i]), largest);
    }
    doc_table_end(r->d);
    return true;
}

void section_owners(struct review *r)
{
    static const struct matrix matrices[] = {
        {"delta_by_owner", "owner", "usd_per_h", LABEL_USD_PER_H, "Each team's bill, per hour"},
        {"delta_by_owner", "owner", "busy", LABEL_NUMBER, "What each team keeps busy: cores, GPUs, servers"},
        {"delta_by_component", "component", "cpu_s", LABEL_S, "Work per unit in each component"},
        {"delta_by_component", "component", "bytes", LABEL_BYTES,
         "Bytes of disks per unit in each component"},
        {"delta_by_component", "component", "power_w", LABEL_WATT, "Power of each component"},
    };
    const struct json *optimizations = section_list(r->rank, "optimizations");
    bool any = false;

    if (!section_source(r, r->rank, "rank"))
        return;
    for (size_t i = 0; optimizations != NULL && i < sizeof matrices / sizeof matrices[0]; i++)
        any = write_matrix(r, optimizations, &matrices[i]) || any;
    if (any)
        doc_block(
            r->d, DOC_HINT,
            "Changes that each optimization makes, the whole pipeline running as fast as it then can. Blue: "
            "less is taken than before; orange: more. A dot is no change that can be told. Who is faster "
            "because another paid shows here.");
    else
        doc_block(r->d, DOC_MISSING,
                  "No optimization moves work or cost from one team or component to another.");
}
