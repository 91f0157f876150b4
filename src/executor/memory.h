/*
 * memory.h - buffers that are ready before the clock starts.
 *
 * A page fault inside a kernel would be measured as the kernel's own time in
 * the first use and not in the second.  So every buffer of the executor is
 * allocated and touched up front, on huge pages where the system has them, and
 * used again and again.
 */
#ifndef EXECUTOR_MEMORY_H
#define EXECUTOR_MEMORY_H

#include <stddef.h>

enum { DISK_BLOCK = 4096 }; /* alignment of addresses, offsets and lengths that O_DIRECT asks for */

/* Zeroed, touched, aligned to a disk block at least; free() releases it.  Out of memory stops the program. */
void *memory_new(size_t size);

static inline size_t memory_round_up(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

#endif
