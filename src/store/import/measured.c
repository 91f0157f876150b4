#include "store/import/measured.h"

#include "store/import/when.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 64 };

bool measured_begins(const struct import_head *h, const struct measured_table *t)
{
    return t->header != NULL && strncmp(h->text, t->header, strlen(t->header)) == 0;
}

static void read_list(struct csv *c, const struct measured_column *k, int place)
{
    const char *p = csv_text(c, place);
    char *end;

    for (int i = 0; *p != '\0'; i++) {
        double v = strtod(p, &end);

        if (end == p || (*end != ';' && *end != '\0') || !isfinite(v)) {
            c->bad = place + 1;
            c->why = "not a list of numbers with ; between them";
            return;
        }
        import_figure(c->im, k->name, i, v * k->scale);
        p = *end == ';' ? end + 1 : end;
    }
}

static void read_time(struct csv *c, const struct measured_column *k, int place, int64_t *origin_ns)
{
    const char *text = csv_text(c, place);
    int64_t ns;

    if (*text == '\0')
        return;
    if (!when_parse(text, &ns)) {
        c->bad = place + 1;
        c->why = "no point in time such as 2024-06-06 12:18:46.110";
        return;
    }
    if (*origin_ns == IMPORT_NONE)
        import_origin(c->im, *origin_ns = ns);
    import_figure(c->im, k->name, NAN, (double)(ns - *origin_ns) / 1e9);
}

static void read_column(struct csv *c, const struct measured_column *k, int place, int64_t *origin_ns)
{
    double v;

    switch (k->kind) {
    case TEXT:
        import_setting(c->im, k->name, csv_text(c, place));
        break;
    case PRIVATE:
        import_setting(c->im, k->name, import_word(c->im, csv_text(c, place)));
        break;
    case NUMBER:
        import_setting_number(c->im, k->name, csv_real(c, place) * k->scale);
        break;
    case FIGURE:
    case POSITIVE:
        v = csv_real(c, place);
        import_figure(c->im, k->name, NAN, k->kind == POSITIVE && v <= 0 ? NAN : v * k->scale);
        break;
    case LIST:
        read_list(c, k, place);
        break;
    case TIME:
        read_time(c, k, place, origin_ns);
        break;
    default:
        break;
    }
}

static int rows(struct csv *c, const struct measured_table *t, struct err *err)
{
    int place[COLUMNS_MAX], rc;
    int64_t origin_ns = IMPORT_NONE;
    bool stored;

    for (int i = 0; t->columns[i].kind != COLUMN_END; i++)
        place[i] = csv_column(c, t->columns[i].csv);
    TRY(csv_end_columns(c, err));
    while ((rc = csv_next(c, err)) > 0) {
        import_measure(c->im, t->subject);
        for (int i = 0; t->columns[i].kind != COLUMN_END; i++)
            if (place[i] >= 0)
                read_column(c, &t->columns[i], place[i], &origin_ns);
        if (!csv_good(c, &rc, err)) {
            TRY(rc);
            continue;
        }
        TRY(import_measure_end(c->im, &stored, err));
        if (stored)
            import_keep(c->im);
        else
            import_skip(c->im, "no figure in it");
    }
    return rc;
}

int measured_import(struct import *im, const struct measured_table *t, struct err *err)
{
    struct csv c;
    int rc = csv_open(&c, im, t->names, err);

    if (rc == 0)
        rc = rows(&c, t, err);
    csv_close(&c);
    return rc;
}
