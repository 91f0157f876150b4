/*
 * rag_world.c - the library, its vectors and their indexes, made once and found again.
 */
#include "base/arena.h"
#include "engine/rng.h"
#include "executor/memory.h"
#include "executor/rag.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, LIBRARY_VERSION = 1 };

/* What the vectors depend on. */
static uint64_t library_hash(const struct rag_plan *p)
{
    const struct law *l = &p->ask.passage_tokens;
    char text[256];

    snprintf(text, sizeof text, "%d %llu %ld %ld %d %.9g %.9g %.9g %.9g", LIBRARY_VERSION,
             (unsigned long long)p->seed, p->search.vectors, p->search.dims, (int)l->kind, l->mean, l->cv,
             l->lo, l->hi);
    return rng_hash(text);
}

static int read_vectors(const char *path, float *to, size_t n)
{
    FILE *f = fopen(path, "rb");
    size_t got = f != NULL ? fread(to, sizeof *to, n, f) : 0;

    if (f != NULL)
        fclose(f);
    return got == n ? 0 : -1;
}

/* Under another name until it is whole. */
static int write_vectors(const char *path, const float *from, size_t n, struct err *err)
{
    char temporary[PATH_SIZE + 8];
    FILE *f;
    bool good;

    snprintf(temporary, sizeof temporary, "%s.part", path);
    f = fopen(temporary, "wb");
    if (f == NULL)
        return err_io(err, "write", temporary);
    good = fwrite(from, sizeof *from, n, f) == n;
    good = fclose(f) == 0 && good;
    if (good && rename(temporary, path) == 0)
        return 0;
    unlink(temporary);
    return err_io(err, "write", path);
}

static int open_vectors(struct rag_world *w, struct err *err)
{
    const struct rag_plan *p = w->plan;
    size_t n = (size_t)(p->search.vectors * p->search.dims);
    char path[PATH_SIZE];

    w->vectors = memory_new(n * sizeof *w->vectors);
    snprintf(path, sizeof path, "%s/vectors-%016llx.f32", w->folder, (unsigned long long)library_hash(p));
    if (read_vectors(path, w->vectors, n) == 0)
        return 0;
    encoder_run(w->encoder, library_words(w->library), p->search.vectors, w->vectors);
    return write_vectors(path, w->vectors, n, err);
}

int rag_world_open(struct rag_world *w, const struct rag_plan *plan, const char *folder, struct err *err)
{
    long most_texts = plan->embed.max_batch > 64 ? plan->embed.max_batch : 64;

    *w = (struct rag_world){.plan = plan, .folder = folder};
    TRY(index_available(err));
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return err_io(err, "make the folder", folder);
    w->library = library_new(plan->search.vectors, &plan->ask.passage_tokens, plan->seed);
    w->encoder = encoder_new(plan->search.dims, most_texts, plan->seed);
    encoder_learn(w->encoder, library_words(w->library), plan->search.vectors);
    return open_vectors(w, err);
}

void rag_world_close(struct rag_world *w)
{
    library_free(w->library);
    encoder_free(w->encoder);
    free(w->vectors);
}

int rag_world_index(const struct rag_world *w, int kind, struct vector_index **out, struct err *err)
{
    const struct vector_db_cfg *c = &w->plan->search;
    struct index_settings s = {.kind = kind, .dims = c->dims};
    char path[PATH_SIZE], temporary[PATH_SIZE + 8];
    struct err unread = {0};

    if (kind == INDEX_FLAT)
        return index_build(&s, w->vectors, c->vectors, out, err);
    s.nlist = kind == INDEX_IVF ? c->nlist : 0;
    s.m_links = kind == INDEX_HNSW ? c->m_links : 0;
    s.ef_construction = kind == INDEX_HNSW ? c->ef_construction : 0;
    snprintf(path, sizeof path, "%s/index-%016llx-%d-%ld-%ld-%ld.faiss", w->folder,
             (unsigned long long)library_hash(w->plan), kind, s.nlist, s.m_links, s.ef_construction);
    if (access(path, R_OK) == 0 && index_read(&s, path, out, &unread) == 0)
        return 0;
    TRY(index_build(&s, w->vectors, c->vectors, out, err));
    snprintf(temporary, sizeof temporary, "%s.part", path);
    TRY(index_write(*out, temporary, err));
    return rename(temporary, path) == 0 ? 0 : err_io(err, "write", path);
}

long rag_hits(const long *neighbour, const long *exact, long k)
{
    long hits = 0;

    for (long i = 0; i < k; i++)
        for (long j = 0; j < k; j++)
            hits += neighbour[i] >= 0 && neighbour[i] == exact[j];
    return hits;
}

long rag_length(const struct rag_plan *p, const struct law *law, uint64_t question, uint64_t purpose)
{
    struct rng r;
    long n;

    rng_keyed(&r, p->seed, 0, rng_hash("executor.rag"), question, purpose);
    n = lround(law_draw(law, &r));
    return n < 1 ? 1 : n;
}

void rag_pin(const struct rag_plan *p, const struct exec_options *opt, enum rag_stage stage)
{
    long at = 0, first = p->processor[stage], last = first + p->processors[stage];
    cpu_set_t allowed, mine;

    CPU_ZERO(&allowed);
    CPU_ZERO(&mine);
    if (opt->pin == PIN_NONE || sched_getaffinity(getpid(), sizeof allowed, &allowed) != 0)
        return;
    for (int c = 0; c < CPU_SETSIZE; c++)
        if (CPU_ISSET(c, &allowed)) {
            if (at >= first && at < last)
                CPU_SET(c, &mine);
            at++;
        }
    if (CPU_COUNT(&mine) > 0)
        sched_setaffinity(0, sizeof mine, &mine);
}
