#include "base/arena.h"

#include "base/err.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK = 16 << 10, LARGEST_BLOCK = 4 << 20 };

struct block {
    struct block *next;
    size_t size, used;
    alignas(max_align_t) unsigned char data[];
};

struct arena {
    struct block *first, *current;
    size_t bytes;
};

static _Noreturn void out_of_memory(size_t size)
{
    fprintf(stderr, "foresight: out of memory (asked for %zu bytes)\n", size);
    exit(1);
}

void *xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (p == NULL)
        out_of_memory(size);
    return p;
}

void *xcalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);

    if (p == NULL)
        out_of_memory(n * size);
    return p;
}

void *xrealloc(void *old, size_t n, size_t size)
{
    void *p;

    ASSERT(size == 0 || n <= SIZE_MAX / size);
    p = realloc(old, n * size > 0 ? n * size : 1);
    if (p == NULL)
        out_of_memory(n * size);
    return p;
}

char *xstrdup(const char *s)
{
    size_t n = strlen(s) + 1;

    return memcpy(xmalloc(n), s, n);
}

static struct block *block_new(size_t size)
{
    struct block *b = xmalloc(sizeof *b + size);

    b->next = NULL;
    b->size = size;
    b->used = 0;
    return b;
}

struct arena *arena_new(void)
{
    struct arena *a = xcalloc(1, sizeof *a);

    a->first = a->current = block_new(FIRST_BLOCK);
    return a;
}

void arena_free(struct arena *a)
{
    struct block *b, *next;

    if (a == NULL)
        return;
    for (b = a->first; b != NULL; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}

void arena_reset(struct arena *a)
{
    for (struct block *b = a->first; b != NULL; b = b->next)
        b->used = 0;
    a->current = a->first;
    a->bytes = 0;
}

static struct block *block_with_room(struct arena *a, size_t size)
{
    struct block *b = a->current;

    while (b->size - b->used < size) {
        if (b->next == NULL) {
            size_t grown = b->size < LARGEST_BLOCK ? 2 * b->size : LARGEST_BLOCK;

            b->next = block_new(size > grown ? size : grown);
        }
        b = b->next;
    }
    return a->current = b;
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = alignof(max_align_t);
    struct block *b;
    void *p;

    ASSERT(size < SIZE_MAX - align);
    size = (size + align - 1) & ~(align - 1);
    b = block_with_room(a, size);
    p = b->data + b->used;
    b->used += size;
    a->bytes += size;
    return memset(p, 0, size);
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    ASSERT(size == 0 || n <= SIZE_MAX / size);
    return arena_alloc(a, n * size);
}

char *arena_strdup(struct arena *a, const char *s)
{
    size_t n = strlen(s) + 1;

    return memcpy(arena_alloc(a, n), s, n);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;
    int n;
    char *s;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    ASSERT(n >= 0);
    s = arena_alloc(a, (size_t)n + 1);
    vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    return s;
}

size_t arena_bytes(const struct arena *a)
{
    return a->bytes;
}
