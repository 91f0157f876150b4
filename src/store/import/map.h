/*
 * map.h - CSV and JSON lines of any make, told column by column.
 *
 *     requests: arrival_s = ts ms, input_tokens = prompt_len, output_tokens = gen_len, session = user
 *     costs: op = kernel, tokens = m, time_s = latency us
 *     spans: stage = service, op = name, start_s = begin ns, end_s = finish ns, bytes_in = size kB
 *     measurements: throughput_per_s = qps, latency_p99_s = p99 ms, @concurrency = clients, @engine = name
 *
 * Left the name in the store, right the column (in quotes when it holds
 * anything but letters, digits, _ and .; in JSON lines a.b is b inside a) and,
 * if need be, its unit, which is converted to SI.  For measurements any name is
 * a figure, and those with @ are settings.
 *
 * Maps are kept in the store: one read from a file under the file's name, one
 * typed in under the name of the first trace file it served; the name alone is
 * enough the next time.
 */
#ifndef STORE_IMPORT_MAP_H
#define STORE_IMPORT_MAP_H

#include "store/import/import.h"

/* `given`: a name in the store, a file, or the map itself; NULL gives NULL.  Wrong: ERR_USAGE. */
int map_load(struct store *s, const char *given, const char *base, struct arena *a, const char **out,
             struct err *err);

/* The importer for a file that is read by a map. */
const struct importer *map_importer(const struct import_head *h);

#endif
