/* Is a page what it claims to be: balanced, self-contained, without doubled ids? */
#ifndef MARKUP_H
#define MARKUP_H

#include <criterion/criterion.h>

#include <stdbool.h>
#include <string.h>

enum { DEEPEST = 64, MOST_IDS = 4000 };

static inline bool name_is(const char *s, size_t n, const char *name)
{
    return strlen(name) == n && strncmp(s, name, n) == 0;
}

/* Every tag that opens closes again, in order; only tags that this program writes occur at all. */
static inline void expect_balanced(const char *page)
{
    static const char *const allowed[] = {
        "!doctype", "html",        "head",   "meta",       "title",  "style",   "body",    "h1",
        "h2",       "h3",          "p",      "div",        "span",   "b",       "section", "table",
        "thead",    "tbody",       "tr",     "th",         "td",     "small",   "svg",     "g",
        "defs",     "rect",        "circle", "path",       "use",    "filter",  "feFlood", "text",
        "desc", "nav", "a", "ul", "li", "details", "summary",     "feComposite", "figure", "figcaption", "footer", "polygon", "ellipse",
    };
    const char *open[DEEPEST];
    size_t length[DEEPEST], depth = 0;

    for (const char *s = strchr(page, '<'); s != NULL; s = strchr(s, '<')) {
        bool closes = s[1] == '/', known = false;
        const char *name = s + 1 + closes, *end = strchr(name, '>');
        size_t n = strcspn(name, " \t\r\n/>");

        cr_assert_not_null(end);
        for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
            known |= name_is(name, n, allowed[i]);
        cr_assert(known, "a tag that no section writes: %.60s", s);
        if (closes) {
            cr_assert(depth > 0 && length[depth - 1] == n && strncmp(open[depth - 1], name, n) == 0,
                      "%.40s closes what is not open", s);
            depth--;
        } else if (end[-1] != '/' && !name_is(name, n, "meta") && !name_is(name, n, "!doctype")) {
            cr_assert_lt(depth, DEEPEST);
            open[depth] = name;
            length[depth++] = n;
        }
        s = end;
    }
    cr_expect_eq(depth, 0);
}

static inline void expect_self_contained(const char *page)
{
    static const char *const never[] = {"<script", "src=", "url(",   "@import",
                                        "<link",   "<img", "onload", "onclick"};

    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        cr_expect_null(strstr(page, never[i]), "\"%s\" in the page", never[i]);
    for (const char *s = page; (s = strstr(s, "href=")) != NULL; s += 5)
        cr_expect(s[6] == '#', "a link to elsewhere: %.40s", s);
    for (const char *s = page; (s = strstr(s, "http")) != NULL; s += 4)
        cr_expect(strncmp(s, "http://www.w3.org/", 18) == 0 || strncmp(s, "http-equiv", 10) == 0, "%.40s", s);
}

static inline void expect_unique_ids(const char *page)
{
    const char *seen[MOST_IDS];
    size_t length[MOST_IDS], n = 0;

    for (const char *s = page; (s = strstr(s, " id=")) != NULL; s += 5) {
        char quote[2] = {s[4], '\0'};
        size_t len = strcspn(s + 5, quote);

        for (size_t i = 0; i < n; i++)
            cr_expect(length[i] != len || strncmp(seen[i], s + 5, len) != 0, "id %.*s twice", (int)len,
                      s + 5);
        cr_assert_lt(n, MOST_IDS);
        seen[n] = s + 5;
        length[n++] = len;
    }
    cr_expect_gt(n, 0);
}

#endif
