#include "cli/cmd.h"

#include "base/text.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A program on $PATH; a line about what is lost without it. */
static void look_for(const char *program, const char *lost)
{
    const char *path = getenv("PATH");
    char file[4096];
    bool found = false;

    for (const char *p = path; p != NULL && *p != '\0' && !found; p += strcspn(p, ":"), p += *p == ':') {
        snprintf(file, sizeof file, "%.*s/%s", (int)strcspn(p, ":"), p, program);
        found = access(file, X_OK) == 0;
    }
    printf("%-10s %s\n", program, found ? file : lost);
}

static int run(const struct args *args, struct err *err)
{
    struct store *s;
    struct text t = {0};
    int rc;

    printf("foresight  %s\n", PACKAGE_VERSION);
    look_for("gnuplot", "not found: reports will have no plots (Debian: apt install gnuplot-nox)");
    printf("cores      %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
    if (access(args->store, F_OK) != 0) {
        printf("store      %s does not exist yet; the first command that keeps something makes it\n",
               args->store);
        return 0;
    }
    TRY(store_open(args->store, STORE_READ, &s, err));
    rc = store_check(s, &t, err);
    printf("store      %s\n%s", args->store, t.s != NULL ? t.s : "");
    text_free(&t);
    store_close(s);
    return rc;
}

const struct cmd cmd_doctor = {
    .name = "doctor",
    .args = "",
    .help = "is the store sound, what optional parts were found",
    .group = "Look into the store",
    .about = "Checks the store's integrity and looks for the optional programs.",
    .options = "",
    .examples = "  foresight doctor\n  foresight doctor --store /var/lib/foresight/team.db\n",
    .least = 0,
    .most = 0,
    .run = run,
};
