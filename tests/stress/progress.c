/* Threads step, begin and end one progress display at the same time; ThreadSanitizer watches. */
#include "base/progress.h"

#include <pthread.h>
#include <stdio.h>

enum { THREADS = 8, STEPS = 2000 };

static void *work(void *p)
{
    for (int i = 0; i < STEPS; i++) {
        progress_step(p, i, i % 3 == 0 ? "detail" : NULL);
        if (i % 500 == 0)
            progress_begin(p, "another phase", STEPS);
        if (i % 700 == 0)
            progress_end(p);
    }
    return NULL;
}

int main(void)
{
    struct progress *p = progress_new(PROGRESS_JSON, false);
    pthread_t threads[THREADS];

    if (p == NULL || freopen("/dev/null", "w", stderr) == NULL)
        return 1;
    progress_begin(p, "first phase", 0);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, p) != 0)
            return 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    progress_free(p);
    return 0;
}
