/* This file puts expired records away, and counts how late that was. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/expiry.h"

#include "base/clock.h"
#include "base/mem.h"
#include "engine/core/change.h"

struct expiry {
	struct store *store;
	struct agenda_rounds *rounds;
	int64_t started_ms; /* wall clock */
	uint64_t expired;
	struct histogram late; /* ms */
};

static void note_lateness(struct expiry *expiry, int64_t at_ms, int64_t now_ms)
{
	expiry->expired++;
	if (at_ms >= expiry->started_ms) {
		histogram_add(&expiry->late, now_ms - at_ms);
	}
}

static bool look(void *ctx, struct record_key key, uint64_t *group)
{
	struct expiry *expiry = ctx;
	struct store *store = expiry->store;
	struct store_look look;
	bool is_there = store_look(store, key, &look) == STORE_FOUND;
	*group = look.group > *group ? look.group : *group;
	if (!is_there || !change_is_expired(store, &look.record)) {
		return false;
	}
	note_lateness(expiry, look.record.expires_at_ms, store_time_ms(store));
	change_expire(store, key, &look.record);
	return true;
}

struct expiry *expiry_new(struct store *store, struct alarms *alarms)
{
	struct expiry *expiry = MEM_NEW(struct expiry);
	const struct agenda_rounds_options options = {
	        .space = SPACE_STATE, .point = CRASH_EXPIRE, .look = look, .ctx = expiry};
	expiry->store = store;
	expiry->rounds = agenda_rounds_new(store, alarms, &options);
	return expiry;
}

void expiry_free(struct expiry *expiry)
{
	if (expiry != NULL) {
		agenda_rounds_free(expiry->rounds);
		mem_free(expiry);
	}
}

void expiry_start(struct expiry *expiry)
{
	expiry->started_ms = clock_wall_ms();
	agenda_rounds_start(expiry->rounds);
}

void expiry_note(void *expiry, struct record_key key, int64_t at_ms)
{
	agenda_rounds_note(((struct expiry *)expiry)->rounds, key, at_ms);
}

void expiry_get_stats(const struct expiry *expiry, struct expiry_stats *out)
{
	agenda_rounds_get_stats(expiry->rounds, &out->agenda);
	out->expired = expiry->expired;
	out->late = &expiry->late;
}
