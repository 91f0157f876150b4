#include "cli/color.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Chosen once, before anything is printed: a property of the terminal, not of a run. */
static enum color_mode chosen = COLOR_AUTO;

void color_choose(enum color_mode mode)
{
    chosen = mode;
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0';
}

static bool colors(void)
{
    const char *terminal = getenv("TERM");

    if (chosen != COLOR_AUTO)
        return chosen == COLOR_ALWAYS;
    return !is_set("NO_COLOR") && isatty(STDOUT_FILENO) && terminal != NULL && strcmp(terminal, "dumb") != 0;
}

const char *paint(enum paint p)
{
    /* Bold beside the hue, so that red and green differ for those who do not see them differ. */
    static const char *const escapes[] = {"\033[32m", "\033[1;31m", "\033[33m", "\033[2m"};

    return colors() ? escapes[p] : "";
}

const char *paint_end(void)
{
    return colors() ? "\033[0m" : "";
}

const char *paint_verdict(const char *verdict)
{
    static const struct {
        const char *word;
        enum paint paint;
    } words[] = {{"helps", PAINT_GOOD},     {"pays", PAINT_GOOD},       {"hurts", PAINT_BAD},
                 {"costs more", PAINT_BAD}, {"no effect", PAINT_FAINT}, {"nothing", PAINT_FAINT}};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, verdict) == 0)
            return paint(words[i].paint);
    return paint(PAINT_DOUBT);
}
