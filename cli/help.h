/* This file explains the commands: help, the manual page and docs/cli.md, all from the table. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

struct buf;
struct command_set;
struct invocation;

/* What COMMAND_HELP asks for. */
void help_write(const struct invocation *invocation, struct buf *out);
void help_write_man(const struct command_set *set, struct buf *out); /* troff */
void help_write_docs(const struct command_set *set,
                     struct buf *out); /* the tables of docs/cli.md */
/* One line of JSON a command: {"command":...,"args":...,"options":[...]}. */
void help_write_json(const struct command_set *set, struct buf *out);

#endif
