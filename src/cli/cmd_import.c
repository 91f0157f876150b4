#include "cli/cmd.h"

#include "base/arena.h"
#include "base/json.h"
#include "cli/print.h"
#include "store/import/import.h"

#include <stdio.h>
#include <string.h>

static void add_counts(struct json *file, const char *list, const char *what, const char *count,
                       const struct import_count *c, size_t n)
{
    struct json *out = json_set_array(file, list);

    for (size_t i = 0; i < n; i++) {
        struct json *o = json_push(out, json_new_object());

        json_set_string(o, what, c[i].what);
        json_set_number(o, count, (double)c[i].n);
        if (c[i].line > 0)
            json_set_number(o, "first_line", (double)c[i].line);
    }
}

static void add_report(struct json *files, const struct import_report *r)
{
    struct json *o = json_push(files, json_new_object()), *suspect;

    json_set_string(o, "file", r->file);
    json_set_string(o, "format", r->format);
    json_set_number(o, "read", (double)r->read);
    json_set_number(o, "kept", (double)r->kept);
    add_counts(o, "skipped", "why", "count", r->skipped, r->skipped_n);
    json_set_number(o, "trace_id", (double)r->trace_id);
    suspect = json_set_array(o, "suspect");
    for (size_t i = 0; i < r->suspect_n; i++)
        json_push(suspect, json_new_string(r->suspect[i].what));
    json_set_string(o, "trace", r->trace);
    json_set_number(o, "rows", (double)r->rows);
    json_set_bool(o, "already_stored", r->known);
    add_counts(o, "unknown_keys", "key", "count", r->unknown, r->unknown_n);
}

static void add_refusal(struct json *files, const char *path, const struct err *err)
{
    struct json *o = json_push(files, json_new_object());

    json_set_string(o, "file", path);
    json_set_string(o, "refused", err->text);
}

static void print_counts(const char *head, const struct import_count *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("    %-8s %8lld  %s\n", head, (long long)c[i].n, c[i].what);
}

static void print_report(const struct import_report *r)
{
    printf("%s: %s, %lld of %lld records kept, trace %lld \"%s\"%s\n", r->file, r->format, (long long)r->kept,
           (long long)r->read, (long long)r->trace_id, r->trace, r->known ? " (already in the store)" : "");
    print_counts("skipped", r->skipped, r->skipped_n);
    print_counts("unknown", r->unknown, r->unknown_n);
    print_counts("suspect", r->suspect, r->suspect_n);
}

/* A file that is refused does not keep the others out; the first refusal is what the command ends with. */
static int import_all(const struct args *args, struct store *s, const struct import_options *options,
                      struct json *files, struct err *err)
{
    int refused = 0;

    for (int i = 0; i < args->words_n; i++) {
        struct arena *a = arena_new();
        struct import_report r;
        struct err one = {0};
        int rc = import_file(s, args->words[i], options, a, &r, &one);

        if (rc == 0) {
            add_report(files, &r);
            if (!args->json)
                print_report(&r);
        } else {
            add_refusal(files, args->words[i], &one);
            if (refused++ == 0)
                *err = one;
            else if (!args->quiet)
                fprintf(stderr, "foresight: %s\n", one.text);
        }
        arena_free(a);
        if (rc == ERR_IO || rc == ERR_USAGE) /* the next file would fail the same way */
            break;
    }
    return refused > 0 ? err->code : 0;
}

static int run(const struct args *args, struct err *err)
{
    struct import_options options = {.format = args_get(args, "format", NULL),
                                     .map = args_get(args, "map", NULL),
                                     .name = args_get(args, "name", NULL),
                                     .strict = args_has(args, "strict"),
                                     .anonymize = args_has(args, "anonymize"),
                                     .keep_text = args_has(args, "keep-text")};
    struct json *doc;
    struct store *s;
    int rc;

    if (options.name != NULL && args->words_n > 1)
        return err_set(err, ERR_USAGE, "import: --name names one trace, but %d files are given",
                       args->words_n);
    TRY(store_open(args->store, STORE_WRITE, &s, err));
    doc = json_new_object();
    json_set_string(doc, "format", "foresight.result");
    json_set_string(doc, "format_version", "1.0");
    json_set_string(doc, "command", "import");
    json_set_string(doc, "version", PACKAGE_VERSION);
    rc = import_all(args, s, &options, json_set_array(doc, "files"), err);
    store_close(s);
    if (args->json)
        print_document(doc);
    else
        json_free(doc);
    return rc;
}

static void print_formats(void)
{
    printf("\nFormats:\n");
    for (size_t i = 0; importers[i] != NULL; i++)
        printf("  %-22s %s\n  %-22s   %s\n", importers[i]->name, importers[i]->help, "", importers[i]->units);
}

const struct cmd cmd_import = {
    .name = "import",
    .args = "FILE...",
    .help = "take real traces into the store; the format is found from the content",
    .group = "Measure",
    .about = "gzip and zstd are read as they are. A file is taken in once, however often it is given; an "
             "import that "
             "was\n"
             "stopped goes on where it was. Units are converted to SI. What is malformed is counted, or "
             "refused with\n"
             "--strict. Prompts and credentials are never stored; --keep-text keeps prompts.\n"
             "docs/import.md lists every format and where its fields go.",
    .options = "format,map,name,strict,anonymize,keep-text",
    .examples = "  foresight import AzureLLMInferenceTrace_conv.csv worker0.pt.trace.json.gz\n"
                "  foresight import log.csv --map 'requests: arrival_s = ts ms, input_tokens = prompt'\n",
    .least = 1,
    .most = -1,
    .run = run,
    .print_more = print_formats,
};
