/* The public recordings named in traces/public.json: the list is sound, and each file is what it says and
 * imports. */
#include "import_helpers.h"

#include "base/json.h"
#include "store/import/source.h"

#include <ftw.h>

TestSuite(recordings, .init = temp_begin, .fini = temp_end);

static struct json *load(void)
{
    const char *top = getenv("abs_srcdir");
    struct json *doc;
    char path[600];

    snprintf(path, sizeof path, "%s/traces/public.json", top != NULL ? top : ".");
    OK(json_read(path, &doc, &err));
    return doc;
}

static const char *text_of(const struct json *entry, const char *key)
{
    return json_get_string(entry, key, "");
}

Test(recordings, every_entry_says_whence_under_which_licence_and_what_becomes_of_it)
{
    static const char *const needed[] = {"path", "repository", "commit", "licence", "what"};
    struct json *doc = load();
    const struct json *files = json_get(doc, "files");

    cr_expect_gt(json_size(files), 0);
    for (size_t i = 0; i < json_size(files); i++) {
        const struct json *e = json_at(files, i);
        const char *path = text_of(e, "path"), *sha256 = text_of(e, "sha256");

        for (size_t k = 0; k < sizeof needed / sizeof *needed; k++)
            cr_expect_str_neq(text_of(e, needed[k]), "", "%s has no %s", path, needed[k]);
        cr_expect(strlen(sha256) == 64 && strspn(sha256, "0123456789abcdef") == 64, "%s", path);
        cr_expect((text_of(e, "format")[0] == '\0') != (text_of(e, "not_imported")[0] == '\0'),
                  "%s is of a format, or has a reason why not", path);
        for (size_t k = 0; k < i; k++)
            cr_expect_str_neq(path, text_of(json_at(files, k), "path"));
    }
    json_free(doc);
}

static void check_file(struct store *s, const char *path, const struct json *e)
{
    const struct import_options o = {0};
    struct import_report r;
    struct source *source;
    char sha256[65];
    int64_t bytes;

    OK(source_open(path, &source, &err));
    OK(source_sha256(source, sha256, &bytes, &err));
    source_close(source);
    cr_assert_str_eq(sha256, text_of(e, "sha256"), "%s is another file than the one the list names", path);
    cr_expect_eq(bytes, json_get_number(e, "bytes", -1), "%s", path);
    if (text_of(e, "not_imported")[0] != '\0') {
        FAILS(import_file(s, path, &o, arena, &r, &err), ERR_TRACE, "no known trace format");
        return;
    }
    OK(import_file(s, path, &o, arena, &r, &err));
    cr_expect_str_eq(r.format, text_of(e, "format"), "%s", path);
    cr_expect_eq(r.read, json_get_number(e, "records", -1), "%s: read %d", path, (int)r.read);
    cr_expect_eq(r.kept, json_get_number(e, "kept", -1), "%s: kept %d", path, (int)r.kept);
    cr_expect_eq(r.unknown_n, 0, "%s: %s", path, r.unknown_n > 0 ? r.unknown[0].what : "");
}

Test(recordings, every_file_at_hand_is_the_one_named_and_imports_or_says_why_not, .timeout = 240)
{
    const char *folder = getenv("FORESIGHT_TRACES");
    struct json *doc = load();
    const struct json *files = json_get(doc, "files");
    struct store *s = temp_open(STORE_WRITE);
    struct text t = {0};
    char path[900];
    int missing = 0;

    if (folder == NULL)
        cr_skip_test("FORESIGHT_TRACES names no folder of recorded traces");
    OK(store_begin(s, &err)); /* one disk write for all of it */
    for (size_t i = 0; i < json_size(files); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, text_of(json_at(files, i), "path"));
        if (access(path, R_OK) != 0)
            missing++;
        else
            check_file(s, path, json_at(files, i));
    }
    OK(store_commit(s, &err));
    OK(store_check(s, &t, &err));
    if (missing > 0)
        cr_log_info("skipped: %d recordings are not there", missing);
    text_free(&t);
    store_close(s);
    json_free(doc);
}

/* ------------------------------------------------- nothing lies there unlisted */

static struct json *listed;
static const char *top_folder;
static int unlisted;

static int look_up(const char *path, const struct stat *st, int kind, struct FTW *place)
{
    const struct json *files = json_get(listed, "files");
    const char *inner = path + strlen(top_folder) + 1;

    (void)st;
    if (kind != FTW_F || place->level == 1) /* the folder's own description */
        return 0;
    for (size_t i = 0; i < json_size(files); i++)
        if (strcmp(text_of(json_at(files, i), "path"), inner) == 0)
            return 0;
    fprintf(stderr, "%s is not in traces/public.json\n", path);
    unlisted++;
    return 0;
}

Test(recordings, no_file_of_the_folder_is_missing_in_the_list)
{
    top_folder = getenv("FORESIGHT_TRACES");
    if (top_folder == NULL)
        cr_skip_test("FORESIGHT_TRACES names no folder of recorded traces");
    listed = load();
    cr_assert_eq(nftw(top_folder, look_up, 16, FTW_PHYS), 0);
    cr_expect_eq(unlisted, 0);
    json_free(listed);
}
