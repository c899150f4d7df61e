/* This file finds the words that may come next on a command line, for the shells to offer. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include <stdbool.h>

struct command_set;
struct invocation;

/*
 * DESIGN. The script of a shell asks `pawl __complete WORD...`: the words behind "pawl", the last
 * one being that at the cursor, perhaps empty. It gets a line for each word that fits, "word", a
 * tab, what it is; or ":file" or ":dir" where the shell knows better. Names of triggers, scopes and
 * the like come from the engine, if it answers at once; nothing is ever said to be wrong.
 */
bool complete_is_asked(int argc, char *const *argv);
int complete_run(const struct command_set *set, int argc, char *const *argv);

/* `pawl completion bash|zsh|fish`: prints that script. */
int complete_print_script(const struct invocation *invocation);

#endif
