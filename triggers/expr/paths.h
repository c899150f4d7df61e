/* This file keeps the tree of all paths that expressions use, and gives each a slot. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_PATHS_H
#define TRIGGERS_EXPR_PATHS_H

#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. `new_value.plan` is one slot however many expressions say it. The roots are the
 * variables; a node's children are the names that somebody selects from it. An event fills the
 * slots of what it has in one walk over its text (activation.h), and skips what stands under no
 * node. Users of a slot are counted; a slot without users and children is free for another path.
 */
struct paths;

enum { PATHS_NONE = UINT32_MAX };

struct paths *paths_new(void);
void paths_free(struct paths *paths);
/* A variable: never dropped. Names may hold dots. */
uint32_t paths_root(struct paths *paths, struct span name);
/* The slot of `name` under `parent`, one user more (which its parent counts as a user too). */
uint32_t paths_take(struct paths *paths, uint32_t parent, struct span name);
uint32_t paths_take_again(struct paths *paths, uint32_t slot);
void paths_drop(struct paths *paths, uint32_t slot);

size_t paths_size(const struct paths *paths); /* slots are below this; it grows, never shrinks */
uint32_t paths_parent(const struct paths *paths, uint32_t slot); /* PATHS_NONE for a root */
struct span paths_name(const struct paths *paths, uint32_t slot);
bool paths_has_children(const struct paths *paths, uint32_t slot);
uint32_t paths_child(const struct paths *paths, uint32_t parent,
                     struct span name); /* or PATHS_NONE */

/* For who looks for many names, most of which are not there: a name without its bit among the marks
 * of a path is none of its children. */
uint64_t paths_marks(const struct paths *paths, uint32_t slot);

static inline uint64_t paths_mark(struct span name)
{
	size_t first = name.len != 0 ? (unsigned char)name.ptr[0] : 0;
	return UINT64_C(1) << ((name.len * 5 + first) & 63);
}

/* Who keeps values by slot is told when a slot becomes that of a new path (which nobody has looked
 * for yet), and before it becomes free (what it holds is nobody's). */
struct paths_watcher {
	void (*changed)(struct paths_watcher *watcher, uint32_t slot); /* changes no path */
	struct paths *paths; /* NULL when the paths are gone */
	struct paths_watcher *next;
};

void paths_watch(struct paths *paths, struct paths_watcher *watcher);
void paths_unwatch(struct paths_watcher *watcher);

/* "new_value.plan", for people; a name that is no identifier as ["..."]. */
struct buf;
void paths_write(const struct paths *paths, uint32_t slot, struct buf *out);

#endif
