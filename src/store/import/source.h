/*
 * source.h - the bytes of a trace file, decompressed on the way, in bounded memory.
 *
 * gzip (also several members in a row) and zstd are known by their first
 * bytes, whatever the file is called.  A byte order mark of UTF-8 is passed over,
 * UTF-16 refused.  A source is read either line by line or chunk by chunk, and can
 * be read again from the start.
 *
 * A record longer than SOURCE_LINE_MAX is not handed out, only reported, so
 * that memory stays bounded.  zstd files that ask for a window above 32 MiB
 * are refused for the same reason.
 */
#ifndef STORE_IMPORT_SOURCE_H
#define STORE_IMPORT_SOURCE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SOURCE_LINE_MAX = 8 << 20 };

struct source;

int source_open(const char *path, struct source **out, struct err *err);
void source_close(struct source *s); /* NULL is fine */
int source_rewind(struct source *s, struct err *err);

/* SHA-256 of the file as stored, and its size; the source stands at its start afterwards. */
int source_sha256(struct source *s, char hex[65], int64_t *bytes, struct err *err);

/* What comes next, up to `most` bytes (at most 64 KiB), without taking it; only before anything was taken. */
int source_peek(struct source *s, const char **text, size_t *n, size_t most, struct err *err);

enum source_line { SOURCE_END = 0, SOURCE_LINE = 1, SOURCE_TOO_LONG = 2 };

/* The next line without its end ("\n" or "\r\n"), NUL-terminated and writable, until the next call. */
int source_line(struct source *s, char **line, size_t *n, struct err *err);

/* The next bytes, until the next call; 0 at the end of the file.  Takes what it hands out. */
int source_chunk(struct source *s, const char **text, size_t *n, struct err *err);

/* True when somebody wrote to the file since it was opened: what was read may be no one's content. */
bool source_has_changed(const struct source *s);

#endif
