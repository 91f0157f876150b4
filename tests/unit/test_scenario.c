#include "pipeline/bound.h"

#include "base/text.h"
#include "engine/rng.h"
#include "scenario_text.h"

#include <math.h>
#include <stdio.h>

static const char *shipped(const char *name)
{
    static char path[4000];

    snprintf(path, sizeof path, "%s/scenarios/%s", getenv("abs_srcdir"), name);
    return path;
}

/* ------------------------------------------------------------------------------------ what is right */

Test(scenario, shipped_scenarios_load)
{
    static const char *const names[] = {"01-one-stage.json", "quickstart.json"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct scenario *s = NULL;
        struct err err = {0};

        cr_assert_eq(scenario_load(shipped(names[i]), NULL, &s, &err), 0, "%s", err.text);
        cr_expect(s->stages_n > 0 && s->resources_n > 0 && strlen(s->sha256) == 64 && s->name[0] != '\0');
        scenario_free(s);
    }
}

/* A number of the file, wherever it is now. */
static double written(const struct scenario *s, const char *path)
{
    const struct json *v = edit_get(s->tree, path);

    cr_assert_not_null(v, "%s is not in the file", path);
    return json_number(v);
}

Test(scenario, the_quickstart_is_what_its_file_says)
{
    struct scenario *s = NULL;
    struct err err = {0};

    cr_assert_eq(scenario_load(shipped("quickstart.json"), NULL, &s, &err), 0, "%s", err.text);
    cr_expect_eq(s->stages_n, 4);
    cr_expect_str_eq(s->stages[1].name, "table");
    cr_expect_str_eq(s->stages[3].owner, "modeling");
    cr_expect_eq(s->stages[3].in_capacity, written(s, "edges[2][2].buffer"));
    cr_expect_eq(s->workload.data->session_samples, written(s, "workload.dataset.session_samples"));
    cr_expect_eq(s->workload.data->keep_frac, written(s, "workload.dataset.keep_frac"));
    cr_expect_eq(s->horizon.kind, HORIZON_ITEMS);
    cr_expect_eq(s->horizon.items, s->workload.data->rows * s->workload.data->epochs);
    cr_expect_eq(s->resources[0].count, written(s, "resources.host.count"));
    cr_expect_eq(s->stages[2].on[ROLE_CPU], 0);
    cr_expect_eq(s->stages[2].on[ROLE_DISK_READ], -1);
    cr_expect_not_null(scenario_stage(s, "prep"));
    cr_expect_null(scenario_stage(s, "Prep"));
    cr_expect(s->warnings_n > 0, "nothing resolves the calibration: someone should be told");
    scenario_free(s);
}

Test(scenario, the_reference_s_examples_work_as_written)
{
    struct scenario *s = text_scenario(MMC);

    cr_expect_eq(s->workload.kind, WORKLOAD_OPEN);
    cr_expect_eq(s->resources[0].count, 4);
    cr_expect(scenario_has_latency(s));
    scenario_free(s);
    s = text_scenario(SHARED_CORES);
    cr_expect_eq(s->stages[0].shape.workers, 2);
    cr_expect_eq(s->stages[0].shape.take, 64);
    cr_expect_eq(s->stages[0].shape.prefetch, 2);
    cr_expect_eq(s->stages[1].in_capacity, 4);
    cr_expect_not(scenario_has_latency(s));
    scenario_free(s);
}

Test(scenario, edges_put_the_stages_into_the_order_of_flow)
{
    char *turned =
        text_replaced(SHARED_CORES, "[\"load\", \"train\", {\"buffer\": 4}]", "[\"train\", \"load\"]");
    struct scenario *s = text_scenario(turned);

    cr_expect_str_eq(s->stages[0].name, "train");
    cr_expect_str_eq(s->stages[1].name, "load");
    scenario_free(s);
    free(turned);
}

Test(scenario, the_same_content_has_the_same_hash_whatever_the_file)
{
    struct scenario *a = text_scenario(MMC), *b;
    char *spaced = text_replaced(MMC, "\"mmc\", ", "\"mmc\",\n\n   "),
         *other = text_replaced(MMC, "3.2s", "3.3s");

    b = text_scenario(spaced);
    cr_expect_str_eq(a->sha256, b->sha256);
    scenario_free(b);
    b = text_scenario(other);
    cr_expect_str_neq(a->sha256, b->sha256);
    scenario_free(a);
    scenario_free(b);
    free(spaced);
    free(other);
}

/* ------------------------------------------------------------------------------------ what is wrong */

#define ENGINE                                                                                               \
    "{ \"name\": \"e\", \"unit\": \"request\", \"horizon\": \"steady\",\n"                                   \
    "  \"workload\": {\"open\": {\"arrivals\": {\"exponential\": \"1s\"}}},\n"                               \
    "  \"resources\": {\"gpus\": {\"kind\": \"gpus\", \"count\": 4}},\n"                                     \
    "  \"stages\": [ {\"name\": \"gen\", \"model\": \"llm_serving\", \"on\": {\"gpu\": \"gpus\"},\n"         \
    "    \"params\": {\"tp\": 2, \"ops\": {\"prefill\": [[1, \"1ms\"], [9, \"2ms\"]], "                      \
    "\"decode\": [[1, \"1ms\"], [9, \"2ms\"]]}}} ] }\n"
#define EDGE "[\"load\", \"train\", {\"buffer\": 4}]"
static const struct broken {
    const char *base, *find, *with;
    const char *says[4];
} broken[] = {
    /* JSON itself; says the line */
    {MMC, "\"unit\":", "\"unit\" ", {"broken.json:1:"}},
    {MMC, "\"kind\": \"servers\",", "\"kind\": \"servers\" ", {"broken.json:3:"}},
    {MMC,
     "\"count\": 4",
     "\"count\": 4, \"count\": 5",
     {"broken.json: $.resources.pool", "\"count\"", "twice"}},
    {MMC, "} ] }", "} ]", {"broken.json:"}},
    {MMC, "} ] }", "} ] } }", {"broken.json:"}},
    {MMC, "4}", "1e999}", {"broken.json:3:"}},
    /* the top */
    {MMC, "\"horizon\"", "\"horizn\"", {"broken.json: $", "\"horizn\"", "did you mean \"horizon\""}},
    {MMC, "\"name\": \"mmc\",", "", {"$.name", "needs a name"}},
    {MMC, "\"mmc\"", "7", {"$.name", "text"}},
    {MMC, "\"steady\"", "\"stady\"", {"$.horizon", "\"steady\"", "\"stady\""}},
    {MMC, "\"steady\"", "{\"items\": 0}", {"$.horizon.items", "found 0"}},
    {MMC, "\"steady\"", "{\"terminating\": \"8 apples\"}", {"$.horizon.terminating", "8 apples"}},
    {MMC, "\"steady\"", "{\"items\": 1, \"terminating\": \"1h\"}", {"$.horizon", "either"}},
    {MMC, "\"unit\"", "\"seed\": -1, \"unit\"", {"$.seed", "found -1"}},
    /* workload */
    {MMC,
     "\"workload\": {\"open\": {\"arrivals\": {\"exponential\": \"1s\"}}},",
     "",
     {"$.workload", "missing", "open"}},
    {MMC, "\"open\"", "\"opne\"", {"$.workload", "\"opne\"", "did you mean \"open\""}},
    {MMC,
     "{\"exponential\": \"1s\"}",
     "{\"exponentail\": \"1s\"}",
     {"$.workload.open.arrivals", "exponentail", "did you mean \"exponential\""}},
    {MMC, "\"1s\"", "\"1 parsec\"", {"$.workload.open.arrivals", "1 parsec"}},
    {MMC, "\"1s\"", "\"-1s\"", {"$.workload.open.arrivals", "-1s"}},
    {MMC, "\"1s\"", "\"0s\"", {"$.workload.open.arrivals", "above 0"}},
    {MMC, "\"open\": {", "\"clients\": {\"count\": 2}, \"open\": {", {"$.workload", "exactly one"}},
    {MMC,
     "{\"open\": {\"arrivals\": {\"exponential\": \"1s\"}}}",
     "{\"clients\": {\"count\": 2.5}}",
     {"$.workload.clients.count", "whole"}},
    {MMC,
     "{\"open\": {\"arrivals\": {\"exponential\": \"1s\"}}}",
     "{\"closed\": {\"in_flight\": \"max\"}}",
     {"$.workload.closed.in_flight", "\"desk\""}},
    {SHARED_CORES,
     "\"workload\": {\"closed\": {\"in_flight\": \"max\"}}",
     "\"workload\": {\"closed\": {\"in_flight\": 4}, \"seed\": 1}",
     {"$.workload", "\"seed\""}},
    {MMC,
     "{\"open\": {\"arrivals\": {\"exponential\": \"1s\"}}}",
     "{\"clients\": {\"count\": 2}}, \"edges\": 3",
     {"$.edges"}},
    {MMC,
     "\"service\": {\"exponential\": \"3.2s\"}}} ]",
     "\"queue_limit\": -2}} ]",
     {"$.stages[0].params.queue_limit", "found -2"}},
    {SHARED_CORES, "\"max\"", "\"mx\"", {"$.workload.closed.in_flight", "mx"}},
    {SHARED_CORES, "\"max\"", "0", {"$.workload.closed.in_flight", "found 0"}},
    /* resources */
    {MMC,
     "\"servers\", \"count\"",
     "\"server\", \"count\"",
     {"$.resources.pool.kind", "\"server\"", "did you mean \"servers\""}},
    {MMC, "\"kind\": \"servers\", ", "", {"$.resources.pool", "kind", "servers, cores, gpus"}},
    {MMC, "\"count\": 4", "\"count\": -4", {"$.resources.pool.count", "found -4", "between 1"}},
    {MMC, "\"count\": 4", "\"count\": 1.5", {"$.resources.pool.count", "1.5", "whole"}},
    {MMC, "\"count\": 4", "\"coutn\": 4", {"$.resources.pool.coutn", "did you mean \"count\""}},
    {MMC, "{\"pool\": {\"kind\": \"servers\", \"count\": 4}}", "{}", {"$.resources"}},
    {MMC, "{\"kind\": \"servers\", \"count\": 4}", "4", {"$.resources.pool"}},
    {SHARED_CORES, "500MB/s", "500MB", {"$.resources.disk.read_bw", "500MB"}},
    /* stages */
    {MMC, "\"station\"", "\"sttaion\"", {"$.stages[0]", "\"sttaion\"", "did you mean \"station\""}},
    {MMC,
     "\"pool\"}, \"params\"",
     "\"pol\"}, \"params\"",
     {"$.stages[0]", "on.servers", "\"pol\"", "did you mean \"pool\""}},
    {MMC, "\"on\": {\"servers\": \"pool\"}, ", "", {"$.stages[0]", "station", "servers"}},
    {MMC, "\"name\": \"desk\", ", "", {"$.stages[0]", "name"}},
    {MMC, "\"params\": {", "\"parms\": {", {"$.stages[0]", "\"parms\"", "did you mean \"params\""}},
    {MMC, "\"service\"", "\"servcie\"", {"$.stages[0].params.servcie", "did you mean \"service\""}},
    {MMC, "\"3.2s\"", "\"3.2GB\"", {"$.stages[0].params.service", "3.2GB"}},
    {MMC, "\"on\": {", "\"calls\": {\"llm\": \"desk\"}, \"on\": {", {"$.stages[0]", "calls", "station"}},
    {SHARED_CORES,
     "\"cpu\": \"host\", \"disk\"",
     "\"cpu\": \"disk\", \"disk\"",
     {"$.stages[0]", "on.cpu", "\"disk\"", "cannot serve as cpu"}},
    {SHARED_CORES,
     "\"cpu\": \"host\", \"disk\": ",
     "\"cpu\": \"host\", \"disc\": ",
     {"$.stages[0]", "on.disc", "allowed", "disk"}},
    {SHARED_CORES, ", \"disk\": \"disk\"},\n", "},\n", {"$.stages[0]", "\"read\"", "disk"}},
    {SHARED_CORES, "\"name\": \"train\"", "\"name\": \"load\"", {"$.stages[1]", "\"load\"", "twice"}},
    {SHARED_CORES,
     "\"cpu\": \"0.5ms\"",
     "\"cup\": \"0.5ms\"",
     {"$.stages[0].params.ops[2].cup", "did you mean \"cpu\""}},
    {SHARED_CORES,
     "\"workers\": 2",
     "\"workers\": 0",
     {"$.stages[0].params.workers", "found 0", "between 1"}},
    {SHARED_CORES,
     "[ {\"name\": \"step\", \"per_batch\": true, \"cpu\": \"80ms\"} ]",
     "[]",
     {"$.stages[1].params.ops", "at least one"}},
    {SHARED_CORES,
     "\"per_batch\": true, \"cpu\": \"80ms\"",
     "\"per_batch\": 1",
     {"$.stages[1].params.ops[0].per_batch", "found 1"}},
    {MMC, "{\"service\": {\"exponential\": \"3.2s\"}}", "[]", {"$.stages[0].params"}},
    {DATASET,
     "\"dataset\": {\"rows\": 8192, \"partition_rows\": 4096, \"epochs\": 2}",
     "\"dataset\": 3",
     {"$.workload.dataset"}},
    {DATASET,
     ", \"dataset\": {\"rows\": 8192, \"partition_rows\": 4096, \"epochs\": 2}",
     "",
     {"$.stages[0]", "etl", "$.workload.dataset"}},
    {DATASET, "\"lz4\"", "\"lz5\"", {"$.stages[0].params.codec", "\"lz5\"", "did you mean \"lz4\""}},
    {DATASET, "\"parse\"", "\"prase\"", {"$.stages[0].params.costs.prase", "did you mean \"parse\""}},
    {DATASET, "\"per_item\"", "\"peritem\"", {"$.stages[0].params.costs.parse", "per_item"}},
    {DATASET,
     "\"partition_rows\": 4096",
     "\"partition_rows\": 3000",
     {"$.workload.dataset.partition_rows", "3000", "8192"}},
    {DATASET, "16384", "10000", {"$.horizon", "16384"}},
    {DATASET, "{\"items\": 16384}", "\"steady\"", {"$.horizon", "16384"}},
    {DATASET,
     "{\"codec\": \"lz4\"",
     "{\"stripe_rows\": 3000, \"codec\": \"lz4\"",
     {"$.stages[0].params.stripe_rows", "3000", "4096"}},
    {DATASET,
     "\"closed\": {\"in_flight\": \"max\"}",
     "\"open\": {\"arrivals\": \"1s\"}",
     {"$.workload.dataset", "closed"}},
    /* edges */
    {SHARED_CORES, EDGE, EDGE ", [\"train\", \"load\"]", {"$.edges", "cycle"}},
    {SHARED_CORES, EDGE, EDGE ", [\"train\", \"train\"]", {"$.edges", "cycle"}},
    {SHARED_CORES, EDGE, "", {"$.edges", "\"load\"", "\"train\"", "enter a pipeline at one stage"}},
    {SHARED_CORES, EDGE, "[\"load\", \"trian\"]", {"$.edges[0]", "\"trian\"", "did you mean \"train\""}},
    {SHARED_CORES, EDGE, "[\"load\"]", {"$.edges[0]", "buffer"}},
    {SHARED_CORES, "\"buffer\"", "\"bufer\"", {"$.edges[0]", "\"bufer\"", "did you mean \"buffer\""}},
    {SHARED_CORES, "{\"buffer\": 4}", "{\"buffer\": -4}", {"$.edges[0]", "found -4"}},
    {SHARED_CORES, EDGE, EDGE ", [\"load\", \"train\"]", {"$.edges[1]", "this edge is there already"}},
    {SHARED_CORES, "[ " EDGE " ]", "\"load-train\"", {"$.edges"}},
    /* optimizations */
    {DATASET,
     "\"set\": {\"prep.dedup\": true}",
     "\"sets\": {}",
     {"$.optimizations[0]", "\"sets\"", "did you mean \"set\""}},
    {DATASET, "\"set\": {\"prep.dedup\": true}", "\"set\": {}", {"$.optimizations[0]", "set"}},
    {DATASET,
     "} ] }",
     "}, {\"name\": \"dedup\", \"set\": {\"prep.fuse\": true}} ] }",
     {"$.optimizations[1]", "\"dedup\"", "twice"}},
    {DATASET,
     "\"set\": {",
     "\"excludes\": [\"fuse\"], \"set\": {",
     {"$.optimizations[0].excludes[0]", "\"fuse\""}},
    {DATASET, "\"set\": {", "\"excludes\": [4], \"set\": {", {"$.optimizations[0]", "number"}},
    {DATASET,
     "\"set\": {",
     "\"touches\": [\"perp\"], \"set\": {",
     {"$.optimizations[0]", "\"perp\"", "did you mean \"prep\""}},
    {DATASET, "prep.dedup", "perp.dedup", {"$.optimizations[0]", "\"perp\"", "did you mean \"prep\""}},
    {DATASET, "\"set\": {", "\"touches\": \"prep\", \"set\": {", {"$.optimizations[0]", "list"}},
    /* more accelerators than there are */
    {ENGINE, "\"tp\": 2", "\"tp\": 8", {"$.stages[0].params:", "tp 8 x pp 1 x ep 1 = 8", "resource of 4"}},
    {ENGINE,
     "\"tp\": 2",
     "\"tp\": 2, \"replicas\": 3",
     {"$.stages[0].params.replicas", "3 replicas of 2", "resource of 4", "at most 2"}},
    {ENGINE, "\"count\": 4", "\"count\": 1", {"$.stages[0].params:", "2 accelerators", "resource of 1"}},
};

Test(scenario, a_broken_file_is_refused_with_place_finding_and_remedy)
{
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        const struct broken *b = &broken[i];
        char *text = text_replaced(b->base, b->find, b->with);
        struct scenario *s = NULL;
        struct err err = {0};
        int rc = text_build(text, &s, &err);

        free(text);
        cr_expect_eq(err_exit_status(rc), 78, "%s -> %s: exit status %d", b->find, b->with,
                     err_exit_status(rc));
        if (rc == 0) {
            scenario_free(s);
            continue;
        }
        cr_expect_not_null(strstr(err.text, "broken.json"), "no file: \"%s\"", err.text);
        for (int k = 0; k < 4 && b->says[k] != NULL; k++)
            cr_expect_not_null(strstr(err.text, b->says[k]), "%s -> %s: \"%s\" does not say \"%s\"", b->find,
                               b->with, err.text, b->says[k]);
    }
}

Test(scenario, an_engine_that_just_fits_its_accelerators_is_accepted)
{
    char *text = text_replaced(ENGINE, "\"tp\": 2", "\"tp\": 2, \"replicas\": 2");

    scenario_free(text_scenario(text));
    free(text);
    text = text_replaced(ENGINE, "\"tp\": 2", "\"tp\": 2, \"pp\": 2");
    scenario_free(text_scenario(text));
    free(text);
}

Test(scenario, what_is_no_object_is_refused)
{
    static const char *const texts[] = {
        "", "[]", "null", "\"x\"", "1", "{}", "true", "{\"name\": \"x\"}", "\xff\xfe"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct scenario *s = NULL;
        struct err err = {0};

        cr_expect_eq(text_build(texts[i], &s, &err), ERR_SCENARIO, "accepted: %s", texts[i]);
        cr_expect_not_null(strstr(err.text, "broken.json"), "%s: \"%s\"", texts[i], err.text);
    }
}

Test(scenario, deep_nesting_is_refused)
{
    enum { DEPTH = 200000 };
    char *deep = xmalloc(2 * DEPTH + 1), *text;
    struct scenario *s = NULL;
    struct err err = {0};

    memset(deep, '[', DEPTH);
    memset(deep + DEPTH, ']', DEPTH);
    deep[2 * DEPTH] = '\0';
    text = text_replaced(MMC, "4}", deep);
    cr_expect_eq(text_build(deep, &s, &err), ERR_SCENARIO);
    cr_expect_neq(err.text[0], '\0');
    free(text);
    free(deep);
}

/* A loop that takes back what was lost would send it again in the same instant, for ever. */
Test(scenario, a_closed_loop_loses_nothing_and_is_bounded_whatever_the_order_of_the_file)
{
    static const char two[] =
        "{\"name\": \"two\", \"workload\": {\"closed\": {\"in_flight\": \"max\"}},\n"
        " \"resources\": {\"host\": {\"kind\": \"cores\"}, \"pool\": {\"kind\": \"servers\"}},\n"
        " \"stages\": [{\"name\": \"work\", \"model\": \"operators\", \"on\": {\"cpu\": \"host\"},"
        " \"params\": {\"ops\": [{\"name\": \"x\", \"cpu\": \"1ms\"}]}},\n"
        "  {\"name\": \"desk\", \"model\": \"station\", \"on\": {\"servers\": \"pool\"}, \"params\": {}}],\n"
        " \"edges\": [[\"work\", \"desk\"]]}";
    char *turned = text_replaced(two, "[\"work\", \"desk\"]", "[\"desk\", \"work\"]");
    char *limited = text_replaced(two, "\"params\": {}", "\"params\": {\"queue_limit\": 5}");
    struct scenario *s = text_scenario(two);
    struct err err = {0};

    scenario_free(s);
    cr_expect_eq(text_build(turned, &s, &err), ERR_SCENARIO);
    cr_expect_not_null(strstr(err.text, "first stage \"desk\""), "%s", err.text);
    cr_expect_eq(text_build(limited, &s, &err), ERR_SCENARIO);
    cr_expect_not_null(strstr(err.text, "$.stages[1].params.queue_limit"), "%s", err.text);
    free(turned);
    free(limited);
}

/* ---------------------------------------------------------------------------------------- garbage */

/* One byte, or a few, of a valid file changed, dropped, doubled or moved. */
static char *mutated(const char *text, struct rng *r)
{
    static const char *const words[] = {"-", "1e9", "null",    "[",    "{", "}",    "\"",
                                        ",", "0",   "\\u0000", "true", ":", "1e308"};
    size_t n = strlen(text);
    struct text t = {0};
    char *s;
    int changes = 1 + (int)rng_below(r, 4);

    text_add_n(&t, text, n);
    for (int k = 0; k < changes; k++) {
        size_t at = rng_below(r, t.len), len = 1 + rng_below(r, 8);
        char kept[64];

        switch (rng_below(r, 4)) {
        case 0:
            t.s[at] = (char)(1 + rng_below(r, 255));
            break;
        case 1: /* cut */
            len = len < t.len - at ? len : t.len - at;
            memmove(t.s + at, t.s + at + len, t.len - at - len + 1);
            t.len -= len;
            break;
        case 2: /* repeat what stands there at the end */
            snprintf(kept, sizeof kept, "%.*s", (int)len, t.s + at);
            text_add(&t, kept);
            break;
        default: { /* a word over what stands there */
            const char *word = words[rng_below(r, sizeof words / sizeof *words)];

            for (size_t i = 0; word[i] != '\0' && at + i < t.len; i++)
                t.s[at + i] = word[i];
        }
        }
        if (t.len == 0)
            text_add(&t, " ");
    }
    s = xstrdup(t.s);
    text_free(&t);
    return s;
}

Test(scenario, five_thousand_damaged_files_are_read_or_refused)
{
    static const int codes[] = {ERR_SCENARIO};
    int good = 0;
    struct rng r;
    char *text;
    struct err read_err = {0};

    cr_assert_eq(text_read_file(shipped("quickstart.json"), &text, NULL, &read_err), 0, "%s", read_err.text);
    rng_stream(&r, 20, 0, "damage");
    for (int i = 0; i < 5000; i++) {
        char *damaged = mutated(i % 3 == 0 ? text : i % 3 == 1 ? SHARED_CORES : DATASET, &r);
        struct scenario *s = NULL;
        struct err err = {0};
        int rc = text_build(damaged, &s, &err);

        cr_expect(rc == 0 || rc == codes[0], "code %d, \"%s\" from:\n%s", rc, err.text, damaged);
        cr_expect(rc == 0 || err.text[0] != '\0', "no message for:\n%s", damaged);
        if (rc == 0) {
            struct arena *a = arena_new();
            struct bound b;

            bound_compute(s, a, &b);
            cr_expect(b.throughput_per_s > 0, "bound %g of:\n%s", b.throughput_per_s, damaged);
            arena_free(a);
            scenario_free(s);
            good++;
        }
        free(damaged);
    }
    cr_expect(good > 100 && good < 4000, "%d of 5000 damaged files were accepted: the damage is of no use",
              good);
    free(text);
}
