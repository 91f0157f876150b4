#include "executor/kernels/questions.h"

#include "base/arena.h"
#include "base/err.h"
#include "engine/rng.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILLERS = 1500,
    PART_BITS = 12,
    NAME_PARTS = 1 << PART_BITS, /* of which a name takes two */
    NAME_SYLLABLES = 2,
    WORD_MAX = 16,
    MENTIONS = 3
};
static const char link_words[] = " leads to ", consonants[] = "bdfgklmnprstvz", vowels[] = "aeiou";

struct library {
    long n;
    uint64_t seed;
    long *next;            /* of each entity */
    uint32_t turn, unturn; /* names are entities, shuffled: see name_of() */
    char **text;
    struct words *words;
    double fill_sum[FILLERS]; /* Zipf, cumulated */
    char filler[FILLERS][WORD_MAX], part[NAME_PARTS][WORD_MAX];
};

/* -------------------------------------------------------------------------------------- words */

/* The i-th word made of `syllables` syllables: all differ. */
static void make_word(char *to, unsigned i, int syllables, bool is_name)
{
    char *at = to;

    for (int s = 0; s < syllables; s++) {
        *at++ = consonants[i % (sizeof consonants - 1)];
        i /= sizeof consonants - 1;
        *at++ = vowels[i % (sizeof vowels - 1)];
        i /= sizeof vowels - 1;
    }
    *at = '\0';
    for (at = to; is_name && *at != '\0'; at++)
        *at = (char)(*at - 'a' + 'A');
}

static void make_words(struct library *l)
{
    double sum = 0;

    for (unsigned i = 0; i < FILLERS; i++) {
        make_word(l->filler[i], i, 3, false);
        sum += 1 / (double)(i + 1);
        l->fill_sum[i] = sum;
    }
    for (unsigned i = 0; i < NAME_PARTS; i++)
        make_word(l->part[i], i, NAME_SYLLABLES, true);
}

static const char *draw_filler(const struct library *l, struct rng *r)
{
    double u = rng_uniform(r) * l->fill_sum[FILLERS - 1];
    int lo = 0, hi = FILLERS - 1;

    while (lo < hi) {
        int middle = (lo + hi) / 2;

        if (l->fill_sum[middle] < u)
            lo = middle + 1;
        else
            hi = middle;
    }
    return l->filler[lo];
}

/* ---------------------------------------------------------------------------------- the texts */

/* One cycle through all (Sattolo). */
static void make_chain(struct library *l, struct rng *r)
{
    long *order = xcalloc((size_t)l->n, sizeof *order);

    for (long i = 0; i < l->n; i++)
        order[i] = i;
    for (long i = l->n - 1; i > 0; i--) {
        long k = (long)rng_below(r, (uint64_t)i), keep = order[i];

        order[i] = order[k];
        order[k] = keep;
    }
    for (long i = 0; i < l->n; i++)
        l->next[order[i]] = order[(i + 1) % l->n];
    free(order);
}

enum { NAMES = NAME_PARTS * NAME_PARTS };

/* Multiplying by an odd number shuffles the names (numbers below 2^24), and another one takes it back: no two
 * entities share a name. */
static void make_names(struct library *l, struct rng *r)
{
    uint32_t inverse = 1;

    l->turn = (uint32_t)rng_below(r, NAMES / 2) * 2 + 1;
    for (int i = 0; i < 5; i++) /* Newton: each step doubles the bits that are right */
        inverse *= 2 - l->turn * inverse;
    l->unturn = inverse;
}

static uint32_t name_of(const struct library *l, long entity)
{
    return ((uint32_t)entity * l->turn) & (NAMES - 1);
}

/* -1: nobody is called so. */
static long entity_called(const struct library *l, uint32_t name)
{
    uint32_t entity = (name * l->unturn) & (NAMES - 1);

    return (long)entity < l->n ? (long)entity : -1;
}

static int name_text(const struct library *l, long entity, char *to, size_t size)
{
    uint32_t name = name_of(l, entity);

    return snprintf(to, size, "%s %s", l->part[name / NAME_PARTS], l->part[name % NAME_PARTS]);
}

/* Its own name so many times, the link, and filler up to the length. */
static char *passage_text(const struct library *l, long entity, long words, struct rng *r)
{
    long filler = words - (MENTIONS + 1) * NAME_WORDS - 2;
    char *text = xmalloc((size_t)(words + 4) * WORD_MAX), *at = text;

    for (int m = 0; m < MENTIONS; m++) {
        at += name_text(l, entity, at, 2 * WORD_MAX);
        for (long i = 0; i < filler / (MENTIONS + 1); i++)
            at += sprintf(at, " %s", draw_filler(l, r));
        *at++ = ' ';
    }
    at += sprintf(at - 1, "%s", link_words) - 1;
    at += name_text(l, l->next[entity], at, 2 * WORD_MAX);
    for (long i = MENTIONS * (filler / (MENTIONS + 1)); i < filler; i++)
        at += sprintf(at, " %s", draw_filler(l, r));
    return text;
}

static void make_text(struct library *l, long entity, const struct law *words, struct rng *r)
{
    long n = lround(law_draw(words, r));
    uint32_t *hash;

    n = n < LEAST_PASSAGE_WORDS ? LEAST_PASSAGE_WORDS : n;
    l->text[entity] = passage_text(l, entity, n, r);
    hash = xcalloc((size_t)n, sizeof *hash);
    l->words[entity] = (struct words){.hash = hash, .n = text_words(l->text[entity], hash, n)};
}

struct library *library_new(long passages, const struct law *words, uint64_t seed)
{
    struct library *l = xcalloc(1, sizeof *l);
    struct rng r;

    ASSERT(passages > 1 && passages <= NAMES);
    rng_stream(&r, seed, 0, "executor.library");
    l->n = passages;
    l->seed = seed;
    l->next = xcalloc((size_t)passages, sizeof *l->next);
    l->text = xcalloc((size_t)passages, sizeof *l->text);
    l->words = xcalloc((size_t)passages, sizeof *l->words);
    make_words(l);
    make_chain(l, &r);
    make_names(l, &r);
    for (long i = 0; i < passages; i++)
        make_text(l, i, words, &r);
    return l;
}

void library_free(struct library *l)
{
    if (l == NULL)
        return;
    for (long i = 0; i < l->n; i++) {
        free(l->text[i]);
        free((void *)l->words[i].hash);
    }
    free(l->next);
    free(l->text);
    free(l->words);
    free(l);
}

long library_size(const struct library *l)
{
    return l->n;
}

const char *library_text(const struct library *l, long passage)
{
    return l->text[passage];
}

const struct words *library_words(const struct library *l)
{
    return l->words;
}

/* ------------------------------------------------------------------------- questions and answers */

struct question library_question(const struct library *l, uint64_t stream, uint64_t number, long hops)
{
    struct question q = {.number = number, .hops = hops};
    struct rng r;

    rng_keyed(&r, l->seed, 0, stream, number, 0);
    q.start = q.answer = (long)rng_below(&r, (uint64_t)l->n);
    for (long i = 0; i < hops; i++)
        q.answer = l->next[q.answer];
    return q;
}

void library_query(const struct library *l, uint64_t stream, const struct question *q, long entity,
                   long wording, long n, uint32_t *hash)
{
    uint32_t name = name_of(l, entity);
    const char *parts[NAME_WORDS] = {l->part[name / NAME_PARTS], l->part[name % NAME_PARTS]};
    struct rng r;

    rng_keyed(&r, l->seed, 0, stream, q->number, 1 + (uint64_t)wording);
    for (long i = 0; i < n; i++) {
        const char *word = i < NAME_WORDS ? parts[i] : draw_filler(l, &r);

        hash[i] = word_hash(word, (long)strlen(word));
    }
}

/* The inverse of make_word() for names: which part is written here; -1: none. */
static long part_at(const char *text, size_t letters)
{
    long index = 0, place = 1;

    if (letters != 2 * NAME_SYLLABLES)
        return -1;
    for (size_t i = 0; i < letters; i++) {
        const char *all = i % 2 == 0 ? consonants : vowels;
        const char *at = strchr(all, text[i] - 'A' + 'a');

        if (text[i] < 'A' || text[i] > 'Z' || at == NULL)
            return -1;
        index += place * (at - all);
        place *= (long)strlen(all);
    }
    return index < NAME_PARTS ? index : -1;
}

/* Two words of a name at `text`: whose it is; -1: nobody's. */
static long entity_at(const struct library *l, const char *text)
{
    long part[NAME_WORDS];

    for (int i = 0; i < NAME_WORDS; i++) {
        size_t letters = strcspn(text, " ");

        part[i] = part_at(text, letters);
        if (part[i] < 0)
            return -1;
        text += letters + (text[letters] == ' ');
    }
    return entity_called(l, (uint32_t)(part[0] * NAME_PARTS + part[1]));
}

/* What the passage says: whom it is about, and whom its link names. */
static bool parse(const struct library *l, const char *text, long *about, long *leads_to)
{
    const char *link = strstr(text, link_words);

    *about = entity_at(l, text);
    *leads_to = link != NULL ? entity_at(l, link + sizeof link_words - 1) : -1;
    return *about >= 0 && *leads_to >= 0;
}

long library_read(const struct library *l, const struct question *q, const long *passage, long n, long *found)
{
    long at = q->start;

    *found = 0;
    for (long i = 0; i < n && *found < q->hops; i++) {
        long about, leads_to;

        if (!parse(l, l->text[passage[i]], &about, &leads_to) || about != at)
            continue;
        at = leads_to;
        ++*found;
        i = -1; /* the next link may stand in a passage before this one */
    }
    return at;
}
