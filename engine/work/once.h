/* This file lets a built-in function do what it is asked once for each idempotency key. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_ONCE_H
#define ENGINE_WORK_ONCE_H

#include "base/buf.h"
#include "base/span.h"
#include "engine/core/idem.h"
#include "engine/durable/store.h"
#include "engine/work/builtin.h"
#include <stdbool.h>
#include <stddef.h>

struct once;
typedef void once_fn(struct once *once);

/*
 * DESIGN. For functions that put something without returning to the loop, and may be asked for it
 * twice:
 *
 *   once_run --> (at once, or when what is known of the names is in memory) act
 *   act: once_is_answered? then that was it. Else judge, put, compose work->out, once_commit.
 *
 * A function that fails puts nothing and calls work_fail: its key is as new. The state functions
 * have lanes and do the same by themselves (core/task).
 */
struct once {
	struct work *work;
	struct span data;        /* what the function was given: a copy, if it had to wait */
	struct idem_name *key;   /* of the request; NULL: it has none */
	struct idem_name *names; /* those that the caller has given */
	size_t count;
	struct record_key record; /* of once_run_on; else all zero */

	/* once.c's */
	once_fn *act;
	struct buf copy;
	struct store_fetch fetch;
};

/* Takes `names` over (NULL: none): records to be looked at besides that of the data's
 * "idempotency_key". `act` comes exactly once, perhaps from inside this call, unless the request is
 * refused; the `once` is gone behind it. */
void once_run(struct work *work, struct span data, struct idem_name *names, size_t count,
              once_fn *act);
/* The same without names, for an act that looks at this record, which is in memory then. */
void once_run_on(struct work *work, struct span data, struct record_key record, once_fn *act);
/* The work is answered with what it was answered then, or refused. */
bool once_is_answered(struct once *once);
/* Puts work->out as the answer of the key and commits; the work is answered when it is durable. */
void once_commit(struct once *once);

#endif
