/*
 * kernels/index_faiss.h - nearest-neighbour search with FAISS, behind a C door.
 *
 *   flat   every vector is compared
 *   ivf    k-means lists, the nprobe nearest are scanned
 *   hnsw   a navigable graph, M links a node, ef candidates kept
 *
 * Distances are inner products of unit vectors (cosine).  A search uses one
 * thread.  C++ exceptions end here and become ERR_FAILED with FAISS's words.
 * Where the program was built without FAISS, index_build() and index_read() say
 * so and name the package.
 */
#ifndef EXECUTOR_KERNELS_INDEX_FAISS_H
#define EXECUTOR_KERNELS_INDEX_FAISS_H

#ifdef __cplusplus
extern "C" {
#endif

#include "base/err.h"

struct vector_index;

struct index_settings {
    int kind; /* enum index_kind of models/vector_index.h: flat, ivf or hnsw */
    long dims;
    long nlist;                    /* ivf */
    long m_links, ef_construction; /* hnsw */
};

/* 0 and a sentence when this program cannot search at all. */
int index_available(struct err *err);

/* `vectors`: [n][dims], copied.  Same vectors and settings: the same index. */
int index_build(const struct index_settings *s, const float *vectors, long n, struct vector_index **out,
                struct err *err);
void index_free(struct vector_index *x); /* NULL is fine */

int index_write(const struct vector_index *x, const char *path, struct err *err);
int index_read(const struct index_settings *s, const char *path, struct vector_index **out, struct err *err);

/* How far a search looks: nprobe of an ivf, ef of a hnsw. */
void index_effort(struct vector_index *x, long effort);

/* The k best, nearest first; -1 where there are not so many.  One thread at a time. */
int index_search(struct vector_index *x, const float *query, long k, long *id, struct err *err);

#ifdef __cplusplus
}
#endif
#endif
