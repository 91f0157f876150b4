/*
 * completion.h - completion scripts for bash and zsh, made of the tables of commands and options.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "base/text.h"

int completion_script(const char *shell, struct text *out, struct err *err); /* ERR_USAGE: another shell */

#endif
