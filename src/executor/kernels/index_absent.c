/*
 * kernels/index_absent.c - stands in for index_faiss.cc where the program was built without FAISS.
 */
#include "executor/kernels/index_faiss.h"

#include <stddef.h>

int index_available(struct err *err)
{
    return err_set(
        err, ERR_PROGRAM,
        "this foresight was built without FAISS, which the retrieval path of the executor searches "
        "with: install libfaiss-dev and g++, run configure again and rebuild");
}

int index_build(const struct index_settings *s, const float *vectors, long n, struct vector_index **out,
                struct err *err)
{
    (void)s;
    (void)vectors;
    (void)n;
    *out = NULL;
    return index_available(err);
}

void index_free(struct vector_index *x)
{
    (void)x;
}

int index_write(const struct vector_index *x, const char *path, struct err *err)
{
    (void)x;
    (void)path;
    return index_available(err);
}

int index_read(const struct index_settings *s, const char *path, struct vector_index **out, struct err *err)
{
    (void)s;
    (void)path;
    *out = NULL;
    return index_available(err);
}

void index_effort(struct vector_index *x, long effort)
{
    (void)x;
    (void)effort;
}

int index_search(struct vector_index *x, const float *query, long k, long *id, struct err *err)
{
    (void)x;
    (void)query;
    (void)k;
    (void)id;
    return index_available(err);
}
