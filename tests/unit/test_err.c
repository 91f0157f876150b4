#include "base/err.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(err, set_records_code_and_message)
{
    struct err e = {0};

    cr_expect_eq(err_set(&e, ERR_SCENARIO, "found %d", 7), ERR_SCENARIO);
    cr_expect_eq(e.code, ERR_SCENARIO);
    cr_expect_str_eq(e.text, "found 7");
}

Test(err, at_puts_places_in_front_and_keeps_the_code)
{
    struct err e = {0};

    err_set(&e, ERR_TRACE, "odd line");
    cr_expect_eq(err_at(&e, "line %d", 3), ERR_TRACE);
    err_at(&e, "a.csv");
    cr_expect_str_eq(e.text, "a.csv: line 3: odd line");
}

Test(err, long_messages_are_cut_and_stay_terminated)
{
    struct err e = {0};
    char longer[5000];

    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    err_set(&e, ERR_FAILED, "%s", longer);
    cr_expect_eq(strlen(e.text), sizeof e.text - 1);
    err_at(&e, "%s", longer);
    cr_expect_lt(strlen(e.text), sizeof e.text);
}

Test(err, exit_status_is_the_one_documented)
{
    cr_expect_eq(err_exit_status(ERR_NONE), 0);
    cr_expect_eq(err_exit_status(ERR_USAGE), 2);
    cr_expect_eq(err_exit_status(ERR_TRACE), 65);
    cr_expect_eq(err_exit_status(ERR_SCENARIO), 78);
    cr_expect_str_eq(err_code_text(ERR_CAP), "a cap was reached");
}

Test(err, io_tells_a_missing_file_from_a_full_disk)
{
    struct err e = {0};

    errno = ENOENT;
    cr_expect_eq(err_io(&e, "open", "x.json"), ERR_NOFILE);
    errno = ENOSPC;
    cr_expect_eq(err_io(&e, "write", "x.json"), ERR_IO);
    cr_expect_neq(strstr(e.text, "disk is full"), NULL, "%s", e.text);
    errno = EACCES;
    cr_expect_eq(err_io(&e, "write", "x.json"), ERR_IO);
    cr_expect_eq(strstr(e.text, "disk is full"), NULL);
}

static int forwards(struct err *e, int code, bool *reached)
{
    TRY(code == 0 ? 0 : err_set(e, code, "stop"));
    *reached = true;
    return 0;
}

Test(err, try_forwards_failures_only)
{
    struct err e = {0};
    bool reached = false;

    cr_expect_eq(forwards(&e, ERR_CAP, &reached), ERR_CAP);
    cr_expect_not(reached);
    cr_expect_eq(forwards(&e, 0, &reached), 0);
    cr_expect(reached);
}
