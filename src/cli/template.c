#include "cli/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name, *file, *about, *next;
} templates[] = {
    {"etl", "etl-label-experiment.json",
     "what a new label costs in a lakehouse: full copy, delta, a month of experiments", "rank"},
    {"training", "rec-training.json", "logs to table to preprocessing workers to a trainer of 8 GPUs",
     "rank"},
    {"rag", "rag-serving.json", "questions embedded, searched, reranked and answered under open arrivals",
     "run"},
    {"agent", "agent-tools.json", "agents that call tools and a language model in rounds", "run"},
    {"full", "forest.json",
     "an estate: ETL, training, fine-tuning, ingestion and a RAG service on shared resources", "run"},
};
enum { TEMPLATES = sizeof templates / sizeof *templates };

static int find(const char *name, struct err *err)
{
    const char *names[TEMPLATES];
    struct text t = {0};

    for (int i = 0; i < TEMPLATES; i++) {
        names[i] = templates[i].name;
        if (strcmp(name, names[i]) == 0)
            return i;
    }
    text_add_suggestion(&t, name, names, TEMPLATES);
    err_set(err, ERR_USAGE, "init: no template \"%s\"; %s", name, t.s);
    text_free(&t);
    return -1;
}

/* The scenario from the source tree, or from where it was installed. */
static int read_shipped(const char *file, char **text, size_t *len, struct err *err)
{
    static const char *const places[] = {"scenarios", FORESIGHT_DATADIR "/scenarios"};
    char path[4096];

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "%s/%s", places[i], file);
        if (access(path, R_OK) == 0)
            return text_read_file(path, text, len, err);
    }
    return err_set(err, ERR_NOFILE,
                   "scenarios/%s: not found, neither here nor in %s; is foresight installed?", file,
                   FORESIGHT_DATADIR "/scenarios");
}

int template_write(const char *name, const char *out, bool force, struct err *err)
{
    int k = find(name, err), rc;
    char own[80], *text;
    size_t len;

    if (k < 0)
        return err->code;
    snprintf(own, sizeof own, "%s.json", templates[k].name);
    if (out == NULL)
        out = own;
    if (strcmp(out, "-") != 0 && access(out, F_OK) == 0 && !force)
        return err_set(err, ERR_USAGE, "%s: exists already; --force replaces it, -o FILE writes another",
                       out);
    TRY(read_shipped(templates[k].file, &text, &len, err));
    rc = text_write_file(out, text, len, err);
    free(text);
    if (rc == 0 && strcmp(out, "-") != 0)
        printf("%s: %s\n\nNext: foresight check %s, then foresight %s %s; `foresight explain` tells what a "
               "key or\n"
               "parameter means, and what nobody measured stands under \"assumed\".\n",
               out, templates[k].about, out, templates[k].next, out);
    return rc;
}
