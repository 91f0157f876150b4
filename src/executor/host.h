/*
 * host.h - the machine that executions run on.
 */
#ifndef EXECUTOR_HOST_H
#define EXECUTOR_HOST_H

struct json;

/* How many processors this process may use: less than the machine has where an affinity mask says so. */
int host_cores(void);

/* This machine, as a JSON object: processor, cores, memory, kernel; the caller frees it. */
struct json *host_describe(void);

#endif
