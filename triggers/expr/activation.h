/* This file holds what an expression sees: the values of its paths in one event. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_ACTIVATION_H
#define TRIGGERS_EXPR_ACTIVATION_H

#include "base/buf.h"
#include "triggers/expr/paths.h"
#include "triggers/expr/value.h"

/*
 * DESIGN. One activation serves event after event: reset, bind the variables, evaluate any number
 * of expressions. A slot is filled by the walk over a bound JSON text, or when it is first asked
 * for (from its parent's value), and keeps what was found, errors included: "no such key" is found
 * out once per event (but for ERROR_BUDGET, which is the evaluation's own). A path that appears
 * while an event is bound is found like any other.
 */
enum { ACTIVATION_LOCALS_MAX = 64 };

struct activation_extent;

struct activation {
	struct paths *paths;
	struct paths_watcher watcher;
	struct value *slots; /* by slot */
	size_t slot_cap;
	uint32_t *touched; /* the slots that are not unset, in the order of filling; or PATHS_NONE
	                    */
	size_t touched_count;
	size_t touched_cap;
	struct activation_extent *extents; /* by slot: where it stands in `touched` */
	struct buf scratch;                /* an escaped name */
	struct allowance allowance;
	struct value locals[ACTIVATION_LOCALS_MAX]; /* variables of loops and binds, by depth */
};

/* `arena_limit`: bytes that the evaluations of one event may build (0 = 4 MiB). */
void activation_init(struct activation *activation, struct paths *paths, size_t arena_limit);
void activation_close(struct activation *activation);
/* The next event: all slots unset, the arena empty, the budget 0 (who evaluates sets it). */
void activation_reset(struct activation *activation);
/* Gives a variable its value. */
void activation_bind(struct activation *activation, uint32_t root, struct value value);
/* Gives it valid JSON text, and fills the slots of every path below it in one pass over the text.
 */
void activation_bind_json(struct activation *activation, uint32_t root, struct span json);
/* The slow half of activation_get. */
struct value activation_resolve(struct activation *activation, uint32_t slot);

/* The value of a path, or the error that says why there is none. */
static inline struct value activation_get(struct activation *activation, uint32_t slot)
{
	if (slot < activation->slot_cap && activation->slots[slot].tag != VALUE_UNSET) {
		return activation->slots[slot];
	}
	return activation_resolve(activation, slot);
}

/* A field of a map by its name, as `.name` has it: ERROR_NO_SUCH_KEY, or ERROR_NO_SUCH_OVERLOAD on
 * what is no map. `map` is parsed in place. */
struct value activation_select(struct allowance *allowance, struct value *map, struct span name);

#endif
