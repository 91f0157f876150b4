#include "cli/man.h"

#include "base/arena.h"
#include "base/units.h"
#include "cli/cmd.h"
#include "cli/keys.h"
#include "models/model.h"
#include "pipeline/scenario.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------- roff */

/* Text as it stands: no line may begin with a control character, no backslash escape. */
static void plain(struct text *t, const char *s)
{
    for (bool start = true; *s != '\0'; start = *s == '\n', s++) {
        if (start && (*s == '.' || *s == '\''))
            text_add(t, "\\&");
        if (*s == '\\')
            text_add(t, "\\e");
        else if (*s == '-')
            text_add(t, "\\-");
        else
            text_add_n(t, s, 1);
    }
}

static void heading(struct text *t, const char *name)
{
    text_printf(t, ".SH %s\n", name);
}

static void paragraph(struct text *t, const char *s)
{
    plain(t, s);
    text_add(t, "\n");
}

/* Lines as they are, as of examples. */
static void verbatim(struct text *t, const char *s)
{
    text_add(t, ".nf\n");
    plain(t, s);
    text_add(t, s[0] != '\0' && s[strlen(s) - 1] == '\n' ? ".fi\n" : "\n.fi\n");
}

static void term(struct text *t, const char *what, const char *says)
{
    text_add(t, ".TP\n.B ");
    plain(t, what);
    text_add(t, "\n");
    paragraph(t, says);
}

static void title(struct text *t, const char *name, int section, const char *says)
{
    text_printf(t, ".TH \"%s\" %d \"\" \"foresight %s\" \"foresight\"\n", name, section, PACKAGE_VERSION);
    heading(t, "NAME");
    plain(t, name);
    text_add(t, " \\- ");
    paragraph(t, says);
}

/* ------------------------------------------------------------------ commands */

static void options_of(struct text *t, const struct cmd *cmd, bool common)
{
    for (const struct option_def *o = option_table; o->name != NULL; o++) {
        char left[80];

        if (o->common != common || !args_takes(cmd, o))
            continue;
        snprintf(left, sizeof left, "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
        term(t, left, o->help);
    }
}

static void exit_status(struct text *t)
{
    heading(t, "EXIT STATUS");
    term(t, "0", "done");
#define X(name, status, says) term(t, #status, says);
    ERR_LIST(X)
#undef X
}

static void page_of_command(const struct cmd *c, struct text *t)
{
    char name[60];

    snprintf(name, sizeof name, "foresight-%s", c->name);
    title(t, name, 1, c->help);
    heading(t, "SYNOPSIS");
    text_printf(t, ".B foresight %s\n", c->name);
    plain(t, c->args);
    text_add(t, " [OPTION...]\n");
    heading(t, "DESCRIPTION");
    paragraph(t, c->about);
    if (c->options[0] != '\0') {
        heading(t, "OPTIONS");
        options_of(t, c, false);
    }
    heading(t, "COMMON OPTIONS");
    options_of(t, c, true);
    heading(t, "EXAMPLES");
    verbatim(t, c->examples);
    heading(t, "SEE ALSO");
    text_add(t, ".BR foresight (1),\n.BR foresight-scenario (5),\n.BR foresight-store (5)\n");
}

static void page_of_program(struct text *t)
{
    const char *group = "";

    title(t, "foresight", 1, "what one change in one system does to a whole ML pipeline");
    heading(t, "SYNOPSIS");
    text_add(t, ".B foresight\n");
    plain(t, "COMMAND [ARGUMENT...] [OPTION...]\n");
    heading(t, "DESCRIPTION");
    paragraph(
        t, "Simulates ETL, storage, preprocessing, training, retrieval, LLM serving and agents in one event "
           "calendar, calibrated from traces, checked against real execution and against the measurements of "
           "others, and says which optimization is worth building.");
    for (size_t i = 0; cmds[i] != NULL; i++) {
        char left[80];

        if (strcmp(group, cmds[i]->group) != 0) {
            text_add(t, ".SS ");
            paragraph(t, cmds[i]->group);
        }
        group = cmds[i]->group;
        snprintf(left, sizeof left, "%s %s", cmds[i]->name, cmds[i]->args);
        term(t, left, cmds[i]->help);
    }
    exit_status(t);
    heading(t, "ENVIRONMENT");
    term(t, "FORESIGHT_STORE", "The store, unless --store names one.");
    term(t, "FORESIGHT_TRACES", "Folder of recorded files for replay, unless --traces names one.");
    term(t, "NO_COLOR", "When set, nothing is coloured unless --color always asks for it.");
    heading(t, "SEE ALSO");
    text_add(t, ".BR foresight-scenario (5),\n.BR foresight-store (5)\n");
}

/* ------------------------------------------------------------------ the files */

static void parameters(struct text *t, const struct param *table)
{
    for (const struct param *p = table; p->type != PARAM_END; p++) {
        char says[700];
        size_t n = (size_t)snprintf(says, sizeof says, "%s%s%s", p->help, p->def != NULL ? "; default " : "",
                                    p->def != NULL ? p->def : "");

        for (int i = 0; p->choices != NULL && p->choices[i] != NULL && n < sizeof says; i++)
            n += (size_t)snprintf(says + n, sizeof says - n, "%s%s", i > 0 ? ", " : "; of ", p->choices[i]);
        term(t, p->name, says);
    }
}

static void page_of_scenario(struct text *t)
{
    static const char *const heads[] = {"KEYS OF A SCENARIO", "KEYS OF A PIPELINE", "KEYS OF A STAGE",
                                        "KEYS OF A KNOB", "KEYS OF THE OBJECTIVE"};

    title(t, "foresight-scenario", 5, "the file that says what is computed, on what, for whom");
    heading(t, "DESCRIPTION");
    paragraph(t, "JSON without comments; unknown keys are errors. Quantities are numbers in SI base units or "
                 "text with "
                 "a unit (\"20GiB/s\", \"200us\"); a law may stand where a duration, size or count may "
                 "({\"lognormal\": "
                 "{\"mean\": \"8ms\", \"cv\": 0.4}}). foresight check FILE reads a file as run would.");
    for (int i = 0; key_groups[i].of != NULL; i++) {
        heading(t, heads[i]);
        for (int k = 0; key_groups[i].keys[k] != NULL; k++)
            term(t, key_groups[i].keys[k], key_help(key_groups[i].of, key_groups[i].keys[k]));
    }
    heading(t, "KEYS OF A RESOURCE");
    parameters(t, resource_params);
    for (int i = 0; resource_references[i] != NULL; i++)
        term(t, resource_references[i], key_help("resource", resource_references[i]));
    for (int i = 0; models[i] != NULL; i++) {
        text_add(t, ".SH PARAMETERS OF ");
        paragraph(t, models[i]->name);
        paragraph(t, models[i]->about);
        parameters(t, models[i]->params);
    }
    heading(t, "SEE ALSO");
    text_add(t, ".BR foresight (1),\n.BR foresight-check (1),\n.BR foresight-models (1)\n");
}

static int page_of_store(struct text *t, struct err *err)
{
    struct text ddl = {0};
    struct store *s;
    int rc = store_open_memory(&s, err);

    if (rc != 0)
        return rc;
    rc = store_describe_tables(s, &ddl, err);
    store_close(s);
    if (rc == 0) {
        title(t, "foresight-store", 5, "the SQLite file of traces, calibrations and results");
        heading(t, "DESCRIPTION");
        paragraph(t, "Whatever a command found out is kept in one SQLite file, to be queried with "
                     "sqlite3(1). Times are in "
                     "seconds, sizes in bytes. Tables and views, as the program makes them:");
        verbatim(t, ddl.s);
        heading(t, "SEE ALSO");
        text_add(t, ".BR foresight (1),\n.BR foresight-trace (1),\n.BR foresight-runs (1)\n");
    }
    text_free(&ddl);
    return rc;
}

/* ----------------------------------------------------------------------- all */

int man_names(char *names[MAN_PAGES_MAX])
{
    int n = 0;

    names[n++] = xstrdup("foresight.1");
    for (size_t i = 0; cmds[i] != NULL && n < MAN_PAGES_MAX - 2; i++) {
        names[n] = xcalloc(1, strlen(cmds[i]->name) + sizeof "foresight-.1");
        sprintf(names[n++], "foresight-%s.1", cmds[i]->name);
    }
    names[n++] = xstrdup("foresight-scenario.5");
    names[n++] = xstrdup("foresight-store.5");
    return n;
}

/* "foresight-run.1", "foresight-run" and "run" are one page. */
static void short_name(const char *name, char *out, size_t size)
{
    static const char prefix[] = "foresight-";
    size_t n;

    if (strncmp(name, prefix, sizeof prefix - 1) == 0)
        name += sizeof prefix - 1;
    n = strlen(name);
    if (n > 2 && (strcmp(name + n - 2, ".1") == 0 || strcmp(name + n - 2, ".5") == 0))
        n -= 2;
    snprintf(out, size, "%.*s", (int)n, name);
}

int man_page(const char *name, struct text *out, struct err *err)
{
    char page[80];
    const struct cmd *c;

    short_name(name, page, sizeof page);
    c = cmd_find(page);
    if (strcmp(page, "foresight") == 0)
        page_of_program(out);
    else if (c != NULL)
        page_of_command(c, out);
    else if (strcmp(page, "scenario") == 0)
        page_of_scenario(out);
    else if (strcmp(page, "store") == 0)
        return page_of_store(out, err);
    else
        return err_set(err, ERR_USAGE,
                       "no manual page \"%s\"; there are those of the commands, scenario and store", name);
    return 0;
}
