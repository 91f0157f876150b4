#include "executor/host.h"

#include "base/json.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

int host_cores(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

/* The first value of `key` in a /proc file of "key : value" lines; "" when there is none. */
static void proc_value(const char *path, const char *key, char *out, size_t size)
{
    FILE *f = fopen(path, "r");
    char line[512];

    out[0] = '\0';
    while (f != NULL && out[0] == '\0' && fgets(line, sizeof line, f) != NULL) {
        char *colon = strchr(line, ':');

        if (strncmp(line, key, strlen(key)) != 0 || colon == NULL)
            continue;
        colon[strcspn(colon, "\n")] = '\0';
        snprintf(out, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
    }
    if (f != NULL)
        fclose(f);
}

struct json *host_describe(void)
{
    struct json *o = json_new_object();
    struct utsname u;
    char text[256];

    proc_value("/proc/cpuinfo", "model name", text, sizeof text);
    json_set_string(o, "processor", text);
    json_set_number(o, "cores_usable", host_cores());
    json_set_number(o, "memory_bytes", (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE));
    if (uname(&u) == 0) {
        json_set_string(o, "kernel", u.release);
        json_set_string(o, "machine", u.machine);
    }
    return o;
}
