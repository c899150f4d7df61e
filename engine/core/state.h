/* This file changes and reads the state that users keep: scopes, keys, JSON values. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_STATE_H
#define ENGINE_CORE_STATE_H

#include "adapters/batch.h"
#include "base/err.h"
#include "base/span.h"
#include "engine/core/lifetime.h"
#include "triggers/event.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. Every operation is one JSON object in and one JSON value out, the same for workers
 * (`state::set`), the HTTP API and the CLI. Operations on one key run one after the other (a lane
 * per key); different keys do not wait for each other. An answer leaves when everything that it was
 * computed from is durable.
 */
struct alarm_traces;
struct state;
struct store;
struct alarms;
struct binding;
struct feedback;
struct idem;

struct state_limits {
	uint64_t value_bytes;    /* key + value; 2 MiB */
	uint64_t reply_bytes;    /* 32 MiB: result_too_large */
	uint32_t transact_keys;  /* 128 */
	uint64_t transact_bytes; /* 8 MiB */
};

/* Answers which delivery a write belongs to, from its baggage; set by the delivery side. Fills
 * `cause` with borrowed spans and *out_by with its trigger, or leaves them alone, and returns 0, or
 * E_CONFLICT "stale_delivery". */
typedef int state_cause_fn(void *ctx, struct span baggage, struct event_cause *cause,
                           struct binding **out_by, struct err *err);

struct state *state_new(struct store *store, const struct state_limits *limits);
void state_free(struct state *state);
void state_configure(struct state *state, const struct state_limits *limits);
void state_set_cause(struct state *state, state_cause_fn *fn, void *ctx);
/* Who remembers answers by idempotency keys; before the first request. */
void state_set_idem(struct state *state, struct idem *idem);
/* Who hears of writes whose cause is not known. */
void state_set_feedback(struct state *state, struct feedback *feedback);
/* Copied. */
void state_set_scopes(struct state *state, const struct scope_rules *rules);
/* With an object its alarms go. Borrowed. */
void state_drop_alarms(struct state *state, const struct alarm_traces *traces);
/* Told of every record that is put and expires. */
typedef void state_expiring_fn(void *ctx, struct record_key key, int64_t at_ms);
void state_on_expiring(struct state *state, state_expiring_fn *fn, void *ctx);

/* Embedded in who asks. `name` is "state::set" etc., one that state_knows; all spans must stay
 * valid until done, which comes exactly once and never from inside state_run. What each takes and
 * answers stands in state_write.h, state_read.h, state_list.h, state_groups.h, state_transact.h and
 * state_clear.h.
 */
struct state_request {
	struct span name;
	struct span data; /* a valid JSON object */
	struct span traceparent;
	struct span baggage;
	struct span caller; /* as call.caller */
	/* result absent: the function returned nothing. err: code and text for the client. */
	void (*done)(struct state_request *request, int status, struct span result,
	             const struct err *err);
	bool replayed;  /* set before done: it is the answer of an earlier request with this key */
	void *private_; /* state.c's */
};

bool state_knows(struct span name); /* is there a state function of this name? */
void state_run(struct state *state, struct state_request *request);

#endif
