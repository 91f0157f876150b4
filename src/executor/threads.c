#include "executor/threads.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

void threads_block_signals(void)
{
    sigset_t full;

    sigemptyset(&full);
    sigaddset(&full, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &full, NULL);
}

/* `n` of the processors this process may use, from the `first` of them on; false: it is not known which. */
static bool choose_processors(long first, long n, cpu_set_t *set)
{
    cpu_set_t allowed;
    long at = 0;

    CPU_ZERO(set);
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return false;
    for (int c = 0; c < CPU_SETSIZE; c++)
        if (CPU_ISSET(c, &allowed) && at++ >= first && n-- > 0)
            CPU_SET(c, set);
    return CPU_COUNT(set) > 0;
}

static void place(const struct exec_options *opt, int thread, pthread_attr_t *attr)
{
    cpu_set_t set;
    bool known;

    if (opt->pin == PIN_NONE || opt->cores <= 0)
        return;
    known = opt->pin == PIN_EACH ? choose_processors(thread % opt->cores, 1, &set)
                                 : choose_processors(0, opt->cores, &set);
    if (known)
        pthread_attr_setaffinity_np(attr, sizeof set, &set);
}

int threads_start(const struct exec_options *opt, void *(*body)(void *), void *items, size_t size, int n,
                  pthread_t *threads, int *started, struct err *err)
{
    int rc = 0;

    for (*started = 0; *started < n && rc == 0; *started += rc == 0) {
        pthread_attr_t attr;

        pthread_attr_init(&attr);
        place(opt, *started, &attr);
        rc = pthread_create(&threads[*started], &attr, body, (char *)items + (size_t)*started * size);
        pthread_attr_destroy(&attr);
    }
    if (rc == 0)
        return 0;
    errno = rc;
    return err_io(err, "start", "a worker thread");
}
