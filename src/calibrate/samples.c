#include "calibrate/samples.h"

#include "base/arena.h"
#include "store/view.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const op_size_names[OP_SIZES] = {"tokens", "batch", "chunk", "context", "bytes"};

/* --------------------------------------------------------------- filter */

/* Cuts the next part off at any of `ends`; blanks around it go.  False at the end. */
static bool next_part(const char **p, const char *ends, char *out, size_t size)
{
    size_t n;

    while (**p == ' ')
        (*p)++;
    if (**p == '\0')
        return false;
    n = strcspn(*p, ends);
    snprintf(out, size, "%.*s", (int)n, *p);
    *p += n + ((*p)[n] != '\0');
    for (n = strlen(out); n > 0 && out[n - 1] == ' '; n--)
        out[n - 1] = '\0';
    return true;
}

int samples_check_filter(const char *filter, struct err *err)
{
    char part[256];

    for (const char *p = filter; p != NULL && next_part(&p, ",;", part, sizeof part);)
        if (strchr(part, '=') == NULL || part[0] == '=')
            return err_set(err, ERR_USAGE, "--where %s: \"%s\" is no NAME=VALUE, as in op=gemm,n=4096", filter,
                           part);
    return 0;
}

static bool holds(const char *alternative, named_fn *named, const void *row)
{
    char part[256], room[256];

    for (const char *p = alternative; next_part(&p, ",", part, sizeof part);) {
        char *eq = strchr(part, '=');
        const char *found;

        if (eq == NULL)
            return false;
        *eq = '\0';
        found = named(row, part, room, sizeof room);
        if (found == NULL || fnmatch(eq + 1, found, 0) != 0)
            return false;
    }
    return true;
}

bool samples_match(const char *filter, named_fn *named, const void *row)
{
    char alternative[1024];

    if (filter == NULL)
        return true;
    for (const char *p = filter; next_part(&p, ";", alternative, sizeof alternative);)
        if (holds(alternative, named, row))
            return true;
    return false;
}

const char *samples_variant(const char *variant, const char *key, char *room, size_t size)
{
    char part[256];

    for (const char *p = variant; next_part(&p, ",", part, sizeof part);) {
        char *eq = strchr(part, '=');

        if (eq == NULL)
            continue;
        *eq = '\0';
        if (strcmp(part, key) == 0) {
            snprintf(room, size, "%s", eq + 1);
            return room;
        }
    }
    return "";
}

static const char *operator_named(const void *row, const char *name, char *room, size_t size)
{
    const struct op_samples *g = row;
    const char *found;

    if (strcmp(name, "op") == 0)
        return g->op;
    if (strcmp(name, "hardware") == 0)
        return g->hardware;
    if (strcmp(name, "model") == 0)
        return g->model;
    if (strcmp(name, "variant") == 0)
        return g->variant;
    if (strcmp(name, "devices") == 0) {
        snprintf(room, size, "%d", g->devices);
        return room;
    }
    found = samples_variant(g->variant, name, room, size);
    return found[0] != '\0' ? found : NULL;
}

/* ------------------------------------------------------------ operators */

enum { C_HARDWARE, C_MODEL, C_OP, C_VARIANT, C_DEVICES, C_SEQ, C_TIME, C_SIZE, COLUMNS = C_SIZE + OP_SIZES };

/*
 * Decodes beside a prefill: what the variant tells (decodes=4,decode_context=1024) are sizes.  The chunk's own
 * context is none of them: what it adds is the chunk's own, and a prefill alone tells it.
 */
static bool is_mixed(const struct view_column *c, size_t i)
{
    char room[64];

    return samples_variant(c[C_VARIANT].text[i], "decode_context", room, sizeof room)[0] != '\0';
}

static void unfold_mixed(struct view_column *c, size_t i)
{
    char room[64];

    if (c[C_SIZE + SIZE_CONTEXT].real[i] > 0)
        c[C_TIME].real[i] = NAN;
    c[C_SIZE + SIZE_BATCH].real[i] = strtod(samples_variant(c[C_VARIANT].text[i], "decodes", room, sizeof room), NULL);
    c[C_SIZE + SIZE_CONTEXT].real[i] =
        strtod(samples_variant(c[C_VARIANT].text[i], "decode_context", room, sizeof room), NULL);
    c[C_VARIANT].text[i] = "";
}

static struct op_samples of_row(const struct view_column *c, size_t i)
{
    return (struct op_samples){.hardware = c[C_HARDWARE].text[i],
                               .model = c[C_MODEL].text[i],
                               .op = c[C_OP].text[i],
                               .variant = c[C_VARIANT].text[i],
                               .devices = (int)c[C_DEVICES].real[i]};
}

static bool same_operator(const struct op_samples *a, const struct op_samples *b)
{
    return a->devices == b->devices && strcmp(a->op, b->op) == 0 && strcmp(a->variant, b->variant) == 0 &&
           strcmp(a->model, b->model) == 0 && strcmp(a->hardware, b->hardware) == 0;
}

/* Which operator each row belongs to; rows that the filter leaves out belong to -1. */
struct membership {
    struct op_samples *groups;
    size_t groups_n;
    long *of;
};

static long find_group(struct membership *m, const struct op_samples *key, long near)
{
    if (near >= 0 && same_operator(&m->groups[near], key))
        return near;
    for (size_t k = 0; k < m->groups_n; k++)
        if (same_operator(&m->groups[k], key))
            return (long)k;
    return -1;
}

static void sort_rows(const struct view_column *c, size_t rows, const char *filter, struct arena *a,
                      struct membership *m)
{
    long near = -1;

    m->of = arena_array(a, rows + 1, sizeof *m->of);
    m->groups = arena_array(a, rows + 1, sizeof *m->groups);
    for (size_t i = 0; i < rows; i++) {
        struct op_samples key = of_row(c, i);

        m->of[i] = -1;
        if (!(c[C_TIME].real[i] > 0))
            continue;
        near = find_group(m, &key, near);
        if (near < 0 && samples_match(filter, operator_named, &key)) {
            near = (long)m->groups_n;
            m->groups[m->groups_n++] = key;
        }
        m->of[i] = near;
        if (near >= 0)
            m->groups[near].n++;
    }
}

static void fill_groups(const struct view_column *c, size_t rows, struct arena *a, struct membership *m)
{
    for (size_t k = 0; k < m->groups_n; k++) {
        struct op_samples *g = &m->groups[k];

        g->time_s = arena_array(a, g->n, sizeof *g->time_s);
        for (int s = 0; s < OP_SIZES; s++)
            g->size[s] = arena_array(a, g->n, sizeof *g->size[s]);
        g->n = 0;
    }
    for (size_t i = 0; i < rows; i++) {
        struct op_samples *g = m->of[i] >= 0 ? &m->groups[m->of[i]] : NULL;

        if (g == NULL)
            continue;
        g->last = (int64_t)c[C_SEQ].real[i];
        if (g->n == 0)
            g->first = g->last;
        for (int s = 0; s < OP_SIZES; s++)
            g->size[s][g->n] = c[C_SIZE + s].real[i];
        g->time_s[g->n++] = c[C_TIME].real[i];
    }
}

static bool known(const struct op_samples *g, enum op_size s)
{
    for (size_t i = 0; i < g->n; i++)
        if (!isfinite(g->size[s][i]))
            return false;
    return g->n > 0;
}

static bool varies(const struct op_samples *g, enum op_size s)
{
    for (size_t i = 1; i < g->n; i++)
        if (g->size[s][i] != g->size[s][0])
            return true;
    return false;
}

static void find_axes(struct op_samples *g)
{
    static const enum op_size collective[] = {SIZE_BYTES}, prefill[] = {SIZE_CHUNK, SIZE_CONTEXT, SIZE_BATCH},
                              decode[] = {SIZE_BATCH, SIZE_CONTEXT}, linear[] = {SIZE_TOKENS};
    const enum op_size *try = linear;
    int n = 1;

    if (known(g, SIZE_BYTES)) {
        try = collective;
    } else if (known(g, SIZE_CHUNK) && varies(g, SIZE_CHUNK)) {
        try = prefill;
        n = 3;
    } else if (known(g, SIZE_BATCH) && varies(g, SIZE_BATCH)) {
        try = decode;
        n = 2;
    }
    for (int k = 0; k < n; k++)
        if (known(g, try[k]) && varies(g, try[k]))
            g->axis[g->axes_n++] = try[k];
    if (g->axes_n == 0 && known(g, try[0]))
        g->axis[g->axes_n++] = try[0];
}

int samples_operators(struct store *s, int64_t trace_id, const char *filter, struct arena *a,
                      struct op_samples **out, size_t *n, struct err *err)
{
    struct view_column c[COLUMNS] = {{.name = "hardware"}, {.name = "model"}, {.name = "op"},
                                     {.name = "variant"},  {.name = "devices"}, {.name = "seq"},
                                     {.name = "time_s"}};
    struct membership m = {0};
    size_t rows;

    for (int k = 0; k < OP_SIZES; k++)
        c[C_SIZE + k].name = op_size_names[k];
    TRY(view_load(s, "operator_costs", trace_id, c, COLUMNS, a, &rows, err));
    for (size_t i = 0; i < rows; i++)
        if (is_mixed(c, i))
            unfold_mixed(c, i);
    sort_rows(c, rows, filter, a, &m);
    fill_groups(c, rows, a, &m);
    for (size_t k = 0; k < m.groups_n; k++)
        find_axes(&m.groups[k]);
    *out = m.groups;
    *n = m.groups_n;
    return 0;
}

const char *samples_describe(const struct op_samples *g, struct arena *a)
{
    return arena_printf(a, "op=%s,devices=%d%s%s", g->op, g->devices, g->variant[0] != '\0' ? "," : "",
                        g->variant);
}

/* --------------------------------------------------------- measurements */

static const char *setting_named(const void *row, const char *name, char *room, size_t size)
{
    const struct measured_row *m = row;
    double number = measured_number(m, name);

    if (strcmp(name, "subject") == 0)
        return m->subject;
    if (isfinite(number)) {
        snprintf(room, size, "%.15g", number);
        return room;
    }
    return measured_text(m, name)[0] != '\0' ? measured_text(m, name) : NULL;
}

static bool is_listed(const char *const *names, const char *name)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

/* Files of a sweep are named after what they vary: conc4, conc8. */
static const char *without_count(const char *text, struct arena *a)
{
    const char *at = strstr(text, "conc");

    if (at == NULL)
        return text;
    return arena_printf(a, "%.*s%s", (int)(at - text), text, at + 4 + strspn(at + 4, "0123456789"));
}

static const char *group_key(const struct measured_row *m, const char *const *names, bool only, struct arena *a)
{
    char key[1024] = "";
    size_t len = 0;

    for (size_t i = 0; i < m->settings_n && len < sizeof key; i++) {
        const struct measured_setting *s = &m->settings[i];
        const char *comma = len > 0 ? "," : "";

        if (is_listed(names, s->name) != only)
            continue;
        if (s->text != NULL)
            len += (size_t)snprintf(key + len, sizeof key - len, "%s%s=%s", comma, s->name, without_count(s->text, a));
        else
            len += (size_t)snprintf(key + len, sizeof key - len, "%s%s=%.15g", comma, s->name, s->number);
    }
    return arena_strdup(a, key);
}

static struct measured_group *measured_group(struct measured_group *g, size_t *n, const char *key)
{
    for (size_t i = *n; i-- > 0;)
        if (strcmp(g[i].key, key) == 0)
            return &g[i];
    g[*n] = (struct measured_group){.key = key};
    return &g[(*n)++];
}

static bool key_has(const char *key, const char *part)
{
    char other[256];

    for (const char *p = key; next_part(&p, ",", other, sizeof other);)
        if (strcmp(other, part) == 0)
            return true;
    return false;
}

static const char *shortened(const struct measured_group *g, size_t n, const char *key, struct arena *a)
{
    char part[256];
    const char *kept = "";

    for (const char *p = key; next_part(&p, ",", part, sizeof part);) {
        size_t have = 0;

        for (size_t i = 0; i < n; i++)
            have += key_has(g[i].key, part);
        if (have < n)
            kept = arena_printf(a, "%s%s%s", kept, kept[0] != '\0' ? "," : "", part);
    }
    return kept;
}

int samples_measured(struct store *s, int64_t trace_id, const char *subject, const char *filter,
                     const char *const *names, bool only, struct arena *a, struct measured_group **out, size_t *n,
                     struct err *err)
{
    struct measured_row *rows;
    size_t rows_n;

    TRY(measured_load(s, trace_id, a, &rows, &rows_n, err));
    *out = arena_array(a, rows_n + 1, sizeof **out);
    *n = 0;
    for (size_t i = 0; i < rows_n; i++) {
        struct measured_group *g;

        if (strcmp(rows[i].subject, subject) != 0 || !samples_match(filter, setting_named, &rows[i]))
            continue;
        g = measured_group(*out, n, group_key(&rows[i], names, only, a));
        if (g->n == 0 || (g->n & (g->n - 1)) == 0) {
            const struct measured_row **more = arena_array(a, g->n == 0 ? 1 : 2 * g->n, sizeof *more);

            if (g->n > 0)
                memcpy(more, g->row, g->n * sizeof *more);
            g->row = more;
        }
        g->row[g->n++] = &rows[i];
    }
    for (size_t i = 0; i < *n; i++)
        (*out)[i].short_ = shortened(*out, *n, (*out)[i].key, a);
    return 0;
}
