#include "cli/completion.h"

#include "cli/cmd.h"

#include <string.h>

/* Options whose values are files or folders; the choices of an option stand in its own table. */
static bool takes_file(const struct option_def *o)
{
    return o->arg != NULL &&
           (strcmp(o->arg, "FILE") == 0 || strcmp(o->arg, "DIR") == 0 || strcmp(o->arg, "TRACE") == 0);
}

/* "auto|plain|json" */
static bool has_choices(const struct option_def *o)
{
    return o->arg != NULL && strchr(o->arg, '|') != NULL && strchr(o->arg, ':') == NULL;
}

static void add_choices(struct text *t, const char *arg)
{
    for (; *arg != '\0'; arg++)
        text_add_n(t, *arg == '|' ? " " : arg, 1);
}

static void command_names(struct text *t)
{
    for (size_t i = 0; cmds[i] != NULL; i++)
        text_printf(t, "%s%s", i > 0 ? " " : "", cmds[i]->name);
}

static void option_names(struct text *t, const struct cmd *c)
{
    bool first = true;

    for (const struct option_def *o = option_table; o->name != NULL; o++)
        if (args_takes(c, o)) {
            text_printf(t, "%s--%s", first ? "" : " ", o->name);
            first = false;
        }
}

/* ---------------------------------------------------------------------- bash */

static void bash_values(struct text *t)
{
    text_add(t, "    case \"$prev\" in\n");
    for (const struct option_def *o = option_table; o->name != NULL; o++)
        if (has_choices(o)) {
            text_printf(t, "        --%s) COMPREPLY=($(compgen -W \"", o->name);
            add_choices(t, o->arg);
            text_add(t, "\" -- \"$cur\")); return ;;\n");
        } else if (takes_file(o)) {
            text_printf(t, "        --%s) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", o->name);
        }
    text_add(t, "    esac\n");
}

static void bash(struct text *t)
{
    text_add(t, "# bash completion of foresight; made by: foresight help --completion bash\n"
                "_foresight() {\n"
                "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} options=\n"
                "    COMPREPLY=()\n"
                "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                "        COMPREPLY=($(compgen -W \"");
    command_names(t);
    text_add(t, "\" -- \"$cur\"))\n        return\n    fi\n");
    bash_values(t);
    text_add(t, "    case \"${COMP_WORDS[1]}\" in\n");
    for (size_t i = 0; cmds[i] != NULL; i++) {
        text_printf(t, "        %s) options=\"", cmds[i]->name);
        option_names(t, cmds[i]);
        text_add(t, "\" ;;\n");
    }
    text_add(t, "    esac\n"
                "    case \"$cur\" in\n"
                "        -*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")) ;;\n"
                "        *) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
                "    esac\n"
                "}\n"
                "complete -o filenames -F _foresight foresight\n");
}

/* ----------------------------------------------------------------------- zsh */

/* Inside '[...]' of an _arguments specification that stands in single quotes. */
static void zsh_text(struct text *t, const char *s)
{
    for (; *s != '\0'; s++)
        if (*s == '\'')
            text_add(t, "'\\''");
        else if (strchr("[]\\:", *s) != NULL)
            text_printf(t, "\\%c", *s);
        else
            text_add_n(t, s, 1);
}

static void zsh_option(struct text *t, const struct option_def *o)
{
    text_printf(t, " \\\n            '*--%s%s[", o->name, o->arg != NULL ? "=" : "");
    zsh_text(t, o->help);
    text_add(t, "]");
    if (has_choices(o)) {
        text_add(t, ":value:(");
        add_choices(t, o->arg);
        text_add(t, ")");
    } else if (o->arg != NULL) {
        text_printf(t, ":value:%s", takes_file(o) ? "_files" : "");
    }
    text_add(t, "'");
}

static void zsh(struct text *t)
{
    text_add(t, "#compdef foresight\n# made by: foresight help --completion zsh\n"
                "local -a commands\ncommands=(\n");
    for (size_t i = 0; cmds[i] != NULL; i++) {
        text_printf(t, "    '%s:", cmds[i]->name);
        zsh_text(t, cmds[i]->help);
        text_add(t, "'\n");
    }
    text_add(t, ")\nif (( CURRENT == 2 )); then\n    _describe command commands\n    return\nfi\n"
                "shift words\n(( CURRENT-- ))\ncase $words[1] in\n");
    for (size_t i = 0; cmds[i] != NULL; i++) {
        text_printf(t, "    %s)\n        _arguments", cmds[i]->name);
        for (const struct option_def *o = option_table; o->name != NULL; o++)
            if (args_takes(cmds[i], o))
                zsh_option(t, o);
        text_add(t, " \\\n            '*:file:_files' ;;\n");
    }
    text_add(t, "esac\n");
}

int completion_script(const char *shell, struct text *out, struct err *err)
{
    if (strcmp(shell, "bash") == 0)
        bash(out);
    else if (strcmp(shell, "zsh") == 0)
        zsh(out);
    else
        return err_set(err, ERR_USAGE, "--completion %s: allowed are bash, zsh", shell);
    return 0;
}
