#include "executor/kernels/index_faiss.h"

#include <cstdint>
#include <exception>
#include <memory>
#include <vector>

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/index_io.h>
#include <omp.h>

namespace
{

/* As models/vector_index.h orders them; that header is C. */
enum kind { FLAT, IVF, HNSW };

constexpr int TRAINING_ROUNDS = 10, TRAINING_SEED = 1234;

int failed(struct err *err, const char *what, const std::exception &e)
{
    return err_set(err, ERR_FAILED, "FAISS cannot %s: %s", what, e.what());
}

} // namespace

struct vector_index {
    int kind;
    std::unique_ptr<faiss::Index> index;
    std::vector<float> distance;
    std::vector<std::int64_t> label;
};

namespace
{

std::unique_ptr<faiss::Index> make(const struct index_settings *s)
{
    if (s->kind == IVF) {
        auto *coarse = new faiss::IndexFlatIP(s->dims);
        auto ivf =
            std::make_unique<faiss::IndexIVFFlat>(coarse, s->dims, s->nlist, faiss::METRIC_INNER_PRODUCT);

        ivf->own_fields = true;
        ivf->cp.niter = TRAINING_ROUNDS;
        ivf->cp.seed = TRAINING_SEED;
        ivf->cp.min_points_per_centroid = 1;
        return ivf;
    }
    if (s->kind == HNSW) {
        auto graph =
            std::make_unique<faiss::IndexHNSWFlat>(s->dims, (int)s->m_links, faiss::METRIC_INNER_PRODUCT);

        graph->hnsw.efConstruction = (int)s->ef_construction;
        return graph;
    }
    return std::make_unique<faiss::IndexFlatIP>(s->dims);
}

} // namespace

int index_available(struct err *)
{
    return 0;
}

int index_build(const struct index_settings *s, const float *vectors, long n, struct vector_index **out,
                struct err *err)
{
    try {
        auto x = std::make_unique<vector_index>();

        omp_set_num_threads(1); /* a graph built by several threads differs from run to run */
        x->kind = s->kind;
        x->index = make(s);
        x->index->train(n, vectors);
        x->index->add(n, vectors);
        *out = x.release();
        return 0;
    } catch (const std::exception &e) {
        return failed(err, "build the index", e);
    }
}

void index_free(struct vector_index *x)
{
    delete x;
}

int index_write(const struct vector_index *x, const char *path, struct err *err)
{
    try {
        faiss::write_index(x->index.get(), path);
        return 0;
    } catch (const std::exception &e) {
        return failed(err, "write the index", e);
    }
}

int index_read(const struct index_settings *s, const char *path, struct vector_index **out, struct err *err)
{
    try {
        auto x = std::make_unique<vector_index>();

        omp_set_num_threads(1);
        x->kind = s->kind;
        x->index.reset(faiss::read_index(path));
        *out = x.release();
        return 0;
    } catch (const std::exception &e) {
        return failed(err, "read the index", e);
    }
}

void index_effort(struct vector_index *x, long effort)
{
    if (x->kind == IVF)
        dynamic_cast<faiss::IndexIVF &>(*x->index).nprobe = effort;
    if (x->kind == HNSW)
        dynamic_cast<faiss::IndexHNSW &>(*x->index).hnsw.efSearch = (int)effort;
}

int index_search(struct vector_index *x, const float *query, long k, long *id, struct err *err)
{
    try {
        omp_set_num_threads(1); /* a setting of the thread that calls */
        x->distance.resize(k);
        x->label.resize(k);
        x->index->search(1, query, k, x->distance.data(), x->label.data());
        for (long i = 0; i < k; i++)
            id[i] = (long)x->label[i];
        return 0;
    } catch (const std::exception &e) {
        return failed(err, "search", e);
    }
}
