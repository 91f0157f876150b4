#include "base/arena.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

Test(arena, memory_is_zeroed_aligned_and_does_not_overlap)
{
    struct arena *a = arena_new();
    unsigned char *p[500];

    for (int i = 0; i < 500; i++) {
        size_t n = (size_t)(i * 37 % 900) + 1;

        p[i] = arena_alloc(a, n);
        cr_assert_eq((uintptr_t)p[i] % alignof(max_align_t), 0);
        for (size_t k = 0; k < n; k++)
            cr_assert_eq(p[i][k], 0);
        memset(p[i], i % 251 + 1, n);
    }
    for (int i = 0; i < 500; i++) {
        cr_assert_eq(p[i][0], i % 251 + 1);
        cr_assert_eq(p[i][i * 37 % 900], i % 251 + 1);
    }
    arena_free(a);
}

Test(arena, large_blocks_and_nothing_at_all)
{
    struct arena *a = arena_new();
    char *big = arena_alloc(a, 10 << 20);

    big[(10 << 20) - 1] = 'x';
    cr_expect_neq(arena_alloc(a, 0), NULL);
    cr_expect_geq(arena_bytes(a), (size_t)10 << 20);
    arena_free(a);
    arena_free(NULL);
}

Test(arena, reset_reuses_its_blocks_and_zeroes_again)
{
    struct arena *a = arena_new();
    char *first = arena_alloc(a, 100);

    memset(first, 'x', 100);
    for (int i = 0; i < 1000; i++)
        arena_alloc(a, 1000);
    arena_reset(a);
    cr_expect_eq(arena_bytes(a), 0);
    cr_expect_eq(arena_alloc(a, 100), (void *)first);
    cr_expect_eq(first[50], 0);
    arena_free(a);
}

Test(arena, strings)
{
    struct arena *a = arena_new();

    cr_expect_str_eq(arena_strdup(a, "prep"), "prep");
    cr_expect_str_eq(arena_printf(a, "%s[%d]", "$.stages", 12), "$.stages[12]");
    arena_free(a);
}

Test(arena, array_size_that_overflows_is_a_bug_of_ours, .signal = SIGABRT)
{
    struct arena *a = arena_new();

    arena_array(a, SIZE_MAX / 2, 8);
}
