#include "executor/memory.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

void *memory_new(size_t size)
{
    size_t unit = size >= HUGE_PAGE ? HUGE_PAGE : DISK_BLOCK, whole = memory_round_up(size + 1, unit);
    void *p = aligned_alloc(unit, whole);

    ASSERT(p != NULL);
    if (unit == HUGE_PAGE)
        (void)madvise(p, whole, MADV_HUGEPAGE); /* a wish: small pages work too */
    memset(p, 0, whole);
    return p;
}
