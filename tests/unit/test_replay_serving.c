#include "study/replay.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Kinds of the serving side on recordings of our own, whose law is known. */

static struct arena *arena;
static struct err err;
static char folder[] = "/tmp/foresight-replay-XXXXXX";

static void begin(void)
{
    arena = arena_new();
    cr_assert_not_null(mkdtemp(folder));
}

static void end(void)
{
    char path[200];

    for (const char *const *f = (const char *const[]){"silicon.csv", "case.json", NULL}; *f != NULL; f++) {
        snprintf(path, sizeof path, "%s/%s", folder, *f);
        unlink(path);
    }
    rmdir(folder);
    arena_free(arena);
}

TestSuite(replay_serving, .init = begin, .fini = end);

static FILE *open_file(const char *name)
{
    FILE *f = fopen(arena_printf(arena, "%s/%s", folder, name), "w");

    cr_assert_not_null(f);
    return f;
}

static const char header[] =
    "id,silicon_data_source,backend,backend_version,model_path,system,precision,mode,isl,osl,gemm_quant_mode,"
    "moe_quant_mode,batch_size,tp_size,pp_size,attention_dp_size,moe_tp_size,moe_ep_size,prefill_batch_size,"
    "prefill_num_workers,prefill_tp_size,prefill_pp_size,prefill_attention_dp_size,prefill_moe_tp_size,"
    "prefill_moe_ep_size,decode_batch_size,decode_num_workers,decode_tp_size,decode_pp_size,"
    "decode_attention_dp_size,decode_moe_tp_size,decode_moe_ep_size,silicon_ttft_ms,silicon_tpot_ms\n";

/* 4 ms, 20 ms for 64 experts of which a token chooses 4, and 0.1 ms a client. */
static double law_ms(double clients)
{
    return 4 + 20 * (1 - pow(1 - 4. / 64, clients)) + 0.1 * clients;
}

static void write_sweep(FILE *f, const char *precision, int n, double falls_at)
{
    for (int i = 0; i < n; i++) {
        double clients = 4 << i;

        fprintf(f, "row%d%s,x,vllm,1,moe,gpu,%s,agg,1000,100,,,%g,8,1,1,1,8,,,,,,,,,,,,,,,%.9g,%.9g\n", i,
                precision, precision, clients, 50 + clients, law_ms(clients) * (clients == falls_at ? 9 : 1));
    }
}

static void run_case(struct replay_case *c)
{
    struct replay_options opt = {.traces = folder};
    struct replay_result r;
    FILE *f = open_file("case.json");

    fputs("{\"format\": \"foresight.replay\", \"case\": \"sweep\", \"title\": \"t\", \"kind\": \"llm-sweep\","
          " \"source\": \"s\", \"regime\": \"near\", \"counted\": true, \"files\": [\"silicon.csv\"],"
          " \"calibrates_from\": \"a\", \"predicts\": \"b\", \"naive\": \"n\", \"interval\": \"i\","
          " \"assumptions\": [], \"params\": {\"figure\": \"tpot\", \"experts\": {\"moe\": [64, 4]},"
          " \"group_by\": [\"engine\", \"precision\", \"tp\"]}}",
          f);
    fclose(f);
    cr_assert_eq(replay_case_read(arena_printf(arena, "%s/case.json", folder), arena, c, &err), 0, "%s",
                 err.text);
    cr_assert_eq(replay_run(c, 1, &opt, arena, &r, &err), 0, "%s", err.text);
    cr_assert_null(c->skipped, "%s", c->skipped);
}

Test(replay_serving, experts_that_are_all_read_bend_a_sweep_over_concurrency)
{
    struct replay_case c;
    FILE *f = open_file("silicon.csv");

    fputs(header, f);
    write_sweep(f, "fp8", 5, 0);
    write_sweep(f, "fp4", 3, 0); /* too few to tell three parts apart and predict a fourth */
    fclose(f);
    run_case(&c);
    cr_assert_eq(c.figures_n, 1);
    cr_assert_float_eq(c.figures[0].measured, law_ms(64) * 1e-3, 1e-9);
    cr_assert_float_eq(c.figures[0].predicted.mean, law_ms(64) * 1e-3, 1e-6);
    cr_assert_gt(c.figures[0].naive, 1.1 * law_ms(64) * 1e-3); /* the last two rise more steeply */
    replay_case_fini(&c);
}

Test(replay_serving, a_sweep_that_contradicts_itself_is_beyond_saturation)
{
    struct replay_case c;
    FILE *f = open_file("silicon.csv");

    fputs(header, f);
    write_sweep(f, "fp8", 6, 0);
    write_sweep(f, "fp4", 6, 32); /* nine times slower at 32: throughput falls */
    fclose(f);
    run_case(&c);
    cr_assert_eq(c.figures_n, 2);
    cr_assert_eq(c.figures[0].regime, REGIME_NEAR);
    cr_assert_eq(c.figures[1].regime, REGIME_BEYOND);
    replay_case_fini(&c);
}
