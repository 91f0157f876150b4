/*
 * arena.h - memory that lives and dies together.
 *
 * One arena per lifetime (a scenario, a replication).  Pointers stay valid
 * until arena_reset() or arena_free(); nothing is freed alone.  Memory comes
 * in blocks that never move.  Not safe for use by two threads at once.
 * Running out of memory stops the program (see xmalloc).
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);  /* NULL is fine */
void arena_reset(struct arena *a); /* empties, keeps the blocks for reuse */

void *arena_alloc(struct arena *a, size_t size);          /* zeroed, aligned for any type */
void *arena_array(struct arena *a, size_t n, size_t size); /* zeroed; n * size is checked */
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
size_t arena_bytes(const struct arena *a); /* bytes handed out since the last reset */

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

/* Heap memory for what outlives an arena; both stop the program when memory runs out. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);

#endif
