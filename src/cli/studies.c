#include "cli/studies.h"

#include "cli/keep.h"
#include "study/details.h"
#include "study/shapley.h"

#include <stdio.h>
#include <string.h>

enum { RANK_REPLICATIONS = 6, RANK_REPLICATIONS_OF_MANY = 4, DETAIL_REPLICATIONS = 4 };

struct study study_of(const struct args *args, const struct loaded *l, long replications)
{
    if (args->precision > 0 && !args->quiet)
        fprintf(
            stderr,
            "foresight: warning: --precision does not stop a comparison of variants; --replications does\n");
    return (struct study){.tree = l->tree,
                          .file = l->file,
                          .resolver = &l->resolver,
                          .optimizations = l->optimizations,
                          .n = l->optimizations_n,
                          .seed = args->seed ? args->seed : l->scenario->seed,
                          .replications = args->replications ? args->replications : replications,
                          .threads = args->threads,
                          .confidence = args->confidence,
                          .limits = load_options(args, NULL)};
}

int measure_options_of(const struct args *args, struct measure_options *out, struct err *err)
{
    const char *pin = args_get(args, "pin", exec_pin_names[PIN_CORES]);
    int i = 0;

    while (exec_pin_names[i] != NULL && strcmp(exec_pin_names[i], pin) != 0)
        i++;
    if (exec_pin_names[i] == NULL)
        return err_set(err, ERR_USAGE, "--pin: \"%s\" is none of none, cores, each", pin);
    *out = (struct measure_options){
        .folder = args_get(args, "folder", "foresight.work"), .pin = (enum exec_pin)i, .spans = true};
    return 0;
}

int check_executable(const struct args *args, const struct loaded *l, struct err *err)
{
    struct exec_job job;
    const char *doubt;

    TRY(exec_prepare(l->scenario, l->arena, &job, err));
    doubt = exec_doubt(&job, l->arena);
    if (doubt != NULL && !args->quiet)
        fprintf(stderr, "foresight: warning: %s: %s\n", l->file, doubt);
    return 0;
}

int simulate_loaded(const struct args *args, struct loaded *l, struct outcome *out, struct err *err)
{
    struct simulate_options opt = load_options(args, NULL);
    int rc = simulate(l->scenario, &opt, l->arena, out, err);

    if (rc == 0 && args->uncertainty)
        rc = simulate_uncertainty(l->tree, l->file, &l->resolver, PARAMETER_DRAWS, &l->discrepancy, &opt, out,
                                  err);
    return rc;
}

int simulate_compared(const struct args *args, struct loaded *l, struct outcome *out, struct err *doubt,
                      struct err *err)
{
    int rc = simulate_loaded(args, l, out, err);

    if (rc != ERR_PRECISION)
        return rc;
    *doubt = *err;
    *err = (struct err){0};
    return 0;
}

int rank_loaded(const struct args *args, struct loaded *l, struct study *st, struct ranking *out,
                struct err *err)
{
    struct progress *progress = progress_new(args->progress, args->quiet);
    struct rank_options opt = {
        .uncertainty = args->uncertainty, .discrepancy = l->gain_discrepancy, .progress = progress};
    int rc;

    *st = study_of(args, l,
                   l->optimizations_n > SHAPLEY_EXACT_MAX ? RANK_REPLICATIONS_OF_MANY : RANK_REPLICATIONS);
    rc = rank_scenario(st, &opt, l->arena, out, err);
    progress_free(progress);
    return rc;
}

int study_run(const struct args *args, struct loaded *l, struct err *err)
{
    struct err doubt = {0};
    struct outcome o;

    TRY(simulate_compared(args, l, &o, &doubt, err));
    if (doubt.text[0] != '\0' && !args->quiet)
        fprintf(stderr, "foresight: warning: %s\n", doubt.text);
    return keep_result(args, l, "run", outcome_json(&o), NULL, err);
}

int study_rank(const struct args *args, struct loaded *l, struct err *err)
{
    struct study st;
    struct ranking r;
    int rc = rank_loaded(args, l, &st, &r, err);

    if (rc == 0)
        rc = keep_result(args, l, "rank", ranking_json(&st, &r), NULL, err);
    ranking_fini(&r);
    return rc;
}

int study_details(const struct args *args, struct loaded *l, struct err *err)
{
    struct study st = study_of(args, l, DETAIL_REPLICATIONS);
    struct json *doc = NULL;

    TRY(details_json(&st, l->scenario, &doc, err));
    return keep_result(args, l, "report", doc, NULL, err);
}
