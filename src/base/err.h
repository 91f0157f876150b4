/*
 * err.h - errors that a user can act on.
 *
 * A function that touches the user's files, database or disk returns 0 or a
 * negative code and fills `struct err`.  The floor that finds the fault says
 * *what* is wrong (the value found, the values allowed); every floor above may
 * add *where* with err_at().  Only cli/main.c prints.
 *
 * Our own bugs are not errors: ASSERT stops the program with file and line.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

/* X(name, exit status, text).  The code is the negated exit status. */
#define ERR_LIST(X)                                                                                                    \
    X(ERR_FAILED, 1, "the run failed")                                                                                 \
    X(ERR_USAGE, 2, "wrong usage")                                                                                     \
    X(ERR_UNMET, 3, "an SLO or assertion does not hold")                                                               \
    X(ERR_PRECISION, 4, "the precision asked for was not reached")                                                     \
    X(ERR_DIFFERS, 5, "differences were found")                                                                        \
    X(ERR_TRACE, 65, "malformed trace")                                                                                \
    X(ERR_NOFILE, 66, "no such file")                                                                                  \
    X(ERR_PROGRAM, 69, "an optional program is missing")                                                               \
    X(ERR_IO, 74, "input/output error")                                                                                \
    X(ERR_CAP, 77, "a cap was reached")                                                                                \
    X(ERR_SCENARIO, 78, "bad scenario")

enum err_code {
    ERR_NONE = 0,
#define X(name, status, text) name = -(status),
    ERR_LIST(X)
#undef X
};

struct err {
    int code; /* an err_code; 0 while nothing is wrong */
    char text[1200];
};

/* Records `code` and a message; returns `code`, so that callers can `return err_set(...)`. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts a place in front of the message ("stage \"prep\": ..."); returns the code already recorded. */
int err_at(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* An ERR_IO message that ends in strerror(errno) and, for a full disk, says so plainly. */
int err_io(struct err *e, const char *doing, const char *path);

int err_exit_status(int code);
const char *err_code_text(int code);

/* Forwards a failure to the caller. */
#define TRY(expr)                                                                                                      \
    do {                                                                                                               \
        int try_rc_ = (expr);                                                                                          \
        if (try_rc_ != 0)                                                                                              \
            return try_rc_;                                                                                            \
    } while (0)

__attribute__((noreturn)) void assert_failed(const char *what, const char *file, int line);

/* Kept in release builds: a wrong answer is worse than a stopped program. */
#define ASSERT(x) ((x) ? (void)0 : assert_failed(#x, __FILE__, __LINE__))

#ifdef NDEBUG
#define DEBUG_ASSERT(x) ((void)0)
#else
#define DEBUG_ASSERT(x) ASSERT(x)
#endif

#endif
