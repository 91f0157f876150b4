#include "pipeline/scenario_read.h"

#include "base/text.h"

#include <string.h>

int find_stage(const struct reader *r, const struct json *name, const char *where, int *out)
{
    const struct scenario *s = r->s;
    const char *names[64], *near;
    char found[60];
    size_t n = 0;

    for (*out = 0; json_string(name) != NULL && *out < s->stages_n; ++*out)
        if (strcmp(s->stages[*out].name, json_string(name)) == 0)
            return 0;
    for (; n < (size_t)s->stages_n && n < 64; n++)
        names[n] = s->stages[n].name;
    near = json_string(name) != NULL ? text_nearest(json_string(name), names, n) : NULL;
    return bad(r, where,
               arena_printf(s->arena, "no stage %s; %s \"%s\"", json_brief(name, found, sizeof found),
                            near ? "did you mean" : "there is", near ? near : names[0]));
}

/* Which of the model's callees a key names. */
static int find_role(const struct reader *r, const char *const *callees, const char *key, const char *where,
                     int *out)
{
    struct text t = {0};
    size_t n = 0;
    int rc;

    for (; callees[n] != NULL; n++)
        if (strcmp(callees[n], key) == 0) {
            *out = (int)n;
            return 0;
        }
    text_printf(&t, "unknown role \"%s\"; ", key);
    text_add_suggestion(&t, key, callees, n);
    rc = bad(r, where, t.s);
    text_free(&t);
    return rc;
}

/* A callee answers each call by itself: it gathers nothing, cuts nothing, loses nothing. */
static int check_callee(const struct reader *r, const struct stage *callee, const char *where)
{
    const char *why = NULL;

    if (callee->model->needs_dataset)
        why = "it works on a data set";
    else if (callee->model->pieces != NULL)
        why = "it cuts items into pieces";
    else if (callee->shape.take > 0)
        why = "it gathers items into batches; leave \"batch\" at 0";
    else if (callee->shape.queue_limit >= 0)
        why = "it loses what finds its queue full; leave out \"queue_limit\"";
    if (why == NULL)
        return 0;
    return bad(r, where, arena_printf(r->s->arena, "stage \"%s\" cannot be called: %s", callee->name, why));
}

/* Bit i: with these settings the model cannot do without callee i. */
static unsigned needed(const struct stage *st)
{
    const struct server *server = st->model->server;

    if (server == NULL || server->callees == NULL)
        return 0;
    return server->required | (server->needs != NULL ? server->needs(st->cfg) : 0);
}

static int read_calls_of(struct reader *r, int index)
{
    struct scenario *s = r->s;
    struct stage *st = &s->stages[index];
    const struct json *calls = json_get(r->texts[index].json, "calls");
    const struct server *server = st->model->server;
    int role = 0, callee = 0;

    for (int i = 0; i < CALLEES_MAX; i++)
        st->calls[i] = -1;
    if (calls != NULL && json_type(calls) != JSON_OBJECT)
        return bad(r, r->texts[index].where,
                   "\"calls\" is an object from role to stage, such as {\"llm\": \"gen\"}");
    for (const struct json *c = calls ? json_first(calls) : NULL; c != NULL; c = json_next(c)) {
        const char *where = arena_printf(s->arena, "%s.calls.%s", r->texts[index].where, json_key(c));

        TRY(find_role(r, server->callees, json_key(c), where, &role));
        TRY(find_stage(r, c, where, &callee));
        TRY(check_callee(r, &s->stages[callee], where));
        st->calls[role] = callee;
        st->calls_n++;
        s->stages[callee].is_called = true;
    }
    for (int i = 0; i < CALLEES_MAX; i++)
        if ((needed(st) >> i & 1) && st->calls[i] < 0)
            return bad(r, r->texts[index].where,
                       arena_printf(s->arena, "model \"%s\" needs \"calls\": {\"%s\": a stage}",
                                    st->model->name, server->callees[i]));
    return 0;
}

/* Depth first along the calls; `path` is how we came here, `done` what leads to no circle. */
static int check_cycle(const struct reader *r, int at, int *path, int depth, bool *done)
{
    const struct scenario *s = r->s;
    struct text t = {0};
    int rc, i = 0;

    while (i < depth && path[i] != at)
        i++;
    if (i < depth) {
        text_add(&t, "calls in a circle: ");
        for (; i < depth; i++)
            text_printf(&t, "\"%s\" calls ", s->stages[path[i]].name);
        text_printf(&t, "\"%s\"; each would wait for the other", s->stages[at].name);
        rc = bad(r, arena_printf(s->arena, "%s.calls", r->texts[path[depth - 1]].where), t.s);
        text_free(&t);
        return rc;
    }
    path[depth] = at;
    for (i = 0; i < CALLEES_MAX; i++)
        if (s->stages[at].calls[i] >= 0 && !done[s->stages[at].calls[i]])
            TRY(check_cycle(r, s->stages[at].calls[i], path, depth + 1, done));
    done[at] = true;
    return 0;
}

/* What finds the queue of shared servers full is lost; a model with state could not say what then. */
static int check_shared(const struct reader *r, int index)
{
    const struct scenario *s = r->s;

    for (enum role k = 0; s->stages[index].model->server != NULL && k < ROLES; k++)
        for (int i = 0; s->stages[index].on[k] >= 0 && i < s->stages_n; i++)
            if (s->stages[i].shape.queue_limit >= 0 &&
                s->stages[i].on[ROLE_SERVERS] == s->stages[index].on[k])
                return bad(r, r->texts[index].where,
                           arena_printf(s->arena,
                                        "it shares \"%s\" with \"%s\", which has a \"queue_limit\"; give one "
                                        "of them servers of its own",
                                        s->resources[s->stages[index].on[k]].name, s->stages[i].name));
    return 0;
}

/* Models with state may hold servers for as long as they like, which nobody can interrupt. */
static int check_supply(const struct reader *r, int index)
{
    const struct scenario *s = r->s;
    const struct stage *st = &s->stages[index];

    for (enum role k = 0; st->model->server != NULL && k < ROLES; k++)
        if (st->on[k] >= 0 && resource_changes(&s->resources[st->on[k]]))
            return bad(
                r, r->texts[index].where,
                arena_printf(s->arena,
                             "model \"%s\" holds servers for itself; \"failures\", \"maintenance\" and "
                             "\"autoscale\" of \"%s\" only work for models without state",
                             st->model->name, s->resources[st->on[k]].name));
    return 0;
}

int read_calls(struct reader *r)
{
    struct scenario *s = r->s;
    int *path = arena_array(s->arena, (size_t)s->stages_n + 1, sizeof *path);
    bool *done = arena_array(s->arena, (size_t)s->stages_n, sizeof *done);

    for (int i = 0; i < s->stages_n; i++)
        TRY(read_calls_of(r, i));
    for (int i = 0; i < s->stages_n; i++) {
        TRY(check_cycle(r, i, path, 0, done));
        TRY(check_shared(r, i));
        TRY(check_supply(r, i));
    }
    return 0;
}
