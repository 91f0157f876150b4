#include "study/search/ranks.h"

#include <stdlib.h>
#include <string.h>

#ifdef HAVE_MPI

#include <mpi.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum tag { TAG_UNIT = 1, TAG_HOME, TAG_DONE };

/* What comes back, in front of the figures. */
struct reply {
    int code;
    double warmup;
};

static int count = 1, me;
static bool serving; /* the other ranks wait for units */

int ranks_count(void)
{
    return count;
}

int ranks_me(void)
{
    return me;
}

/* Only where mpirun started us: MPI_Init by itself would take a second and open sockets. */
int ranks_begin(struct err *err)
{
    int given;

    if (getenv("OMPI_COMM_WORLD_SIZE") == NULL && getenv("PMIX_RANK") == NULL && getenv("PMI_RANK") == NULL)
        return 0;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given) != MPI_SUCCESS ||
        given < MPI_THREAD_FUNNELED)
        return err_set(err, ERR_FAILED, "MPI does not start");
    MPI_Comm_size(MPI_COMM_WORLD, &count);
    MPI_Comm_rank(MPI_COMM_WORLD, &me);
    return 0;
}

void ranks_end(void)
{
    int initialized;

    MPI_Initialized(&initialized);
    if (!initialized)
        return;
    for (int i = 1; serving && me == 0 && i < count; i++)
        MPI_Send(NULL, 0, MPI_BYTE, i, TAG_HOME, MPI_COMM_WORLD);
    MPI_Finalize();
}

int ranks_agree(int code, struct err *err)
{
    int worst = code;

    if (count > 1)
        MPI_Allreduce(&code, &worst, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (code == 0 && worst != 0)
        return err_set(err, worst, "another rank of this search could not begin");
    serving = worst == 0;
    return code;
}

/* Open MPI waits by spinning; a rank that waits beside others on the same cores had better sleep. */
static void wait_message(int from, MPI_Status *status)
{
    const struct timespec pause = {.tv_nsec = 200000};
    int there = 0;

    for (;;) {
        MPI_Iprobe(from, MPI_ANY_TAG, MPI_COMM_WORLD, &there, status);
        if (there)
            return;
        nanosleep(&pause, NULL);
    }
}

int ranks_serve(const struct space *sp, struct err *err)
{
    size_t row = (size_t)figures_count() * (size_t)sp->base->pipelines_n;

    (void)err;
    for (;;) {
        struct work_request request;
        struct reply reply = {0};
        MPI_Status status;
        char *out;
        size_t bytes;

        wait_message(0, &status);
        if (status.MPI_TAG == TAG_HOME) {
            MPI_Recv(NULL, 0, MPI_BYTE, 0, TAG_HOME, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            return 0;
        }
        MPI_Recv(&request, sizeof request, MPI_BYTE, 0, TAG_UNIT, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        bytes = (size_t)request.n * row * sizeof(double);
        out = xcalloc(1, sizeof reply + bytes);
        reply.code = work_compute(sp, &request, (double *)(void *)(out + sizeof reply), &reply.warmup);
        memcpy(out, &reply, sizeof reply);
        MPI_Send(out, (int)(sizeof reply + bytes), MPI_BYTE, 0, TAG_DONE, MPI_COMM_WORLD);
        free(out);
    }
}

/* --------------------------------------------------------------- rank 0 */

struct crew {
    struct ranks_job *job;
    atomic_size_t next;
    atomic_int code;
    pthread_mutex_t lock;
    struct err *err;
};

static void record(struct crew *c, int code, const struct err *err)
{
    pthread_mutex_lock(&c->lock);
    if (atomic_load(&c->code) == 0) {
        *c->err = *err;
        atomic_store(&c->code, code);
    }
    pthread_mutex_unlock(&c->lock);
}

/* The next unit nobody has; job->n when there is none or nothing new shall begin. */
static size_t next_unit(struct crew *c)
{
    struct err err = {0};
    size_t i;

    if (atomic_load(&c->code) != 0)
        return c->job->n;
    if (c->job->stop != NULL && *c->job->stop) {
        err_set(&err, ERR_CAP, "interrupted");
        record(c, ERR_CAP, &err);
        return c->job->n;
    }
    i = atomic_fetch_add(&c->next, 1);
    return i < c->job->n ? i : c->job->n;
}

static void *compute_here(void *arg)
{
    struct crew *c = arg;
    size_t i;

    while ((i = next_unit(c)) < c->job->n) {
        struct err err = {0};
        int code = c->job->compute(c->job->ctx, (uint32_t)i, &err);

        if (code != 0)
            record(c, code, &err);
    }
    return NULL;
}

static bool send_unit(struct crew *c, int rank, size_t *has)
{
    const struct work_unit *u;
    struct work_request request;

    *has = next_unit(c);
    if (*has == c->job->n)
        return false;
    u = c->job->units[*has];
    memset(&request, 0, sizeof request);
    request.c = u->point->c;
    request.first = u->first;
    request.n = u->n;
    request.warmup = u->warmup;
    request.length = c->job->length;
    MPI_Send(&request, sizeof request, MPI_BYTE, rank, TAG_UNIT, MPI_COMM_WORLD);
    return true;
}

static void receive(struct crew *c, const MPI_Status *status, const size_t *has)
{
    size_t i = has[status->MPI_SOURCE];
    struct work_unit *u = c->job->units[i];
    size_t bytes = (size_t)u->n * c->job->row * sizeof(double);
    char *in = xcalloc(1, sizeof(struct reply) + bytes);
    struct reply reply;
    struct err err = {0};
    int code;

    MPI_Recv(in, (int)(sizeof reply + bytes), MPI_BYTE, status->MPI_SOURCE, TAG_DONE, MPI_COMM_WORLD,
             MPI_STATUS_IGNORE);
    memcpy(&reply, in, sizeof reply);
    u->figures = xcalloc((size_t)u->n * c->job->row, sizeof *u->figures);
    memcpy(u->figures, in + sizeof reply, bytes);
    u->code = reply.code;
    u->warmup = reply.warmup;
    free(in);
    code = c->job->finish(c->job->ctx, i, &err);
    if (code != 0)
        record(c, code, &err);
}

/* The main thread speaks to the other ranks, since MPI wants it so; its other threads compute. */
static void feed(struct crew *c)
{
    size_t *has = xcalloc((size_t)count, sizeof *has);
    int out = 0;

    for (int i = 1; i < count; i++)
        out += send_unit(c, i, &has[i]);
    while (out > 0) {
        MPI_Status status;

        wait_message(MPI_ANY_SOURCE, &status);
        receive(c, &status, has);
        out += send_unit(c, status.MPI_SOURCE, &has[status.MPI_SOURCE]) - 1;
    }
    free(has);
}

int ranks_run(struct ranks_job *job, struct err *err)
{
    struct crew c = {.job = job, .lock = PTHREAD_MUTEX_INITIALIZER, .err = err};
    int threads = job->threads > 0 ? job->threads : 1, started = 0;
    pthread_t *thread = xcalloc((size_t)threads, sizeof *thread);

    while (started < threads && pthread_create(&thread[started], NULL, compute_here, &c) == 0)
        started++;
    feed(&c);
    if (started == 0)
        compute_here(&c);
    while (started > 0)
        pthread_join(thread[--started], NULL);
    free(thread);
    return atomic_load(&c.code);
}

#else

int ranks_count(void)
{
    return 1;
}

int ranks_me(void)
{
    return 0;
}

int ranks_begin(struct err *err)
{
    const char *size = getenv("OMPI_COMM_WORLD_SIZE");

    if (size != NULL && strcmp(size, "1") != 0)
        return err_set(err, ERR_PROGRAM,
                       "mpirun started %s processes, but this program was built without MPI; configure "
                       "--with-mpi (it needs libopenmpi-dev)",
                       size);
    return 0;
}

void ranks_end(void)
{
}

int ranks_agree(int code, struct err *err)
{
    (void)err;
    return code;
}

int ranks_serve(const struct space *sp, struct err *err)
{
    (void)sp;
    return err_set(err, ERR_PROGRAM, "built without MPI");
}

int ranks_run(struct ranks_job *job, struct err *err)
{
    return replicate_run(0, (uint32_t)job->n, job->threads, job->compute, job->ctx, err);
}

#endif
