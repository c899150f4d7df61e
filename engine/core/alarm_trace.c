/* This file is a table of bits about objects and their scopes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/alarm_trace.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/durable/space.h"

enum { BITS = 1 << 20, WORD = 64 };

struct listing;

struct alarm_traces {
	struct store *store;
	uint64_t objects[BITS / WORD];
	uint64_t old_scopes[BITS / WORD]; /* that had alarms when they were listed */
	uint64_t scopes[BITS / WORD];     /* that have had one */
	bool is_listed;                   /* else each scope may have some */
	struct listing *listing;
};

struct listing {
	struct store_parts parts;
	struct alarm_traces *traces; /* NULL once they were freed */
};

static void set(uint64_t words[], uint64_t hash)
{
	words[hash % BITS / WORD] |= UINT64_C(1) << hash % WORD;
}

static bool has(const uint64_t words[], uint64_t hash)
{
	return (words[hash % BITS / WORD] >> hash % WORD & 1) != 0;
}

static uint64_t hash_of(struct span scope, struct span key)
{
	return hash_quick(key, hash_quick(scope, 0));
}

struct alarm_traces *alarm_traces_new(struct store *store)
{
	struct alarm_traces *traces = MEM_NEW(struct alarm_traces);
	traces->store = store;
	return traces;
}

void alarm_traces_free(struct alarm_traces *traces)
{
	if (traces != NULL && traces->listing != NULL) {
		traces->listing->traces = NULL;
	}
	mem_free(traces);
}

static bool scope_met(void *ctx, struct span part)
{
	const struct listing *listing = ctx;
	if (listing->traces != NULL) {
		set(listing->traces->old_scopes, hash_quick(part, 0));
		set(listing->traces->scopes, hash_quick(part, 0));
	}
	return listing->traces != NULL;
}

static void scopes_met(struct store_parts *parts, int status, uint64_t group, const struct err *err)
{
	(void)group;
	struct listing *listing = MEM_CONTAINER(parts, struct listing, parts);
	struct alarm_traces *traces = listing->traces;
	mem_free(listing);
	if (traces == NULL) {
		return;
	}
	traces->listing = NULL;
	traces->is_listed = status == 0;
	if (status != 0) {
		log_warn("alarm",
		         "the scopes with alarms cannot be listed, so each is taken for "
		         "one: %s",
		         err->text);
	}
}

void alarm_traces_load(struct alarm_traces *traces)
{
	struct listing *listing = MEM_NEW(struct listing);
	listing->traces = traces;
	listing->parts = (struct store_parts){
	        .space = SPACE_ALARM, .part = scope_met, .ctx = listing, .done = scopes_met};
	traces->listing = listing;
	store_parts_start(traces->store, &listing->parts);
}

void alarm_traces_add(struct alarm_traces *traces, struct span scope, struct span key)
{
	set(traces->objects, hash_of(scope, key));
	set(traces->scopes, hash_quick(scope, 0));
}

/* An alarm's key is the object's, NUL, and a name without NUL: this is behind all of them. */
static struct record_key behind_all(struct space_key *room, struct span scope, struct span key)
{
	const struct record_key first = space_alarm(room, scope, key, SPAN(""));
	room->bytes[first.key.len - 1] = '\1';
	return first;
}

bool alarm_traces_drop(const struct alarm_traces *traces, struct span scope, struct span key)
{
	if (traces == NULL || (traces->is_listed && !has(traces->objects, hash_of(scope, key)) &&
	                       !has(traces->old_scopes, hash_quick(scope, 0)))) {
		return false;
	}
	struct space_key from;
	struct space_key to;
	store_delete_range(traces->store, SPACE_ALARM, scope,
	                   space_alarm(&from, scope, key, SPAN("")).key,
	                   behind_all(&to, scope, key).key);
	return true;
}

/* A range that begins behind a key begins with it and a NUL (key_range_behind). */
static struct record_key begin_at(struct space_key *room, struct span scope, struct span from)
{
	bool is_behind = from.len != 0 && from.ptr[from.len - 1] == '\0';
	return is_behind ? behind_all(room, scope, span_make(from.ptr, from.len - 1))
	                 : space_alarm(room, scope, from, SPAN(""));
}

static bool has_some(const struct alarm_traces *traces, struct span scope)
{
	return traces != NULL && (!traces->is_listed || has(traces->scopes, hash_quick(scope, 0)));
}

bool alarm_traces_drop_before(const struct alarm_traces *traces, struct span scope,
                              struct span from, struct span end)
{
	struct space_key start;
	struct space_key room;
	if (!has_some(traces, scope)) {
		return false;
	}
	struct span to = end.ptr != NULL ? space_alarm(&room, scope, end, SPAN("")).key : SPAN("");
	store_delete_range(traces->store, SPACE_ALARM, scope, begin_at(&start, scope, from).key,
	                   to);
	return true;
}

bool alarm_traces_drop_up_to(const struct alarm_traces *traces, struct span scope, struct span from,
                             struct span last)
{
	struct space_key start;
	struct space_key room;
	if (!has_some(traces, scope)) {
		return false;
	}
	store_delete_range(traces->store, SPACE_ALARM, scope, begin_at(&start, scope, from).key,
	                   behind_all(&room, scope, last).key);
	return true;
}
