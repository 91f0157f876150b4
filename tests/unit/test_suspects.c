/* Recordings that are throttled, not stationary, or contradict themselves are recognized and said; sound ones
 * are not. */
#include "import_helpers.h"

#include "base/text.h"

TestSuite(suspects, .init = temp_begin, .fini = temp_end);

static struct import_report report;

static void take(const char *name, const char *text)
{
    struct store *s = temp_open(STORE_WRITE);

    OK(import_into(s, write_text(name, text), NULL, &report));
    store_close(s);
}

/* How many of what was noted with these words; 0: it was not. */
static int64_t noted(const char *words)
{
    for (size_t i = 0; i < report.suspect_n; i++)
        if (strstr(report.suspect[i].what, words) != NULL)
            return report.suspect[i].n;
    return 0;
}

static void sweep(struct text *t, int clients, double per_s, double latency_s)
{
    text_printf(t,
                "{\"file\": \"a_conc%d.json\", \"num_prompts\": 100, \"max_concurrency\": %d, "
                "\"request_throughput\": %g, "
                "\"median_ttft\": 0.1, \"mean_e2el\": %g}\n",
                clients, clients, per_s, latency_s);
}

Test(suspects, closed_loops_obey_littles_law)
{
    struct text t = {0};

    sweep(&t, 4, 4, 1);
    sweep(&t, 8, 7.8, 1.02);
    take("sound.jsonl", t.s);
    cr_expect_eq(report.suspect_n, 0);
    sweep(&t, 16, 8, 1.2); /* only 9.6 of 16 are waiting for an answer */
    take("idle.jsonl", t.s);
    cr_expect_eq(noted("Little's law: throughput x latency (8/s x 1.2 s) makes 9.6 busy clients of 16"), 1);
    t.len = 0;
    sweep(&t, 4, 8, 1); /* more answers than clients could ask for */
    take("impossible.jsonl", t.s);
    cr_expect_eq(noted("makes 8 busy clients of 4"), 1);
    text_free(&t);
}

Test(suspects, kernels_measured_at_the_power_limit_are_throttled)
{
    take("gemm_perf.csv",
         "framework,version,device,op_name,kernel_source,gemm_dtype,m,n,k,latency,power,power_limit\n"
         "VLLM,0.22,NVIDIA H200,gemm,vllm,bfloat16,128,4096,512,0.25,500,700\n"
         "VLLM,0.22,NVIDIA H200,gemm,vllm,bfloat16,8192,4096,512,9.25,699,700\n");
    cr_expect_eq(noted("at the power limit"), 1);
}

Test(suspects, repeated_records_are_counted_where_they_would_count_twice)
{
    take("ops.csv",
         "op,tokens,batch,chunk,context,time_s\nprefill,512,1,512,0,0.041\ndecode,8,8,,1024,0.0097\n"
         "prefill,512,1,512,0,0.041\nprefill,512,1,512,0,0.041\n");
    cr_expect_eq(noted("repeat an earlier one"), 2);
    take("lengths.csv", "num_prefill_tokens,num_decode_tokens,num_total_tokens,pd_ratio\n3772,54,3826,69.85\n"
                        "3772,54,3826,69.85\n");
    cr_expect_eq(report.suspect_n, 0, "lengths alone may be equal");
}

static void noise(struct text *t, const char *name, double before, double after)
{
    t->len = 0;
    text_add(t, "value,runtime,starttime,VM_id\n");
    for (int i = 0; i < 90; i++)
        text_printf(t, "%g,33,2024-06-06 12:%02d:%02d.000,0\n", (i < 45 ? before : after) + i * 7 % 10,
                    i / 60, i % 60);
    take(name, t->s);
}

Test(suspects, what_is_measured_again_and_again_must_not_drift)
{
    struct text t = {0};

    noise(&t, "steady_MiBps.csv", 195, 196);
    cr_expect_eq(report.suspect_n, 0);
    noise(&t, "falling_MiBps.csv", 195, 120);
    cr_expect_eq(noted("not stationary"), 1);
    text_free(&t);
}

static void step(struct text *t, int i, int dur_us)
{
    text_printf(
        t,
        "%s{\"ph\": \"X\", \"name\": \"ProfilerStep#%d\", \"pid\": 1, \"tid\": 1, \"ts\": %d, \"dur\": %d}",
        i > 0 ? ",\n" : "[", i, 200000 * i, dur_us);
}

Test(suspects, training_steps_that_slow_down_are_throttled_or_leak)
{
    struct text t = {0};

    for (int i = 0; i < 60; i++)
        step(&t, i, 100000 + 1500 * i + i * 7 % 10);
    text_add(&t, "]\n");
    take("slowing.json", t.s);
    cr_expect_eq(noted("the median of the time of a step goes from 0.115 s in the first third to 0.175 s"), 1,
                 "%s", report.suspect_n > 0 ? report.suspect[0].what : "nothing");
    text_free(&t);
}

Test(suspects, a_gap_of_half_the_recording_is_a_clock_that_was_set)
{
    struct text t = {0};

    for (int i = 0; i < 40; i++)
        text_printf(&t, "{\"timestamp\": %d, \"input_length\": %d, \"output_length\": 1, \"hash_ids\": []}\n",
                    i * 1000 + (i >= 20 ? 3600000 : 0), i);
    take("jump.jsonl", t.s);
    cr_expect_eq(noted("nothing arrives for 3601 s of 3639 s"), 1);
    text_free(&t);
}

Test(suspects, two_clocks_keep_their_distance)
{
    static const char line[] =
        "{\"request_id\": \"%d\", \"input_toks\": 10, \"output_toks\": 5, \"arrival_time\": %g, "
        "\"queued_ts\": %g, \"scheduled_ts\": %g, \"first_token_ts\": %g, \"last_token_ts\": %g}\n";
    struct text t = {0};

    for (int i = 0; i < 3; i++) {
        double on = 100 + i + (i == 2 ? 5 : 0);

        text_printf(&t, line, i, 5000.0 + i, on, on, on + 0.5, on + 1);
    }
    take("requests.jsonl", t.s);
    cr_expect_eq(noted("the two clocks are 5 s farther apart"), 1);
    text_free(&t);
}
