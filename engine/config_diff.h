/* This file says in what a configuration differs from the one in force. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONFIG_DIFF_H
#define ENGINE_CONFIG_DIFF_H

#include "base/buf.h"
#include "engine/config_table.h"
#include <stddef.h>

/* The order is that of the answer's members. */
enum config_change_kind {
	CONFIG_ADDED,
	CONFIG_CHANGED,
	CONFIG_REMOVED,
	CONFIG_NEEDS_RESTART,
	CONFIG_CHANGE_KINDS
};

struct config_change {
	enum config_change_kind kind;
	const char *what; /* "option", "function", "trigger" */
	char *id;         /* "log.level", or the id */
	char *namespace_; /* of a function; else NULL */
	struct buf more;  /* further members as JSON: "from" and "to" of an option, "fields" of what
	                   * has many (names only: values may be secret) */
};

struct config_diff {
	struct config_change *items;
	size_t count;
	size_t counts[CONFIG_CHANGE_KINDS];
};

/* Options that are live are compared with `now`, those that need a restart with `boot`, the
 * configuration that the daemon was started with. */
void config_diff_make(const struct config *boot, const struct config *now,
                      const struct config *next, struct config_diff *out);
/* Appends the members "added", "changed", "removed" and "needs_restart", a list each. */
void config_diff_write(const struct config_diff *diff, struct buf *out);
void config_diff_close(struct config_diff *diff);

#endif
