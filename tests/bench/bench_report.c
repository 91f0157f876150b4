/*
 * How long a review takes to be written once its results are stored, and how large it is: 12 plots and more,
 * each in two forms.  Prints one JSON line; the goal is 3 s and 2 MB.
 */
#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "report/report.h"
#include "study/details.h"
#include "study/rank.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char scenario[] =
    "{\"name\": \"bench\", \"unit\": \"request\", \"workload\": {\"clients\": {\"count\": 8, \"think\": "
    "\"100ms\"}},"
    " \"assumed\": {\"stages.b.params.service\": \"a guess\"},"
    " \"resources\": {\"p\": {\"kind\": \"servers\", \"count\": 2, \"price\": \"1usd/h\"},"
    " \"q\": {\"kind\": \"servers\", \"price\": \"2usd/h\"}}, \"stages\": ["
    "{\"name\": \"a\", \"owner\": \"left\", \"model\": \"station\", \"on\": {\"servers\": \"p\"},"
    " \"params\": {\"service\": {\"exponential\": \"30ms\"}}},"
    "{\"name\": \"b\", \"owner\": \"right\", \"model\": \"station\", \"on\": {\"servers\": \"q\"},"
    " \"params\": {\"service\": {\"exponential\": \"40ms\"}}}],"
    " \"optimizations\": [{\"name\": \"faster-a\", \"set\": {\"a.service\": \"15ms\"}},"
    " {\"name\": \"wider-b\", \"set\": {\"resources.q.count\": 2}},"
    " {\"name\": \"cheaper\", \"set\": {\"resources.p.count\": 1}}]}";

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The documents that a store would hold. */
static int documents(struct report_input *in, struct json **docs, struct err *err)
{
    struct arena *a = arena_new();
    struct json *tree = NULL;
    struct optimization *list;
    struct rank_options opt = {0};
    struct study st = {.file = "bench", .seed = 1, .replications = 4, .confidence = 0.95};
    struct ranking r = {0};
    int rc = json_parse(scenario, "bench", &tree, err);

    if (rc == 0)
        rc = optimizations_read(tree, "bench", a, &list, &st.n, err);
    st.tree = tree;
    st.optimizations = list;
    if (rc == 0)
        rc = rank_scenario(&st, &opt, a, &r, err);
    if (rc == 0)
        rc = details_json(&st, r.base_scenario, &docs[2], err);
    if (rc == 0) {
        docs[0] = outcome_json(&r.base);
        docs[1] = ranking_json(&st, &r);
        *in = (struct report_input){
            .run = docs[0], .rank = docs[1], .details = docs[2], .scenario_name = "bench"};
    }
    ranking_fini(&r);
    json_free(tree);
    arena_free(a);
    return rc;
}

static int measure(const struct report_input *in, enum report_format format, double *seconds, size_t *bytes,
                   struct err *err)
{
    struct text t = {0};
    double start = now_s();
    int rc = report_write(in, format, &t, err);

    *seconds = now_s() - start;
    *bytes = t.len;
    text_free(&t);
    return rc;
}

int main(void)
{
    struct report_input in;
    struct report_data *data;
    struct json *docs[3] = {NULL};
    struct err err = {0};
    double html_s, pdf_s;
    size_t html, pdf, plots;

    if (documents(&in, docs, &err) != 0 || measure(&in, REPORT_HTML, &html_s, &html, &err) != 0) {
        fprintf(stderr, "bench_report: %s\n", err.text);
        return 1;
    }
    plots = report_data(&in, &data);
    report_data_free(data, plots);
    printf("{\"bench\": \"report\", \"plots\": %zu, \"html_s\": %.3f, \"html_bytes\": %zu", plots, html_s,
           html);
    if (measure(&in, REPORT_PDF, &pdf_s, &pdf, &err) == 0)
        printf(", \"pdf_s\": %.3f, \"pdf_bytes\": %zu", pdf_s, pdf);
    printf("}\n");
    for (int i = 0; i < 3; i++)
        json_free(docs[i]);
    return 0;
}
