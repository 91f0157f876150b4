/*
 * replay_case.c - reading and checking a case file.
 */
#include "study/replay.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

const char *const replay_regime_names[] = {"below", "near", "beyond", NULL};

static const char *const keys[] = {
    "format",          "case",   "title",           "kind",     "source", "regime",   "counted",
    "why_not_counted", "files",  "calibrates_from", "predicts", "naive",  "interval", "assumptions",
    "lacking",         "params", "figures",         NULL};

static int bad(const char *path, const char *where, const char *needed, const struct json *found,
               struct err *err)
{
    char brief[60];

    if (found == NULL)
        return err_set(err, ERR_SCENARIO, "%s: %s: missing; %s is needed", path, where, needed);
    return err_set(err, ERR_SCENARIO, "%s: %s: found %s; %s is needed", path, where,
                   json_brief(found, brief, sizeof brief), needed);
}

static int check_keys(const char *path, const struct json *spec, struct err *err)
{
    size_t n = sizeof keys / sizeof *keys - 1;

    JSON_EACH (v, spec) {
        struct text t = {0};
        size_t k = 0;

        while (k < n && strcmp(keys[k], json_key(v)) != 0)
            k++;
        if (k < n)
            continue;
        text_add_suggestion(&t, json_key(v), keys, n);
        err_set(err, ERR_SCENARIO, "%s: $: unknown key \"%.60s\"; %s", path, json_key(v), t.s);
        text_free(&t);
        return err->code;
    }
    return 0;
}

static int word(const char *path, const struct json *spec, const char *key, bool needed, struct arena *a,
                const char **out, struct err *err)
{
    const struct json *v = json_get(spec, key);
    const char *s = json_string(v);
    char where[60];

    *out = NULL;
    if (v == NULL && !needed)
        return 0;
    snprintf(where, sizeof where, "$.%s", key);
    if (s == NULL || s[0] == '\0')
        return bad(path, where, "a text", v, err);
    *out = arena_strdup(a, s);
    return 0;
}

static int read_words(const char *path, const struct json *spec, struct arena *a, struct replay_case *c,
                      struct err *err)
{
    TRY(word(path, spec, "case", true, a, &c->name, err));
    TRY(word(path, spec, "title", true, a, &c->title, err));
    TRY(word(path, spec, "kind", true, a, &c->kind, err));
    TRY(word(path, spec, "source", true, a, &c->source, err));
    TRY(word(path, spec, "calibrates_from", true, a, &c->calibrates_from, err));
    TRY(word(path, spec, "predicts", true, a, &c->predicts, err));
    TRY(word(path, spec, "naive", true, a, &c->naive, err));
    TRY(word(path, spec, "interval", true, a, &c->interval, err));
    return word(path, spec, "lacking", false, a, &c->lacking, err);
}

static int read_counted(const char *path, const struct json *spec, struct arena *a, struct replay_case *c,
                        struct err *err)
{
    const struct json *counted = json_get(spec, "counted");

    if (counted == NULL || json_type(counted) != JSON_BOOL)
        return bad(path, "$.counted", "true or false", counted, err);
    TRY(word(path, spec, "why_not_counted", !json_bool(counted), a, &c->why_not_counted, err));
    if (json_bool(counted) && c->why_not_counted != NULL)
        return err_set(err, ERR_SCENARIO, "%s: $.why_not_counted: the case is counted", path);
    return 0;
}

static int read_regime(const char *path, const struct json *spec, struct replay_case *c, struct err *err)
{
    const struct json *v = json_get(spec, "regime");
    const char *s = json_string(v);

    for (int i = 0; s != NULL && i < REGIMES; i++)
        if (strcmp(s, replay_regime_names[i]) == 0) {
            c->regime = (enum replay_regime)i;
            return 0;
        }
    return bad(path, "$.regime", "\"below\", \"near\" or \"beyond\" (saturation)", v, err);
}

static int read_files(const char *path, const struct json *spec, struct arena *a, struct replay_case *c,
                      struct err *err)
{
    const struct json *list = json_get(spec, "files");

    if (list != NULL && json_type(list) != JSON_ARRAY)
        return bad(path, "$.files", "a list of texts", list, err);
    c->files = arena_array(a, json_size(list) + 1, sizeof *c->files);
    JSON_EACH (v, list) {
        if (json_string(v) == NULL)
            return bad(path, "$.files", "a list of texts", v, err);
        c->files[c->files_n++] = arena_strdup(a, json_string(v));
    }
    return 0;
}

static int read_assumptions(const char *path, const struct json *spec, struct arena *a, struct replay_case *c,
                            struct err *err)
{
    const struct json *list = json_get(spec, "assumptions");

    if (list == NULL || json_type(list) != JSON_ARRAY)
        return bad(path, "$.assumptions", "a list, which may be empty", list, err);
    c->assumptions = arena_array(a, json_size(list) + 1, sizeof *c->assumptions);
    JSON_EACH (v, list) {
        const char *what = json_get_string(v, "what", NULL), *because = json_get_string(v, "because", NULL);

        if (what == NULL || because == NULL)
            return bad(path, "$.assumptions", "an object with \"what\" and \"because\"", v, err);
        c->assumptions[c->assumptions_n++] =
            (struct replay_assumption){arena_strdup(a, what), arena_strdup(a, because)};
    }
    return 0;
}

static int check_kind(const struct replay_case *c, struct err *err)
{
    const char *names[100];
    struct text t = {0};
    size_t n = 0;

    for (; replay_kinds[n] != NULL; n++) {
        if (strcmp(replay_kinds[n]->name, c->kind) == 0)
            return 0;
        ASSERT(n < sizeof names / sizeof *names);
        names[n] = replay_kinds[n]->name;
    }
    text_add_suggestion(&t, c->kind, names, n);
    err_set(err, ERR_SCENARIO, "%s: $.kind: unknown kind \"%.60s\"; %s", c->path, c->kind, t.s);
    text_free(&t);
    return err->code;
}

static int read_spec(const char *path, const struct json *spec, struct arena *a, struct replay_case *c,
                     struct err *err)
{
    const char *format = json_get_string(spec, "format", "");

    if (strcmp(format, "foresight.replay") != 0)
        return bad(path, "$.format", "\"foresight.replay\"", json_get(spec, "format"), err);
    TRY(check_keys(path, spec, err));
    TRY(read_words(path, spec, a, c, err));
    TRY(check_kind(c, err));
    TRY(read_counted(path, spec, a, c, err));
    TRY(read_regime(path, spec, c, err));
    TRY(read_files(path, spec, a, c, err));
    return read_assumptions(path, spec, a, c, err);
}

int replay_case_read(const char *path, struct arena *a, struct replay_case *out, struct err *err)
{
    struct json *spec;
    int rc;

    *out = (struct replay_case){.path = arena_strdup(a, path)};
    TRY(json_read(path, &spec, err));
    out->spec = spec;
    rc = read_spec(path, spec, a, out, err);
    if (rc != 0)
        replay_case_fini(out);
    return rc;
}

void replay_case_fini(struct replay_case *c)
{
    json_free(c->spec);
    c->spec = NULL;
}

int replay_number(const struct replay *r, const struct json *obj, const char *where, const char *key,
                  double *out, struct err *err)
{
    const struct json *v = json_get(obj, key);
    char path[160];

    snprintf(path, sizeof path, "%s.%s", where, key);
    if (v == NULL || json_type(v) != JSON_NUMBER)
        return bad(r->c->path, path, "a number", v, err);
    *out = json_number(v);
    return 0;
}

int replay_text(const struct replay *r, const struct json *obj, const char *where, const char *key,
                const char **out, struct err *err)
{
    const struct json *v = json_get(obj, key);
    char path[160];

    snprintf(path, sizeof path, "%s.%s", where, key);
    if (json_string(v) == NULL)
        return bad(r->c->path, path, "a text", v, err);
    *out = json_string(v);
    return 0;
}
