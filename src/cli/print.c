#include "cli/print.h"

#include "base/text.h"
#include "base/units.h"
#include "pipeline/overload.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 80 };

char *print_estimate(char *buf, size_t size, const struct estimate *e, enum unit unit)
{
    char mean[40];
    double half = (e->hi - e->lo) / 2;

    units_format(mean, sizeof mean, e->mean, unit);
    if (!isfinite(e->mean))
        snprintf(buf, size, "-");
    else if (half <= 1e-9 * fabs(e->mean)) /* nothing but rounding */
        snprintf(buf, size, "%s", mean);
    else if (!isfinite(half))
        snprintf(buf, size, "%s (one replication: no interval)", mean);
    else if (e->mean != 0)
        snprintf(buf, size, "%s \302\261%.2g %%", mean, 100 * half / fabs(e->mean));
    else
        snprintf(buf, size, "%s", mean);
    return buf;
}

void print_wrapped_with(const char *text, int indent, const char *more)
{
    int at = 0;

    while (*text != '\0') {
        const char *option = more[0] != '\0' ? strstr(text, " --") : NULL;
        int n = (int)(more[0] == '\0' ? strcspn(text, " ") : option != NULL ? (size_t)(option - text) : strlen(text));

        if (at > 0 && at + 1 + n + (int)strlen(more) > WIDTH) {
            printf("%s\n", more);
            at = 0;
        }
        at += at == 0 ? printf("%*s%.*s", indent, "", n, text) : printf(" %.*s", n, text);
        text += n + strspn(text + n, " ");
    }
    putchar('\n');
}

void print_wrapped(const char *text, int indent)
{
    print_wrapped_with(text, indent, "");
}

void print_document(struct json *doc)
{
    char *text = json_text(doc);

    puts(text);
    free(text);
    json_free(doc);
}

static void print_line(const char *label, const struct estimate *e, enum unit unit)
{
    char buf[100];

    printf("  %-12s %s", label, print_estimate(buf, sizeof buf, e, unit));
    if (e->has_pred)
        printf("   (prediction interval %s", units_format(buf, sizeof buf, e->pred_lo, unit));
    if (e->has_pred)
        printf(" .. %s)", units_format(buf, sizeof buf, e->pred_hi, unit));
    putchar('\n');
}

static void print_stages(const struct outcome *o)
{
    char a[60], b[60];

    printf("\n  %-12s %-12s %8s %8s %8s %8s   %-24s %s\n", "stage", "model", "busy", "blocked", "starved",
           "queue", "waits", "takes");
    for (int i = 0; i < o->stages_n; i++) {
        const struct outcome_stage *s = &o->stages[i];

        printf("  %-12s %-12s %6.1f %% %6.1f %% %6.1f %% %8.3g   ", s->name, s->model,
               100 * s->utilization.mean, 100 * s->blocked.mean, 100 * s->starved.mean, s->queue_mean.mean);
        printf("%-24s  %s\n", print_estimate(a, sizeof a, &s->wait_s, UNIT_S),
               print_estimate(b, sizeof b, &s->service_s, UNIT_S));
    }
    for (int i = 0; i < o->stages_n; i++)
        if (o->stages[i].lost.mean > 0)
            printf("  %s loses %.2f %% \302\261%.2f of what comes: its queue is full\n", o->stages[i].name,
                   100 * o->stages[i].lost.mean, 50 * (o->stages[i].lost.hi - o->stages[i].lost.lo));
    printf("\n  %-12s %-12s %8s\n", "resource", "kind", "busy");
    for (int i = 0; i < o->resources_n; i++) {
        printf("  %-12s %-12s %6.1f %%", o->resources[i].name, o->resources[i].kind,
               100 * o->resources[i].utilization.mean);
        if (o->resources[i].bus_utilization > 0)
            printf(", its memory %.1f %%", 100 * o->resources[i].bus_utilization);
        printf("\n");
    }
}

/* The unit that a figure's name ends in; UNIT_NONE: it names none. */
static enum unit unit_of(const char *name)
{
    static const struct {
        const char *ending;
        enum unit unit;
    } units[] = {{"_bytes", UNIT_BYTES}, {"_frac", UNIT_FRAC}, {"_usd", UNIT_USD}, {"_s", UNIT_S}};
    size_t n = strlen(name);

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t k = strlen(units[i].ending);

        if (n > k && strcmp(name + n - k, units[i].ending) == 0)
            return units[i].unit;
        if (strncmp(units[i].ending, "_s", 3) != 0 && strstr(name, units[i].ending) != NULL)
            return units[i].unit;
    }
    return UNIT_NONE;
}

/* What only its model knows of a stage. */
static void print_stage_figures(const struct outcome *o)
{
    char text[80];

    for (int i = 0; i < o->stages_n; i++)
        for (int k = 0; k < o->stages[i].figures_n; k++)
            printf("  %-12s %-30s %s\n", k == 0 ? o->stages[i].name : "", o->stages[i].figure_names[k],
                   print_estimate(text, sizeof text, &o->stages[i].figures[k],
                                  unit_of(o->stages[i].figure_names[k])));
}

static void print_figures(const char *name, const struct estimate *e)
{
    static const char *const percentiles[LATENCY_FIGURES] = {NULL, "  p50", "  p95", "  p99"};

    for (int i = 0; i < LATENCY_FIGURES; i++)
        print_line(i == 0 ? name : percentiles[i], &e[i], UNIT_S);
}

/* What a request's user sees of the serving side. */
static void print_serving(const struct outcome_metrics *m)
{
    if (m->has_queue)
        print_figures("queue", m->queue_s);
    if (m->has_ttft)
        print_figures("first token", m->ttft_s);
    if (m->has_tpot)
        print_figures("per token", m->tpot_s);
    if (m->has_goodput)
        print_line("goodput", &m->goodput_per_s, UNIT_PER_S);
    if (m->failed.mean > 0)
        print_line("failed", &m->failed, UNIT_FRAC);
    if (m->has_quality)
        print_line(strcmp(m->quality_unit, "answer_accuracy") == 0 ? "accuracy" : m->quality_unit,
                   &m->quality, UNIT_NONE);
}

static void print_pipelines(const struct outcome *o)
{
    for (int i = 0; i < o->pipelines_n; i++) {
        const struct outcome_metrics *m = &o->pipelines[i];

        if (m == o->metrics)
            continue;
        printf("\n  beside it \"%s\"\n", m->name);
        print_line("throughput", &m->throughput_per_s, UNIT_PER_S);
        if (m->terminating)
            print_line("makespan", &m->makespan_s, UNIT_S);
        if (m->has_latency)
            print_figures("latency", m->latency_s);
        print_serving(m);
    }
}

static void print_owners(const struct outcome *o)
{
    char cost[60], power[60];

    if (o->owners_n > 0)
        printf("\n  %-24s %-24s %s\n", "who pays", o->has_cost ? "cost" : "", o->has_power ? "power" : "");
    for (int i = 0; i < o->owners_n; i++)
        printf("  %-24s %-24s %s\n", o->owners[i].name,
               o->has_cost ? print_estimate(cost, sizeof cost, &o->owners[i].cost_usd_per_h, UNIT_USD_PER_H)
                           : "",
               o->has_power ? print_estimate(power, sizeof power, &o->owners[i].power_w, UNIT_WATT) : "");
}

static void print_bound(const struct outcome *o)
{
    double arrive = overload_arrivals_per_s(o);
    char buf[40];

    if (o->has_bound)
        printf("  %-12s %s at best; the limit is %s%s\n", "bound",
               units_format(buf, sizeof buf, o->bound.throughput_per_s, UNIT_PER_S), o->bound.bottleneck,
               overload_is_beyond_bound(o) ? " (more by chance: draws)" : "");
    if (arrive > 0)
        printf("  %-12s %s arrive, fewer leave: times grow as long as the run lasts\n", "OVERLOADED",
               units_format(buf, sizeof buf, arrive, UNIT_PER_S));
}

void print_outcome(const struct outcome *o)
{
    printf("%s: %ld replications, %.0f %% confidence, unit %s\n\n", o->scenario->name, o->replications,
           100 * o->confidence, o->scenario->pipelines[o->scenario->objective].unit);
    print_line("throughput", &o->throughput_per_s, UNIT_PER_S);
    if (o->terminating)
        print_line("makespan", &o->makespan_s, UNIT_S);
    if (o->has_latency)
        print_figures("latency", o->latency_s);
    if (o->metrics != NULL)
        print_serving(o->metrics);
    if (o->has_cost)
        print_line("cost", &o->cost_usd_per_h, UNIT_USD_PER_H);
    if (o->has_cost)
        print_line("per million", &o->cost_per_1m, UNIT_USD);
    if (o->has_billing)
        print_line("idle, worth", &o->idle_usd_per_h, UNIT_USD_PER_H);
    if (o->has_power)
        print_line("power", &o->power_w, UNIT_WATT);
    print_bound(o);
    print_pipelines(o);
    print_stages(o);
    print_owners(o);
    print_stage_figures(o);
}

void print_remark(const char *fmt, ...)
{
    struct text plain = {0};
    char *raw = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&raw, fmt, ap);
    va_end(ap);
    ASSERT(n >= 0);
    text_add_plain(&plain, raw);
    fputs(plain.s, stderr);
    text_free(&plain);
    free(raw);
}

void print_warnings(const struct scenario *s)
{
    for (int i = 0; i < s->warnings_n; i++)
        print_remark("foresight: warning: %s: %s\n", s->warnings[i].path, s->warnings[i].text);
}
