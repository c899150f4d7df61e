/* This file is what the files of attempts share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_ATTEMPT_INSIDE_H
#define ENGINE_CORE_ATTEMPT_INSIDE_H

#include "engine/core/alarm_sight.h"
#include "engine/core/attempt.h"
#include "engine/core/entry.h"
#include "engine/core/parcel.h"
#include "engine/core/tracer.h"
#include "wire/traceparent.h"

struct attempts {
	struct store *store;
	struct functions *functions;
	bool only_false_means_no;
	struct matching matching; /* the event that a handler is to get a selection of */
	attempt_done_fn *done;
	void *ctx;
	char log[ADAPTER_LOG_LEN + 1];
	struct attempt_figures figures;
	struct tracer *tracer; /* NULL: nobody wants spans */
	struct list spare;     /* attempts that have ended: their buffers are used again */
};

struct attempt {
	struct list link;
	struct attempts *attempts;
	struct delivery *delivery; /* NULL once it was dropped */
	struct entry entry;
	struct call call;
	struct event event; /* spans into what entry_get lent, or into `bytes` */
	struct buf bytes;   /* of the event, for a call that waits its turn */
	bool asking;        /* the condition function is being called, not the handler */
	bool calling;       /* call is out */
	struct buf id;      /* delivery id */
	struct buf baggage;
	char traceparent[TRACEPARENT_ROOM];
	struct tracer_span span; /* if there is a tracer */
	int64_t started_ms;
	int64_t started_us;
	/* What a write of the handler has as its cause: copies, as the event's bytes are not ours.
	 */
	struct buf cause_path;
	struct buf cause_root;
	uint32_t depth;
	struct buf selected; /* what the handler gets, if its trigger selects */
	bool is_batch;
	struct parcel parcel;     /* of a batch: its events */
	struct addressee to;      /* of a queued message, or of an alarm that names a function */
	struct alarm_sight sight; /* of an alarm */
};

/* attempt_note.c */
/* Its event is known, and somebody is about to be called. */
void attempt_note_begin(struct attempt *attempt);
/* It has ended; returns how long it took (us). */
int64_t attempt_note_end(struct attempt *attempt, const struct attempt_end *end);

#endif
