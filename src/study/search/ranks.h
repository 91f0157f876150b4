/*
 * ranks.h - the same units of work over the processes that `mpirun` started (configure --with-mpi).
 *
 * Every process reads the scenario and makes the same space of it.  Rank 0 searches: it alone writes to the
 * store and prints; it hands units to the others one at a time, and computes some itself.  Since a unit is a
 * pure function of what is sent, results do not depend on how many there are.  A rank that dies takes the job
 * with it, as MPI does; what was finished is in the store of rank 0, and the same command goes on from there.
 *
 * Built without MPI there is one process, and ranks_count() is 1.
 */
#ifndef STUDY_SEARCH_RANKS_H
#define STUDY_SEARCH_RANKS_H

#include "engine/replicate.h"
#include "study/search/work.h"

/* Joins the other processes, if mpirun started any; ERR_PROGRAM when it did and this program knows no MPI. */
int ranks_begin(struct err *err);
void ranks_end(void); /* rank 0 sends the others home */
int ranks_count(void);
int ranks_me(void);

/* 0 when every rank has got this far without an error; each must ask. */
int ranks_agree(int code, struct err *err);

/* What all ranks but 0 do until rank 0 ends. */
int ranks_serve(const struct space *sp, struct err *err);

struct ranks_job {
    void *ctx;
    struct work_unit **units;
    size_t n, row;
    double length;         /* of replications */
    int threads;           /* of rank 0 */
    replicate_fn *compute; /* unit i in this process, and finish it */
    int (*finish)(void *ctx, size_t i,
                  struct err *err); /* of a unit whose code, figures and warm-up are filled */
    const volatile sig_atomic_t *stop;
};
int ranks_run(struct ranks_job *job, struct err *err);

#endif
