/*
 * man.h - man pages from the tables: foresight(1), foresight-COMMAND(1), foresight-scenario(5),
 * foresight-store(5).
 *
 * What the pages say is what the program reads: commands and options from cmd.h and args.h, keys and
 * parameters from keys.h and the models, tables from the store's own schema.
 */
#ifndef CLI_MAN_H
#define CLI_MAN_H

#include "base/text.h"

enum { MAN_PAGES_MAX = 80 };

/* File names of all pages ("foresight-run.1"), each to be freed; returns how many. */
int man_names(char *names[MAN_PAGES_MAX]);

/* One page by its file name, or by a command's. ERR_USAGE: there is none. */
int man_page(const char *name, struct text *out, struct err *err);

#endif
