/* This file keeps calls that are to be made later, and puts them into their queues in time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_LATER_H
#define ENGINE_CORE_LATER_H

#include "adapters/adapter.h"
#include "adapters/batch.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "engine/core/core.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. A call for later is one record among those of the alarms, in the scope "", which no
 * object has: so the agenda of alarms tells when one is due, and far ones cost disk only.
 *
 *   put --> waits --due--> its queue, as a message that was put in at this moment
 *             |
 *             +--cancelled--> (removed)
 *
 * Record and message change places in one group: a crash finds the one or the other. If its queue
 * is in the config no more the record stays where it is, and is looked at again when the config
 * has changed.
 *
 * The id begins with the time, in hexadecimal digits: calls are listed in the order in which they
 * are due, those of one moment in the order in which they were put.
 */
struct laters;

enum { LATER_TIME_LEN = 12, LATER_ID_LEN = 33 };

/* All but the times borrowed. */
struct later {
	int64_t at_ms;           /* wall clock: when it is due */
	int64_t made_ms;         /* when it was put */
	struct span queue;       /* its name */
	struct span call;        /* JSON: whom it is for (addressee.h) */
	struct span data;        /* JSON: what that one is to get */
	struct span traceparent; /* may be absent */
};

void later_encode(const struct later *later, struct buf *out);
/* Texts are unescaped into `scratch`, the rest points into `value`. E_VERSION, E_DAMAGED. */
int later_decode(struct span value, struct later *out, struct buf *scratch, struct err *err);

/* What all ids of this time begin with, in LATER_TIME_LEN digits. */
void later_write_time(int64_t at_ms, struct buf *out);

/* `due` is told of every record that was put. */
typedef void laters_due_fn(void *ctx, struct record_key key, int64_t at_ms);
struct laters *laters_new(const struct core *core, laters_due_fn *due, void *ctx);
void laters_free(struct laters *laters);

/* Into the open group, which the caller commits; appends its id. made_ms is set here. */
void laters_put(struct laters *laters, struct later *later, struct buf *out_id);
void laters_remove(const struct laters *laters, struct span id);
/* A record that may be due, as agenda_rounds asks. */
bool laters_look(struct laters *laters, struct span id, uint64_t *group);
/* Has one been due that has no queue? True but once: whoever hears of it looks at all again. */
bool laters_take_missed(struct laters *laters);
uint64_t laters_fired(const struct laters *laters); /* since the start */

#endif
