/*
 * block_file.h - whole files of disk blocks, past the page cache where that is possible.
 *
 * `direct` asks to bypass the page cache and is false afterwards where the file
 * system refused.  Buffers come from memory_new(), sizes are whole blocks.
 */
#ifndef EXECUTOR_BLOCK_FILE_H
#define EXECUTOR_BLOCK_FILE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* `what` stands in messages: "the table". */
int block_file_write(const char *path, const char *what, const unsigned char *data, size_t size, bool *direct,
                     struct err *err);

/* The file into `room` bytes, by one request; *size: how much it is.  One that does not fit is an error. */
int block_file_read(const char *path, const char *what, unsigned char *data, size_t room, bool *direct,
                    size_t *size, struct err *err);

#endif
