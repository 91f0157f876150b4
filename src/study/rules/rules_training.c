/*
 * rules_training.c - gangs of accelerators (models/gpu_training.c).
 */
#include "study/rules/rules_parts.h"

#include <string.h>

static void recompute(struct rules_work *w, const struct stage *st)
{
    static const char *const less[] = {"none", "selective", "full"};
    struct rewrite *r;

    if (!stage_is(st, "gpu_training"))
        return;
    for (int k = 0; strcmp(less[k], stage_choice(st, "recompute")) != 0; k++) {
        r = rewrite_new(w, "recompute", arena_printf(w->a, "recompute-%s", less[k]), st,
                        arena_printf(w->a, "Recompute %s: less work, more memory",
                                     k == 0 ? "nothing" : "attention alone"),
                        "activations are the same, kept or made again; refused where they do not fit");
        rewrite_set_own(w, r, "recompute", json_new_string(less[k]));
    }
}

static void overlap(struct rules_work *w, const struct stage *st)
{
    struct rewrite *r;

    if (!stage_is(st, "gpu_training") || stage_bool(st, "overlap"))
        return;
    if (stage_int(st, "tensor") == 1) {
        rewrite_refuse(w, "overlap", st,
                       "layers are not shared by tensor ranks: there is no exchange to hide");
        return;
    }
    r = rewrite_new(w, "overlap", NULL, st, "Tensor exchanges of backward behind weight gradients",
                    "weight gradients do not wait for what is exchanged");
    rewrite_set_own(w, r, "overlap", json_new_bool(true));
}

static void fused_attention(struct rules_work *w, const struct stage *st)
{
    struct rewrite *r;

    if (!stage_is(st, "gpu_training") || stage_bool(st, "fused_attention"))
        return;
    r = rewrite_new(w, "fuse", NULL, st, "Attention that never writes its map to memory",
                    "the same sums, in tiles");
    rewrite_set_own(w, r, "fused_attention", json_new_bool(true));
}

static void checkpoint_interval(struct rules_work *w, const struct stage *st)
{
    struct rewrite *r;

    if (!stage_is(st, "gpu_training") || stage_real(st, "checkpoint_interval") == 0)
        return;
    if (stage_real(st, "node_mtbf") == 0) {
        rewrite_refuse(w, "checkpoint-interval", st, "no node fails here");
        return;
    }
    r = rewrite_new(w, "checkpoint-interval", NULL, st, "Checkpoints as often as failures make best",
                    "the weights written are those that would have been written earlier or later");
    rewrite_set_own(w, r, "checkpoint_interval", json_new_number(0));
}

rule_fn *const rules_of_training[] = {recompute, overlap, fused_attention, checkpoint_interval, NULL};
