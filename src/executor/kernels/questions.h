/*
 * kernels/questions.h - a library of passages, and questions that need h of them.
 *
 * Passage i is about entity i and names one other, next(i).  Names are pairs of
 * words; next is one cycle through all entities, so a chain begins anywhere:
 *
 *     "BARUK TOLEM w17 w3 BARUK TOLEM w88 leads to SEKOM VIDAL w5 ..."
 *
 * A question names the entity it starts from and asks who is h steps away; its
 * answer is next^h(start).  What is searched for in a round is the name where
 * the reader is stuck, among filler words drawn anew for the round: another
 * wording, another vector.
 *
 * The reader is mechanical: it follows the chain through the texts in its
 * context, and is right if and only if every link is there.  Nothing is drawn.
 *
 * Words are drawn by Zipf's law; all texts follow from the seed.
 */
#ifndef EXECUTOR_KERNELS_QUESTIONS_H
#define EXECUTOR_KERNELS_QUESTIONS_H

#include "base/law.h"
#include "executor/kernels/encoder.h"

struct library;

enum { NAME_WORDS = 2, LEAST_PASSAGE_WORDS = 12, QUESTION_WORDS_MAX = 512 };

/* `words`: how long passages are, LEAST_PASSAGE_WORDS at least. */
struct library *library_new(long passages, const struct law *words, uint64_t seed);
void library_free(struct library *l); /* NULL is fine */

long library_size(const struct library *l);
const char *library_text(const struct library *l, long passage);
const struct words *library_words(const struct library *l); /* [passage] */

struct question {
    uint64_t number;
    long start, answer; /* entities */
    long hops;
};
/* The n-th question of a stream; streams and numbers differ in their luck. */
struct question library_question(const struct library *l, uint64_t stream, uint64_t number, long hops);

/* What a round searches for: `n` words about `entity`; `wording` differs from round to round. */
void library_query(const struct library *l, uint64_t stream, const struct question *q, long entity,
                   long wording, long n, uint32_t *hash);

/* Where a reader stands who has these passages: follows links from the start as far as the texts say.
 * *found: links found, hops at most.  Returns the entity reached. */
long library_read(const struct library *l, const struct question *q, const long *passage, long n,
                  long *found);

#endif
