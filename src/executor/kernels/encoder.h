/*
 * kernels/encoder.h - text to vectors: hashed words and a two-layer perceptron.
 *
 *     e = sum over words of weight(word) T[hash(word)]        embedding bag of hashed words
 *     v = W2 tanh(W1 e),  then |v| = 1
 *
 * weight(word) = a / (a + share of the word in the corpus), a = 1e-4: common
 * words say little (Arora, Liang, Ma 2017, smooth inverse frequency).  The
 * weights T, W1, W2 are random: a random projection keeps angles up to noise of
 * about 1 / sqrt(dims), so texts that share rare words come out close, and the
 * noise is what a search has to live with.
 *
 * Texts are encoded in batches: the two products run over all of them (one
 * thread, OpenBLAS).  A word is the hash of its letters; text_words() cuts text.
 */
#ifndef EXECUTOR_KERNELS_ENCODER_H
#define EXECUTOR_KERNELS_ENCODER_H

#include <stdint.h>

struct encoder;

/* One text, as the hashes of its words. */
struct words {
    const uint32_t *hash;
    long n;
};

uint32_t word_hash(const char *word, long letters);
/* Hashes of the words of `text` (separated by blanks), `room` at most; returns how many. */
long text_words(const char *text, uint32_t *hash, long room);

struct encoder *encoder_new(long dims, long most_texts, uint64_t seed);
void encoder_free(struct encoder *e); /* NULL is fine */

/* Counts words of the corpus; before anything is encoded. */
void encoder_learn(struct encoder *e, const struct words *text, long n);

/* to: [n][dims]; any n, in batches of most_texts. */
void encoder_run(struct encoder *e, const struct words *text, long n, float *to);

#endif
