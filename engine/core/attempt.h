/* This file carries one delivery to its handler once, and tells how that ended. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_ATTEMPT_H
#define ENGINE_CORE_ATTEMPT_H

#include "base/span.h"
#include "engine/core/binding.h"
#include "engine/core/delivery.h"
#include "engine/core/delivery_name.h"
#include "engine/core/figures.h"
#include "engine/core/function.h"
#include "engine/core/verdict.h"
#include "engine/durable/store.h"
#include "triggers/event.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. An attempt reads its event (usually still in memory), asks the condition function if the
 * trigger has one and it has not said yes before, then calls the handler, with the event or with
 * what the trigger selects of it. A selection that fails would fail again: the delivery is buried.
 * The condition function always gets the whole event. Of a message both get its data and nothing
 * else, and a queued one says itself whose it is. A batch reads all its events, and is called
 * with the one object that they make. What comes back becomes a verdict; what follows from it is
 * the dispatcher's business, but a batch of which only some have failed is narrowed to those here.
 */
typedef void attempt_done_fn(void *ctx, struct delivery *delivery, const struct attempt_end *end);

struct attempts;
struct tracer;

struct attempts_options {
	struct condition_env *conditions; /* outlives the attempts */
	bool only_false_means_no;
};

struct attempts *attempts_new(struct store *store, struct functions *functions,
                              const struct attempts_options *options, attempt_done_fn *done,
                              void *ctx);
void attempts_free(struct attempts *attempts);
/* From now on each attempt is a span. NULL: no more. */
void attempts_trace(struct attempts *attempts, struct tracer *tracer);
const struct attempt_figures *attempts_figures(const struct attempts *attempts);
void attempts_configure(struct attempts *attempts, bool only_false_means_no);

/* `done` comes exactly once, perhaps from inside this call, unless the attempt is dropped. */
void attempt_start(struct attempts *attempts, struct delivery *delivery);
/* Forgets the running attempt; its handler may still be at work. */
void attempt_drop(struct attempts *attempts, struct delivery *delivery);
/* Number of the attempt that runs, or would run next: from 1. */
uint32_t attempt_number(const struct delivery *delivery);

/* The executor that has it now, absent while none has. */
struct span attempt_worker(const struct delivery *delivery);
/* The function that it calls. */
struct span attempt_function(const struct delivery *delivery);
int64_t attempt_running_ms(const struct delivery *delivery);

/* What a write made by the running attempt has as its cause; false when none runs. The spans point
 * into the scratch buffer and the attempt. */
bool attempt_cause(const struct delivery *delivery, struct span log, struct buf *scratch,
                   struct event_cause *out);

#endif
