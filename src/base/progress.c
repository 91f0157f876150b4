#include "base/progress.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum style { LINE_REWRITTEN, LINE_PER_STEP, JSON_PER_STEP };

struct progress {
    enum style style;
    pthread_mutex_t lock;
    char *what;
    double total, began_s, drawn_s;
    bool on_line; /* a rewritten line stands unfinished on the terminal */
};

static const double REDRAW_S = 0.1;

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool can_redraw(void)
{
    const char *term = getenv("TERM");

    return isatty(STDERR_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
}

struct progress *progress_new(enum progress_mode mode, bool quiet)
{
    struct progress *p;

    if (quiet || mode == PROGRESS_NONE || (mode == PROGRESS_AUTO && !can_redraw()))
        return NULL; /* everything below accepts NULL and does nothing */
    p = xcalloc(1, sizeof *p);
    p->style = mode == PROGRESS_AUTO    ? LINE_REWRITTEN
               : mode == PROGRESS_PLAIN ? LINE_PER_STEP
                                        : JSON_PER_STEP;
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

static void finish_line(struct progress *p)
{
    if (p->on_line)
        fputs("\r\033[K", stderr);
    p->on_line = false;
    free(p->what);
    p->what = NULL;
}

void progress_free(struct progress *p)
{
    if (p == NULL)
        return;
    finish_line(p);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void progress_begin(struct progress *p, const char *what, double total)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    finish_line(p);
    p->what = xstrdup(what);
    p->total = total;
    p->began_s = now_s();
    p->drawn_s = 0;
    pthread_mutex_unlock(&p->lock);
}

static void draw_json(const struct progress *p, double done, const char *detail)
{
    struct json *o = json_new_object();
    char *line;

    json_set_string(o, "step", p->what);
    json_set_number(o, "done", done);
    if (p->total > 0)
        json_set_number(o, "total", p->total);
    json_set_number(o, "elapsed_s", now_s() - p->began_s);
    if (detail != NULL)
        json_set_string(o, "detail", detail);
    line = json_compact(o);
    fprintf(stderr, "%s\n", line);
    free(line);
    json_free(o);
}

static void describe(const struct progress *p, double done, const char *detail, struct text *t)
{
    double elapsed = now_s() - p->began_s;

    text_printf(t, "%s", p->what);
    if (p->total > 0)
        text_printf(t, " %3.0f%%", 100 * done / p->total);
    else if (done > 0)
        text_printf(t, " %.0f", done);
    if (p->total > 0 && done > 0 && done < p->total && elapsed > 2)
        text_printf(t, ", %.0f s left", elapsed * (p->total - done) / done);
    if (detail != NULL)
        text_printf(t, "  %s", detail);
}

static int terminal_columns(void)
{
    struct winsize w;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col - 1 : 79;
}

static void draw(struct progress *p, double done, const char *detail)
{
    struct text t = {0};

    if (p->style == JSON_PER_STEP) {
        draw_json(p, done, detail);
        return;
    }
    if (p->style == LINE_REWRITTEN && now_s() - p->drawn_s < REDRAW_S)
        return;
    describe(p, done, detail, &t);
    if (p->style == LINE_REWRITTEN) {
        fprintf(stderr, "\r\033[K%.*s", terminal_columns(), t.s);
        fflush(stderr);
        p->on_line = true;
        p->drawn_s = now_s();
    } else {
        fprintf(stderr, "%s\n", t.s);
    }
    text_free(&t);
}

void progress_step(struct progress *p, double done, const char *detail)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    if (p->what != NULL)
        draw(p, done, detail);
    pthread_mutex_unlock(&p->lock);
}

void progress_end(struct progress *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    finish_line(p);
    pthread_mutex_unlock(&p->lock);
}
