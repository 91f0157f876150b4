/*
 * vision_work.h - what a worker of each stage does with one batch, and how that is timed.
 *
 * vision_run() calls these from many threads, vision_profile() from one with
 * nothing else running: the same code on the same data.
 */
#ifndef EXECUTOR_VISION_WORK_H
#define EXECUTOR_VISION_WORK_H

#include "executor/image_cache.h"
#include "executor/kernels/convnet.h"
#include "executor/kernels/jpeg.h"
#include "executor/kernels/pixels.h"
#include "executor/span_log.h"
#include "executor/vision.h"

/* A plan with its data set, its cache, and the order of every epoch. */
struct vision_setup {
    struct vision_plan plan;
    const struct jpegs *set;
    struct image_cache cache;
    long runs, batches; /* of one epoch */
    long *order;        /* [epoch][place]: which run of neighbours comes */
};

void vision_setup_init(struct vision_setup *s, const struct vision_plan *plan, const struct jpegs *set);
void vision_setup_fini(struct vision_setup *s);

/* The switches that decide what an operator of the stage costs, as spans name them. */
void vision_variant(const struct vision_setup *s, enum vision_stage stage, char *buf, size_t size);

struct image_batch {
    uint64_t sequence;
    float *planes; /* [image][channel][y][x] */
    int32_t *labels;
};

void image_batch_init(struct image_batch *b, const struct image_loader_cfg *c);
void image_batch_fini(struct image_batch *b);

struct load_worker {
    struct vision_setup *setup;
    struct span_buf *spans;
    struct jpeg_reader reader;
    struct jpeg_decoder *decoder;
    struct resizer resizer;
    struct image now, other; /* the image at work; room for the next operator's result */
    double read_bytes;
};

/* *direct becomes false where the file system refuses to be read past the page cache. */
int load_worker_init(struct load_worker *w, struct vision_setup *s, struct span_buf *spans, bool *direct,
                     struct err *err);
void load_worker_fini(struct load_worker *w);

/* Batch `sequence`, counted through all epochs. */
int load_worker_run(struct load_worker *w, uint64_t sequence, struct image_batch *out, struct err *err);

struct step_worker {
    struct convnet *net;
    struct span_buf *spans;
    int conv;
};

void step_worker_init(struct step_worker *w, const struct vision_plan *plan, long largest_batch,
                      struct span_buf *spans);
void step_worker_fini(struct step_worker *w);
double step_worker_run(struct step_worker *w, const struct image_batch *b,
                       long count); /* the loss before it */

#endif
