/* This file looks at the journal's age and size every few seconds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/retain.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum {
	LOOK_MS = 10000,
	SAMPLES = 168, /* of the journal's age: of seven days, one an hour */
	WARN_PERCENT = 80
};

/* "At this time the journal was so long." */
struct sample {
	int64_t wall_ms;
	uint64_t seq;
};

struct retain {
	struct store *store;
	struct react *react;
	struct alarms *alarms;
	struct retain_options options;
	struct alarm alarm;
	bool soon; /* it looks within LOOK_MS */
	struct sample samples[SAMPLES];
	size_t count;
};

/* The last seq that was there at that time, as far as the samples know. */
static uint64_t seq_before(const struct retain *retain, int64_t wall_ms)
{
	uint64_t seq = 0;
	for (size_t i = 0; i < retain->count && retain->samples[i].wall_ms <= wall_ms; i++) {
		seq = retain->samples[i].seq;
	}
	return seq;
}

static void take_sample(struct retain *retain, int64_t now)
{
	size_t count = retain->count;
	int64_t gap = retain->options.max_age_ms / SAMPLES;
	if (count != 0 && now - retain->samples[count - 1].wall_ms < gap) {
		return;
	}
	if (count == SAMPLES) {
		memmove(retain->samples, retain->samples + 1,
		        (SAMPLES - 1) * sizeof *retain->samples);
		count--;
	}
	retain->samples[count] = (struct sample){now, store_durable_seq(retain->store)};
	retain->count = count + 1;
}

/* Where the journal may begin so that it is small enough: a tenth of it goes at a time. */
static uint64_t seq_by_size(struct retain *retain, const struct adapter_head *head)
{
	uint64_t bytes = store_journal_bytes(retain->store);
	uint64_t most = retain->options.max_bytes;
	uint64_t needed = react_first_needed(retain->react);
	if (bytes > most / 100 * WARN_PERCENT && needed <= head->first_seq) {
		log_warn("retain",
		         "the journal is at %llu of %llu bytes and all of it is still owed",
		         (unsigned long long)bytes, (unsigned long long)most);
	}
	if (bytes <= most) {
		return 0;
	}
	uint64_t keep_from = head->first_seq + (head->next_seq - head->first_seq) / 10 + 1;
	if (needed < keep_from && !retain->options.refuse_when_full &&
	    store_refuses(retain->store, NULL) == 0) {
		react_detach_before(retain->react, keep_from);
	}
	return keep_from;
}

static void look(struct alarm *alarm)
{
	struct retain *retain = MEM_CONTAINER(alarm, struct retain, alarm);
	int64_t now = clock_wall_ms();
	take_sample(retain, now);
	struct adapter_head head;
	store_head(retain->store, &head);
	uint64_t by_age = seq_before(retain, now - retain->options.max_age_ms);
	uint64_t by_size = seq_by_size(retain, &head);
	uint64_t needed = react_first_needed(retain->react);
	bool full = by_size != 0 && retain->options.refuse_when_full && needed <= head.first_seq;
	store_set_journal_full(retain->store, full);
	uint64_t wanted = by_age > by_size ? by_age : by_size;
	uint64_t seq = wanted < needed ? wanted : needed;
	if (seq > head.first_seq) {
		store_trim(retain->store, seq);
	}
	/* While nothing comes there is only age to look after. */
	alarm_set_in(retain->alarms, &retain->alarm, retain->options.max_age_ms / SAMPLES);
	retain->soon = full;
	if (full) {
		alarm_set_in(retain->alarms, &retain->alarm, LOOK_MS);
	}
}

static void something_came(void *ctx)
{
	struct retain *retain = ctx;
	if (!retain->soon) {
		retain->soon = true;
		alarm_set_in(retain->alarms, &retain->alarm, LOOK_MS);
	}
}

struct retain *retain_new(struct store *store, struct react *react, struct alarms *alarms,
                          const struct retain_options *options)
{
	struct retain *retain = MEM_NEW(struct retain);
	retain->store = store;
	retain->react = react;
	retain->alarms = alarms;
	retain->options = *options;
	retain->alarm.fn = look;
	react_on_events(react, something_came, retain);
	return retain;
}

void retain_free(struct retain *retain)
{
	if (retain != NULL) {
		alarm_clear(retain->alarms, &retain->alarm);
		mem_free(retain);
	}
}
