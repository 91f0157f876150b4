/*
 * answer.h - is the answer right?  Evidence found, and what a reader makes of it.
 *
 * A question needs h pieces of evidence, one after the other (a hop names the
 * next).  With F(k) the measured chance that the evidence is among the first k
 * passages of an exact search, f(r) = F(r) - F(r - 1), and an index that
 * returns each true rank with probability rho (its recall) and fills up with
 * what comes next, the chance to find one hop among k passages is
 *
 *     q = sum over r of f(r) rho P(Binomial(r - 1, rho) <= k - 1)
 *
 * so recall matters less than it looks: what is missed makes room for the next.
 * A reranker that reads K candidates finds q(K) and puts a found one among its
 * first k with chance G(k).
 *
 * One retrieval finds the next hop with chance q, and after a success the one
 * behind it with chance q x ahead.  With ahead 0, P(all h in R rounds) is the
 * negative binomial P(Binomial(R, q) >= h).
 *
 * A reader answers rightly with p_all, p_none or p_distract (evidence complete;
 * missing without passages; missing among passages, of which the share
 * `distract` misleads, else p_none).  Questions differ: each chance p is the
 * mean of a Beta law with intra-class correlation icc, and a question of
 * difficulty u has its (1 - u) quantile, the same u for all.  Votes and rounds
 * about one question then fail together (beta-binomial), not independently.
 *
 * n votes: the majority is right with P(Binomial(n, p(u)) > n / 2), half of the
 * draws counted.  That wrong votes agree with each other is assumed (the worst
 * case of plurality).
 */
#ifndef MODELS_ANSWER_H
#define MODELS_ANSWER_H

#include "models/curve.h"

enum { ANSWER_BINS = 128 };

struct answer_cfg {
    int hops;
    struct curve evidence, rerank; /* F(k), G(k); none: the evidence is always found */
    double ahead, p_all, p_none, p_distract, distract, icc_reader, icc_search;
};

/* The Beta law of mean p cut into bins of equal chance, each with its mean; hardest first.  The mean of all
 * is p. */
struct difficulty {
    double mean;
    double p[ANSWER_BINS];
};
void difficulty_init(struct difficulty *d, double mean, double icc);
double difficulty_at(const struct difficulty *d, double u); /* u in (0, 1): 1 is the hardest */

/* q: the chance to find one hop among `passages`; candidates > 0: after reranking so many. */
double answer_found(const struct answer_cfg *a, double recall, long passages, long candidates);
/* P(all `hops` found within `rounds`) for a question whose chance is q. */
double answer_solved(double q, double ahead, int hops, long rounds);
double answer_majority(double p, long votes);

#endif
