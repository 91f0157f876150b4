/* Desks against queueing theory: priorities, last come first served, patience, set-up, breakdown. */
#include "closed_forms.h"

#include "engine/desk.h"

struct setting {
    struct desk_spec spec;
    double rate_per_s[2]; /* of the urgent and the others; service is Exp(1) */
    double patience_rate; /* > 0: patience is exponential */
    double fail_rate, repair_rate;
    long jobs;
};

struct run {
    const struct setting *setting;
    struct desk *desk;
    struct rng rng;
    double *arrived_s;
    long first, begun;
    bool down;
    struct tally sojourn[2];
};

static void done(struct sim *sim, void *self, uint64_t job)
{
    struct run *run = self;

    if ((long)(job >> 1) >= run->first)
        tally_add(&run->sojourn[job & 1], sim->now - run->arrived_s[job >> 1]);
}

static void arrive(struct sim *sim, void *self, uint64_t class)
{
    struct run *run = self;
    const struct setting *s = run->setting;
    struct desk_job job = {
        .service_s = rng_exponential(&run->rng), .priority = (int)class, .done = done, .self = run};

    if (run->begun == run->first)
        desk_begin_measuring(run->desk);
    if (run->begun == run->first + s->jobs) {
        sim_stop(sim);
        return;
    }
    if (s->patience_rate > 0)
        job.patience_s = rng_exponential(&run->rng) / s->patience_rate;
    job.arg = (uint64_t)run->begun << 1 | class;
    run->arrived_s[run->begun++] = sim->now;
    desk_enter(run->desk, &job);
    sim_after(sim, rng_exponential(&run->rng) / s->rate_per_s[class], arrive, run, class);
}

static void toggle(struct sim *sim, void *self, uint64_t arg)
{
    struct run *run = self;
    double rate = run->down ? run->setting->fail_rate : run->setting->repair_rate;

    run->down = !run->down;
    desk_set_servers(run->desk, run->down ? 0 : run->setting->spec.servers);
    sim_after(sim, rng_exponential(&run->rng) / rate, toggle, run, arg);
}

enum { W_URGENT, W_OTHERS, INSIDE, GAVE_UP };

static void model(struct sim *sim, const void *setting, double figure[MAX_FIGURES])
{
    const struct setting *s = setting;
    struct run run = {.setting = s, .desk = desk_new(sim, "desk", &s->spec), .first = s->jobs / 10};
    struct desk_stats stats;

    run.arrived_s = arena_array(sim->arena, (size_t)(run.first + s->jobs), sizeof(double));
    rng_stream(&run.rng, sim->seed, sim->replication, "all");
    for (uint64_t class = 0; class < 2; class ++)
        if (s->rate_per_s[class] > 0)
            sim_after(sim, rng_exponential(&run.rng) / s->rate_per_s[class], arrive, &run, class);
    if (s->fail_rate > 0)
        sim_after(sim, rng_exponential(&run.rng) / s->fail_rate, toggle, &run, 0);
    sim_run(sim, INFINITY);
    stats = desk_stats(run.desk);
    figure[W_URGENT] = run.sojourn[0].mean;
    figure[W_OTHERS] = run.sojourn[1].mean;
    figure[INSIDE] = stats.busy_mean + stats.queue_mean;
    figure[GAVE_UP] = (double)stats.gave_up / (double)stats.arrived;
}

static void check(const char *name, const struct setting *s, uint64_t seed, const double truth[MAX_FIGURES])
{
    struct experiment x = {.model = model, .setting = s, .seed = seed};

    experiment_run(&x);
    for (int i = 0; i < MAX_FIGURES; i++)
        if (truth[i] != 0)
            expect_figure(&x, name, i, truth[i], 1e-6);
}

/* rho .3 urgent, .5 others: Cobham without interruption; with it the urgent see an M/M/1 of their own. */
Test(disciplines, two_priorities)
{
    const struct setting waits = {
        .spec = {1, -1, DESK_PRIORITY, 0}, .rate_per_s = {0.3, 0.5}, .jobs = 100000};
    const struct setting pushes = {
        .spec = {1, -1, DESK_PREEMPT, 0}, .rate_per_s = {0.3, 0.5}, .jobs = 100000};

    check("not interrupted", &waits, 1, (const double[]){1 + 0.8 / 0.7, 1 + 0.8 / (0.7 * 0.2), 0, 0});
    check("interrupted", &pushes, 2, (const double[]){1 / 0.7, 1 / (0.7 * 0.2), 4, 0});
}

Test(disciplines, last_come_first_served_has_the_same_mean)
{
    const struct setting s = {.spec = {1, -1, DESK_LIFO, 0}, .rate_per_s = {0.8, 0}, .jobs = 100000};

    check("LIFO", &s, 3, (const double[]){5, 0, 4, 0});
}

/* M/M/2 + M: births at 2.4, deaths at n for n <= 2 and at 2 + .5 (n - 2) beyond. */
Test(disciplines, exponential_patience)
{
    const struct setting s = {
        .spec = {2, -1, DESK_FIFO, 0}, .rate_per_s = {2.4, 0}, .patience_rate = 0.5, .jobs = 50000};
    double p = 1, sum = 1, inside = 0, leaving = 0;

    for (int n = 1; n < 200; n++) {
        p *= 2.4 / (n <= 2 ? n : 2 + 0.5 * (n - 2));
        sum += p;
        inside += n * p;
        leaving += n > 2 ? 0.5 * (n - 2) * p : 0;
    }
    check("M/M/2 + M", &s, 4, (const double[]){0, 0, inside / sum, leaving / sum / 2.4});
}

/* Welch: a first service that is D longer adds (2 D + lambda D^2) / (2 (1 + lambda D)) to the mean wait. */
Test(disciplines, set_up_of_an_idle_server)
{
    const struct setting s = {.spec = {1, -1, DESK_FIFO, 1}, .rate_per_s = {0.8, 0}, .jobs = 100000};

    check("set-up", &s, 5, (const double[]){5 + (2 + 0.8) / (2 * 1.8), 0, 0, 0});
}

/* White and Christie: L = rho / (A - rho) (1 + mu f / (f + r)^2), A = r / (f + r), also failing when idle. */
Test(disciplines, a_server_that_breaks_down)
{
    const double f = 0.1, r = 0.4, rho = 0.5;
    const struct setting s = {.spec = {1, -1, DESK_FIFO, 0},
                              .rate_per_s = {rho, 0},
                              .fail_rate = f,
                              .repair_rate = r,
                              .jobs = 100000};

    check("breakdown", &s, 6,
          (const double[]){0, 0, rho / (r / (f + r) - rho) * (1 + f / ((f + r) * (f + r))), 0});
}
