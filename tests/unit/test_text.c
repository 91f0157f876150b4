#include "base/text.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Test(text, grows_and_stays_terminated)
{
    struct text t = {0};

    for (int i = 0; i < 10000; i++)
        text_printf(&t, "%d,", i % 10);
    text_add(&t, "end");
    cr_expect_eq(t.len, 20003);
    cr_expect_eq(strlen(t.s), t.len);
    cr_expect_str_eq(t.s + 20000, "end");
    text_free(&t);
    cr_expect_eq(t.s, NULL);
    text_add(&t, "");
    cr_expect_str_eq(t.s, "");
    text_free(&t);
}

Test(text, html_is_escaped)
{
    struct text t = {0};

    text_add_html(&t, "<b a=\"1\">&'\x01\n");
    cr_expect_str_eq(t.s, "&lt;b a=&quot;1&quot;&gt;&amp;&#39;?\n");
    text_free(&t);
}

Test(text, nearest_name_is_near_or_nothing)
{
    static const char *const names[] = {"workers", "batch", "codec", "prefetch"};

    cr_expect_str_eq(text_nearest("worker", names, 4), "workers");
    cr_expect_str_eq(text_nearest("wrokers", names, 4), "workers");
    cr_expect_str_eq(text_nearest("CODEC", names, 4), "codec");
    cr_expect_str_eq(text_nearest("bacth", names, 4), "batch");
    cr_expect_eq(text_nearest("temperature", names, 4), NULL);
    cr_expect_eq(text_nearest("", names, 4), NULL);
    cr_expect_eq(text_nearest("worker", names, 0), NULL);
}

Test(text, nearest_copes_with_names_longer_than_any_of_ours)
{
    static const char *const names[] = {"workers"};
    char longer[1000];

    memset(longer, 'w', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    cr_expect_eq(text_nearest(longer, names, 1), NULL);
}

Test(text, suggestion)
{
    static const char *const names[] = {"lz4", "zstd"};
    struct text t = {0};

    text_add_suggestion(&t, "zsd", names, 2);
    cr_expect_str_eq(t.s, "did you mean \"zstd\"? (allowed: lz4, zstd)");
    text_free(&t);
}

Test(text, sha256_of_the_standard_example)
{
    char out[65];

    text_sha256("abc", 3, out);
    cr_expect_str_eq(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static char folder[] = "/tmp/test_text.XXXXXX";

static void enter_folder(void)
{
    cr_assert_neq(mkdtemp(folder), NULL);
    cr_assert_eq(chdir(folder), 0);
}

static void leave_folder(void)
{
    static const char *const names[] = {"f", "link", "other"};

    for (int i = 0; i < 3; i++)
        unlink(names[i]);
    rmdir(folder);
}

TestSuite(text_file, .init = enter_folder, .fini = leave_folder);

Test(text_file, written_bytes_are_read_back)
{
    struct err e = {0};
    char *s = NULL;
    size_t n = 0;

    cr_assert_eq(text_write_file("f", "a\0b", 3, &e), 0, "%s", e.text);
    cr_assert_eq(text_write_file("f", "c\0d", 3, &e), 0, "%s", e.text);
    cr_assert_eq(text_read_file("f", &s, &n, &e), 0, "%s", e.text);
    cr_expect_eq(n, 3);
    cr_expect_eq(memcmp(s, "c\0d", 4), 0);
    free(s);
}

Test(text_file, permissions_of_the_old_file_are_kept)
{
    struct err e = {0};
    struct stat st;

    umask(022);
    text_write_file("f", "x", 1, &e);
    cr_assert_eq(stat("f", &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0644);
    chmod("f", 0600);
    text_write_file("f", "y", 1, &e);
    stat("f", &st);
    cr_expect_eq(st.st_mode & 0777, 0600);
}

Test(text_file, a_link_keeps_pointing_at_its_file)
{
    struct err e = {0};
    struct stat st;

    text_write_file("other", "x", 1, &e);
    cr_assert_eq(symlink("other", "link"), 0);
    cr_assert_eq(text_write_file("link", "long", 4, &e), 0);
    lstat("link", &st);
    cr_expect(S_ISLNK(st.st_mode));
    stat("other", &st);
    cr_expect_eq(st.st_size, 4);
}

Test(text_file, devices_are_written_not_replaced)
{
    struct err e = {0};
    struct stat st;

    cr_expect_eq(text_write_file("/dev/null", "x", 1, &e), 0, "%s", e.text);
    stat("/dev/null", &st);
    cr_expect(S_ISCHR(st.st_mode));
    cr_expect_eq(text_write_file("/dev/full", "x", 1, &e), ERR_IO);
    cr_expect_neq(strstr(e.text, "disk is full"), NULL, "%s", e.text);
}

Test(text_file, failures_name_the_file)
{
    struct err e = {0};
    char *s = NULL;
    size_t n = 0;

    cr_expect_eq(text_read_file("none", &s, &n, &e), ERR_NOFILE);
    cr_expect_neq(strstr(e.text, "none"), NULL);
    cr_expect_eq(text_read_file("/", &s, &n, &e), ERR_IO);
    cr_expect_eq(text_write_file("no/such/folder", "x", 1, &e), ERR_NOFILE);
    cr_expect_eq(text_write_file("/", "x", 1, &e), ERR_IO);
}
