/* This file looks at the journal's age and size every few seconds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/retain.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum {
	LOOK_MS = 10000,
	GAPS = 168, /* between samples of the journal's age: of seven days, one an hour */
	SAMPLES = GAPS + 1,
	WARN_PERCENT = 80
};

/* Over WARN_PERCENT with its oldest part still owed there is little; over all of it, and nobody
 * gives way, there is none. */
enum room { ROOM_ENOUGH, ROOM_LITTLE, ROOM_NONE };

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
	struct alarm old; /* when the next part of the journal will be too old */
	bool soon;        /* it looks within LOOK_MS */
	enum room room;
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
	int64_t gap = retain->options.max_age_ms / GAPS + 1;
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

/* Where the journal has to begin so that it is small enough: a tenth of it goes at a time, or more
 * where that is not enough. *out_far: a tenth further. */
static uint64_t seq_by_size(const struct retain *retain, const struct adapter_head *head,
                            uint64_t *out_far)
{
	double count = (double)(head->next_seq - head->first_seq);
	double bytes = (double)store_journal_bytes(retain->store);
	double excess = (bytes - (double)retain->options.max_bytes) / bytes;
	uint64_t tenth = (uint64_t)(count / 10);
	uint64_t keep_from =
	        head->first_seq + (excess > 0.1 ? (uint64_t)(excess * count) : tenth) + 1;
	*out_far = keep_from + tenth < head->next_seq ? keep_from + tenth : head->next_seq;
	return keep_from;
}

/* Whoever needs what has to go gives way, by some more than that so that he does not get a letter
 * for every few events; or whoever writes. False: the latter. */
static bool make_room(struct retain *retain, uint64_t far)
{
	if (!store_can_put(retain->store)) {
		return true; /* nobody writes now */
	}
	return !retain->options.refuse_when_full && react_detach_before(retain->react, far);
}

/* Each is said once, until there is room again. */
static void tell(struct retain *retain, enum room room, uint64_t bytes, uint64_t needed)
{
	unsigned long long max_bytes = retain->options.max_bytes;
	if (room == ROOM_NONE && retain->room != ROOM_NONE) {
		log_error("retain",
		          "the journal is at %llu of %llu bytes, and event %llu is still owed: "
		          "writes are refused until triggers have caught up (`pawl triggers`)%s",
		          (unsigned long long)bytes, max_bytes, (unsigned long long)needed,
		          react_holds_dead_letters(retain->react) ? " or dead letters are discarded"
		                                                  : "");
	} else if (room != ROOM_NONE && retain->room == ROOM_NONE) {
		log_info("retain", "the journal has room again: writes are taken");
	} else if (room == ROOM_LITTLE && retain->room == ROOM_ENOUGH) {
		log_warn("retain",
		         "the journal is at %llu of %llu bytes, and event %llu is still owed; when "
		         "it is full, %s (on_journal_full)",
		         (unsigned long long)bytes, max_bytes, (unsigned long long)needed,
		         retain->options.refuse_when_full
		                 ? "writes are refused"
		                 : "triggers that need its oldest part lose it to a dead letter");
	}
	retain->room = room;
}

static uint64_t look_at_size(struct retain *retain, const struct adapter_head *head)
{
	uint64_t bytes = store_journal_bytes(retain->store);
	uint64_t most = retain->options.max_bytes;
	uint64_t needed = react_first_needed(retain->react);
	enum room room = ROOM_ENOUGH;
	uint64_t keep_from = 0;
	uint64_t far = 0;
	if (bytes > most / 100 * WARN_PERCENT) {
		keep_from = seq_by_size(retain, head, &far);
		room = needed < keep_from ? ROOM_LITTLE : ROOM_ENOUGH;
	}
	if (room == ROOM_LITTLE && bytes > most && !make_room(retain, far)) {
		room = ROOM_NONE;
	}
	tell(retain, room, bytes, needed);
	store_set_journal_full(retain->store, room == ROOM_NONE);
	return bytes > most ? keep_from : 0;
}

/* The first sample behind what is too old already says when. A wait, not a time: who has to look at
 * the wall clock is woken every minute. */
static void wait_for_age(struct retain *retain, uint64_t too_old, int64_t now)
{
	for (size_t i = 0; i < retain->count; i++) {
		if (retain->samples[i].seq > too_old) {
			alarm_set_in(retain->alarms, &retain->old,
			             retain->samples[i].wall_ms + retain->options.max_age_ms - now);
			return;
		}
	}
	alarm_clear(retain->alarms, &retain->old);
}

void retain_look(struct retain *retain)
{
	int64_t now = clock_wall_ms();
	take_sample(retain, now);
	struct adapter_head head;
	store_head(retain->store, &head);
	uint64_t by_age = seq_before(retain, now - retain->options.max_age_ms);
	uint64_t by_size = look_at_size(retain, &head);
	uint64_t needed = react_first_needed(retain->react);
	uint64_t wanted = by_age > by_size ? by_age : by_size;
	uint64_t seq = wanted < needed ? wanted : needed;
	if (seq > head.first_seq) {
		store_trim(retain->store, seq);
	}
	wait_for_age(retain, by_age, now);
	/* While nothing comes and there is room, there is only age to look after. */
	retain->soon = by_size != 0;
	alarm_set_real(retain->alarms, &retain->alarm,
	               retain->soon ? LOOK_MS : retain->options.max_age_ms / GAPS + 1);
}

static void look_is_due(struct alarm *alarm)
{
	retain_look(MEM_CONTAINER(alarm, struct retain, alarm));
}

static void is_old(struct alarm *alarm)
{
	retain_look(MEM_CONTAINER(alarm, struct retain, old));
}

static void something_came(void *ctx)
{
	struct retain *retain = ctx;
	if (!retain->soon) {
		retain->soon = true;
		alarm_set_real(retain->alarms, &retain->alarm, LOOK_MS);
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
	retain->alarm.fn = look_is_due;
	retain->old.fn = is_old;
	react_on_events(react, something_came, retain);
	return retain;
}

void retain_configure(struct retain *retain, const struct retain_options *options)
{
	retain->options = *options;
	retain->soon = false;
	something_came(retain);
}

void retain_free(struct retain *retain)
{
	if (retain != NULL) {
		alarm_clear(retain->alarms, &retain->alarm);
		alarm_clear(retain->alarms, &retain->old);
		mem_free(retain);
	}
}
