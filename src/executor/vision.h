/*
 * vision.h - really runs the vision training path on this machine.
 *
 *     JPEG files ─> image_loader ─(batches)─> image_training
 *
 * A loader's worker takes the next batch of the epoch's order, reads its images
 * in runs, decodes and transforms them, and hands the batch over; batches reach
 * the trainer in order.  What is random (the order of runs, crops, flips) is
 * drawn from (seed, epoch, image), so batches are the same for any number of
 * workers.  The clock starts when the threads are released and stops when the
 * trainer has finished the last batch.
 *
 * Spans count items and bytes as models/images.h and image_training.h say.
 */
#ifndef EXECUTOR_VISION_H
#define EXECUTOR_VISION_H

#include "executor/path.h"
#include "models/image_training.h"
#include "models/images.h"

enum vision_stage { VISION_LOAD, VISION_TRAIN, VISION_STAGES };

/* Everything that decides what is executed. */
struct vision_plan {
    struct image_loader_cfg load;
    struct image_training_cfg train;
    const char *stage_names[VISION_STAGES];
    long buffer; /* batches between the stages */
    long epochs;
    uint64_t seed;
};

/* `losses`: one per batch, before its update; NULL: nobody wants them. */
int vision_run(const struct vision_plan *plan, const struct exec_options *opt, struct span_log *log,
               struct exec_outcome *out, double *losses, struct err *err);

/* The operators alone: one thread, photographs of all sizes, all settings of the switches. */
int vision_profile(const struct vision_plan *plan, const struct exec_options *opt, struct span_log *log,
                   struct err *err);

#endif
