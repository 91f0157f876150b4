#include "cli/cmd.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/units.h"
#include "cli/print.h"
#include "store/trace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Cuts text to what fits into a line of 80 columns; control bytes become '?'. */
static const char *fitted(char *buf, size_t width, const char *text)
{
    size_t n = 0;

    for (; text[n] != '\0' && n < width; n++)
        buf[n] = (unsigned char)text[n] < 0x20 || text[n] == 0x7f ? '?' : text[n];
    if (text[n] != '\0')
        for (n -= 3; n > 0 && (text[n] & 0xc0) == 0x80;) /* not within a UTF-8 character */
            n--;
    strcpy(buf + n, text[n] != '\0' ? "..." : "");
    return buf;
}

/* Two lines: what kind of trace under which number and name, and what is in it. */
static void print_trace(const struct trace_row *t)
{
    const char *what = strcmp(t->info.kind, "exec") == 0        ? "an execution"
                       : strcmp(t->info.kind, "simulated") == 0 ? "a simulation"
                                                                : "operators alone";
    char name[80], note[80], sentence[400];

    printf("%5lld  %-9s  %-22s %9lld  %7lld  %s\n", (long long)t->id, t->info.kind, t->format,
           (long long)t->rows, (long long)t->suspects, fitted(name, 19, t->info.name));
    if (t->info.scenario[0] == '\0')
        snprintf(sentence, sizeof sentence, "%s", t->info.note);
    else
        snprintf(sentence, sizeof sentence, "%s of the scenario %s%s%s",
                 what, t->info.scenario,
                 t->info.note[0] != '\0' ? ", " : "", t->info.note);
    if (sentence[0] != '\0')
        printf("       %s\n", fitted(note, 73, sentence));
}

static int list(const struct args *args, struct store *s, struct arena *a, struct err *err)
{
    struct json *doc = json_new_object(), *out = json_set_array(doc, "traces");
    struct trace_row *rows;
    size_t n;
    int rc = trace_list(s, NULL, a, &rows, &n, err);

    if (rc == 0 && n > 0 && !args->json)
        printf("%5s  %-9s  %-22s %9s  %7s  %s\n", "id", "kind", "format", "rows", "suspect", "name");
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct json *o = json_push(out, json_new_object());

        json_set_number(o, "id", (double)rows[i].id);
        json_set_string(o, "name", rows[i].info.name);
        json_set_string(o, "kind", rows[i].info.kind);
        json_set_string(o, "scenario", rows[i].info.scenario);
        json_set_string(o, "scenario_sha256", rows[i].info.scenario_sha256);
        json_set_string(o, "created", rows[i].created);
        json_set_number(o, "spans", (double)rows[i].spans);
        json_set_string(o, "note", rows[i].info.note);
        json_set_string(o, "trace_format", rows[i].format);
        json_set_number(o, "rows", (double)rows[i].rows);
        json_set_number(o, "suspects", (double)rows[i].suspects);
        if (!args->json)
            print_trace(&rows[i]);
    }
    if (rc == 0 && args->json)
        print_document(doc);
    else
        json_free(doc);
    return rc;
}

static void print_op(const struct trace_op *o)
{
    char cpu[40], wall[40];

    printf("  %-10s %-16s %-28s %8lld %12s %12s", o->stage, o->op, o->variant, (long long)o->n,
           isfinite(o->cpu_s) ? units_format(cpu, sizeof cpu, o->cpu_s / (double)o->n, UNIT_S) : "-",
           units_format(wall, sizeof wall, o->wall_mean_s, UNIT_S));
    if (isfinite(o->items) && o->items > 0 && isfinite(o->cpu_s))
        printf(" %12s", units_format(cpu, sizeof cpu, o->cpu_s / o->items, UNIT_S));
    putchar('\n');
}

static int show(const struct args *args, struct store *s, int64_t id, struct arena *a, struct err *err)
{
    struct json *doc = json_new_object(), *out = json_set_array(doc, "operators");
    struct trace_op *rows;
    size_t n;
    int rc = trace_summary(s, id, a, &rows, &n, err);

    if (rc == 0 && !args->json)
        printf("  %-10s %-16s %-28s %8s %12s %12s %12s\n", "stage", "operator", "variant", "spans", "cpu",
               "wall", "cpu per item");
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct json *o = json_push(out, json_new_object());

        json_set_string(o, "stage", rows[i].stage);
        json_set_string(o, "op", rows[i].op);
        json_set_string(o, "variant", rows[i].variant);
        json_set_number(o, "n", (double)rows[i].n);
        json_set_number(o, "cpu_s", rows[i].cpu_s);
        json_set_number(o, "wall_mean_s", rows[i].wall_mean_s);
        json_set_number(o, "items", rows[i].items);
        json_set_number(o, "bytes_in", rows[i].bytes_in);
        json_set_number(o, "bytes_out", rows[i].bytes_out);
        if (!args->json)
            print_op(&rows[i]);
    }
    if (rc == 0 && args->json)
        print_document(doc);
    else
        json_free(doc);
    return rc;
}

/* To a temporary name first: never half a file. */
static int export_to(struct store *s, int64_t id, enum trace_format format, const char *path, struct err *err)
{
    char *temporary;
    FILE *f;
    int rc;

    if (strcmp(path, "-") == 0)
        return trace_export(s, id, format, stdout, err);
    temporary = xmalloc(strlen(path) + 8);
    sprintf(temporary, "%s.part", path);
    f = fopen(temporary, "w");
    rc = f != NULL ? trace_export(s, id, format, f, err) : err_io(err, "write", path);
    if (f != NULL && (fflush(f) != 0 || ferror(f)) && rc == 0)
        rc = err_io(err, "write", path);
    if (f != NULL)
        fclose(f);
    if (rc == 0 && rename(temporary, path) != 0)
        rc = err_io(err, "write", path);
    if (rc != 0)
        unlink(temporary);
    free(temporary);
    return rc;
}

static int export_trace(const struct args *args, struct store *s, int64_t id, struct err *err)
{
    const char *format = args_get(args, "format", "csv");

    if (strcmp(format, "csv") != 0 && strcmp(format, "chrome") != 0)
        return err_set(err, ERR_USAGE, "--format %s: allowed are csv and chrome", format);
    return export_to(s, id, strcmp(format, "csv") == 0 ? TRACE_CSV : TRACE_CHROME,
                     args_get(args, "output", "-"), err);
}

static int on_one(const struct args *args, struct store *s, const char *verb, struct arena *a,
                  struct err *err)
{
    int64_t id;

    TRY(trace_find(s, args->words[1], &id, err));
    if (strcmp(verb, "show") == 0)
        return show(args, s, id, a, err);
    if (strcmp(verb, "export") == 0)
        return export_trace(args, s, id, err);
    return trace_remove(s, id, err);
}

static int run(const struct args *args, struct err *err)
{
    static const char *const verbs[] = {"list", "show", "export", "rm"};
    const char *verb = args->words_n > 0 ? args->words[0] : "list";
    struct arena *a;
    struct store *s;
    int k = 0, rc;

    while (k < 4 && strcmp(verbs[k], verb) != 0)
        k++;
    if (k == 4 || (k > 0 && args->words_n < 2))
        return err_set(err, ERR_USAGE, "trace: write list, show ID, export ID or rm ID");
    TRY(store_open(args->store, k == 3 ? STORE_WRITE : STORE_READ, &s, err));
    a = arena_new();
    rc = k == 0 ? list(args, s, a, err) : on_one(args, s, verb, a, err);
    arena_free(a);
    store_close(s);
    return rc;
}

const struct cmd cmd_trace = {
    .name = "trace",
    .args = "list|show|export|rm [ID]",
    .help = "what was measured: operators and spans; export as CSV or Chrome trace JSON",
    .group = "Look into the store",
    .about = "ID is a number from the list, a name, latest, or latest:KIND (exec, profile, simulated). `export --format "
             "chrome`\n"
             "writes a file for chrome://tracing and Perfetto.",
    .options = "format,output",
    .examples = "  foresight trace show latest:exec\n  foresight trace export latest:exec --format chrome -o "
                "trace.json\n",
    .least = 0,
    .most = 2,
    .run = run,
};
