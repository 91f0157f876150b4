#include "base/arena.h"
#include "base/json.h"
#include "report/sections.h"

#include <string.h>

enum { DOCUMENTS = 6 };

/* Everything that was shown, in the order of the commands; returns how many. */
static size_t documents(const struct review *r, const struct json **list, size_t most)
{
    const struct json *all[DOCUMENTS] = {r->run, r->rank, r->details, r->search, r->plan, r->validate};
    size_t n = 0;

    for (size_t i = 0; i < DOCUMENTS && n < most; i++)
        if (all[i] != NULL)
            list[n++] = all[i];
    for (size_t i = 0; i < r->compared_n && n < most; i++)
        if (r->compared[i] != r->run)
            list[n++] = r->compared[i];
    return n;
}

/* Results of different contents of the scenario must not be read side by side without a word. */
static void warn_of_mixture(const struct review *r, const struct json **list, size_t n)
{
    const char *first = NULL;

    for (size_t i = 0; i < n; i++) {
        const char *sha = json_get_string(list[i], "scenario_sha256", NULL);

        if (sha != NULL && first != NULL && strcmp(sha, first) != 0) {
            doc_block(r->d, DOC_WARNING, "The results come from different contents of the scenario file%s",
                      r->compared_n > 1 ? "." : "; run the commands again before comparing them.");
            return;
        }
        if (first == NULL)
            first = sha;
    }
}

static void document_table(const struct review *r, const struct json **list, size_t n)
{
    static const char *const heads[] = {
        "<Command", "<Version", ">Seed", ">Replications", "<Scenario content (SHA-256)", NULL};

    doc_table(r->d, heads);
    for (size_t i = 0; i < n; i++) {
        double replications = json_get_number(list[i], "replications", 0);

        doc_row(r->d);
        doc_cell(r->d, "foresight %s", json_get_string(list[i], "command", "?"));
        doc_cell(r->d, "%s", json_get_string(list[i], "version", "?"));
        doc_cell(r->d, "%.0f", json_get_number(list[i], "seed", 0));
        if (replications > 0)
            doc_cell(r->d, "%.0f", replications);
        else
            doc_cell(r->d, "\xe2\x80\x93");
        doc_cell(r->d, "%s", json_get_string(list[i], "scenario_sha256", "?"));
    }
    doc_table_end(r->d);
}

static void provenance_list(const struct review *r, const char *key, const char *title, const char *none)
{
    const struct json *provenance = section_list(r->run != NULL ? r->run : r->rank, "provenance");
    const struct json *list = section_list(provenance, key);

    doc_heading(r->d, title);
    if (list == NULL) {
        doc_block(r->d, DOC_PARA, "%s", none);
        return;
    }
    JSON_EACH (v, list)
        doc_item(r->d, "%s", section_joined(r, v));
}

static void warning_table(const struct review *r, const struct json **list, size_t n)
{
    static const char *const heads[] = {"<Command", "<Place", "<Warning", NULL};
    size_t warnings = 0;

    for (size_t i = 0; i < n; i++)
        warnings += section_list(list[i], "warnings") != NULL;
    doc_heading(r->d, "Warnings, and where predictions leave what was measured");
    if (warnings == 0) {
        doc_block(r->d, DOC_PARA, "None.");
        return;
    }
    doc_table(r->d, heads);
    for (size_t i = 0; i < n; i++) {
        if (section_list(list[i], "warnings") == NULL)
            continue;
        JSON_EACH (w, json_get(list[i], "warnings")) {
            doc_row(r->d);
            doc_cell(r->d, "%s", json_get_string(list[i], "command", "?"));
            doc_cell(r->d, "%s", json_get_string(w, "path", ""));
            doc_cell(r->d, "%s", json_get_string(w, "text", ""));
        }
    }
    doc_table_end(r->d);
}

void section_provenance(struct review *r)
{
    const struct json *list[DOCUMENTS + 16];
    size_t n = documents(r, list, sizeof list / sizeof list[0]);

    if (n == 0) {
        section_source(r, NULL, "run");
        return;
    }
    warn_of_mixture(r, list, n);
    document_table(r, list, n);
    provenance_list(r, "calibrations", "Calibrated from measurements",
                    "Nothing: no parameter of this scenario was fitted.");
    provenance_list(r, "recordings", "Recorded requests that are replayed", "None.");
    provenance_list(r, "assumed", "Assumed, not measured", "Nothing was marked as assumed.");
    warning_table(r, list, n);
}
