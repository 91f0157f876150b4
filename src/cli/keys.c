#include "cli/keys.h"

#include "pipeline/constraint.h"
#include "pipeline/knob.h"
#include "pipeline/scenario.h"

#include <string.h>

const struct key_group key_groups[] = {{"scenario", scenario_keys},   {"pipeline", pipeline_keys},
                                       {"stage", stage_keys},         {"knob", knob_keys},
                                       {"objective", objective_keys}, {NULL, NULL}};

const char *const resource_references[] = {"preset", "calibration", NULL};

const struct key_help key_helps[] = {
    {"scenario", "$schema", "Where an editor finds the JSON Schema: the output of `foresight schema`"},
    {"scenario", "name", "What results, traces and reports call it"},
    {"scenario", "unit", "What throughput counts: sample, request, document"},
    {"scenario", "seed", "Of all random streams; --seed overrides it"},
    {"scenario", "description", "What question the scenario answers, for readers"},
    {"scenario", "horizon", "\"steady\", {\"items\": N} or {\"terminating\": TIME}: how long it runs"},
    {"scenario", "workload",
     "Who asks: exactly one of open, closed, clients, trace; beside it requests, sessions, dataset"},
    {"scenario", "resources", "What is contended for, by name: cores, gpus, servers, disks, links"},
    {"scenario", "stages", "What is computed, in the order of flow"},
    {"scenario", "edges", "[\"from\", \"to\", {\"buffer\": N, \"share\": P}]; default: a chain"},
    {"scenario", "pipelines",
     "Several flows on the same resources, in the place of workload, horizon and edges"},
    {"scenario", "optimizations",
     "Named what-ifs: {\"name\", \"set\": {PATH: VALUE}, \"about\", \"touches\", \"excludes\", \"effort\"}"},
    {"scenario", "knobs", "Settings that search and plan may change"},
    {"scenario", "objective", "What is to be maximized or minimized, and what quality or the whole is worth"},
    {"scenario", "constraints", "What must hold: a list of FIGURE <= QUANTITY or FIGURE >= QUANTITY"},
    {"scenario", "slo", "What a request must meet to count as goodput: latency_s, queue_s, ttft_s, tpot_s"},
    {"scenario", "exec", "How the executor builds its data: sizes and seeds"},
    {"scenario", "assumed", "{PATH: REASON}: values that nobody measured"},
    {"pipeline", "name", "What paths and results call it"},
    {"pipeline", "unit", "What its throughput counts; default: the scenario's"},
    {"pipeline", "workload", "Who asks, as of a scenario with one pipeline"},
    {"pipeline", "horizon", "How long it runs, as of a scenario with one pipeline"},
    {"pipeline", "stages", "Its stages; names are unique in the whole scenario"},
    {"pipeline", "edges", "Between its stages; default: a chain"},
    {"pipeline", "objective", "true: its metrics are the scenario's"},
    {"pipeline", "slo", "Its own limits, in the place of the scenario's"},
    {"stage", "name", "What edges, calls, paths and results call it"},
    {"stage", "model", "Which component it is: `foresight models` lists them"},
    {"stage", "on", "{ROLE: RESOURCE}: what it runs on; `foresight models NAME` names the roles"},
    {"stage", "params", "The model's parameters"},
    {"stage", "calls", "{ROLE: STAGE}: whom it asks and waits for"},
    {"stage", "owner", "The team that pays for it"},
    {"stage", "calibration", "Name of fitted parameters in the store; they go over a preset"},
    {"stage", "preset", "Name of parameters in models/presets; they go over params"},
    {"resource", "preset", "Name of values in models/presets"},
    {"resource", "calibration", "Name of fitted parameters in the store; they go over a preset"},
    {"knob", "name", "What results call it; default: the path"},
    {"knob", "path", "What it sets, as behind --set; or a list of paths that get the same value"},
    {"knob", "values", "The values it may take"},
    {"knob", "range", "[LO, HI], in the place of values; default: the parameter's own"},
    {"knob", "step", "Of the range: distance between values"},
    {"knob", "scale", "Of the range: linear or log"},
    {"knob", "points", "Of the range: how many values"},
    {"knob", "about", "What it is, for readers"},
    {"knob", "effort", "What changing it takes"},
    {"objective", "maximize",
     "A figure of the result, as in throughput_per_s or pipelines[NAME].goodput_per_s"},
    {"objective", "minimize", "A figure of the result, as in cost_usd_per_1m_units"},
    {"objective", "quality_usd", "Dollars that one more unit of quality is worth, for each unit of work"},
    {"objective", "whole", "\"spend\" or {PIPELINE: WEIGHT}: rank all pipelines together"},
    {NULL, NULL, NULL}};

const char *key_help(const char *of, const char *key)
{
    for (const struct key_help *h = key_helps; h->key != NULL; h++)
        if (strcmp(h->of, of) == 0 && strcmp(h->key, key) == 0)
            return h->help;
    return NULL;
}
