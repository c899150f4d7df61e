/* This file says what must hold of a random day, at any time and at its end. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_RULES_H
#define TESTS_SIM_RULES_H

#include "tests/sim/diary.h"

enum { FORGOTTEN_MS = 2000, DONE_MOST = 64 };

/* ---- at any time ---- */

struct needs {
	uint64_t first; /* the first event that somebody still has to read; 0 = nobody */
};

static inline void need(struct needs *needs, uint64_t seq)
{
	if (seq != 0 && (needs->first == 0 || seq < needs->first)) {
		needs->first = seq;
	}
}

/* Each row stands for a delivery in memory or for one that has an outcome; those go with the
 * cursor. */
static inline void check_rows(struct span id)
{
	size_t held = 0;
	size_t done = 0;
	for (uint32_t version = 1; version < VERSIONS_MAX; version++) {
		struct binding *binding = catalog_find_version(world->catalog, id, version);
		if (binding != NULL) {
			held += binding->held;
			LIST_EACH(&binding->done, link)
			{
				done++;
			}
		}
	}
	size_t rows = fault_rows(world->disk, SPACE_JOB, id);
	if (rows > held + done || done > DONE_MOST) {
		fail_msg("%.*s: %zu rows for %zu deliveries and %zu outcomes", SPAN_ARG(id), rows,
		         held, done);
	}
}

/* Its cursor is before all that it owes without a record; it has no more deliveries in memory, and
 * no more records on disk, than it may. */
static inline void check_binding(void *ctx, struct binding *binding)
{
	struct needs *needs = ctx;
	uint64_t owed = dispatch_first_owed_by(binding);
	assert_true(owed == 0 || react_cursor(world->react, binding) < owed);
	uint32_t most = world->job_max + replays;
	if (binding->held > most) {
		fail_msg("%.*s holds %u deliveries, where %u may be", SPAN_ARG(binding->id),
		         (unsigned)binding->held, most);
	}
	check_rows(binding->id);
	need(needs, binding->lagging ? binding->next_seq : 0);
	LIST_EACH(&binding->deliveries, link)
	{
		const struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_binding);
		bool reads = delivery->event_json.len == 0 && delivery->state != DELIVERY_BLOCKED;
		need(needs, reads ? delivery->seq : 0);
	}
}

static inline void check_now(void)
{
	struct needs needs = {0};
	catalog_each(world->catalog, check_binding, &needs);
	struct adapter_head head;
	store_head(world->store, &head);
	if (needs.first != 0 && head.first_seq > needs.first) {
		fail_msg("the journal begins at %llu, and %llu is still owed",
		         (unsigned long long)head.first_seq, (unsigned long long)needs.first);
	}
	uint64_t durable = store_durable_seq(world->store);
	if (durable < acknowledged) {
		fail_msg("event %llu was durable, and the last one is %llu",
		         (unsigned long long)acknowledged, (unsigned long long)durable);
	}
	acknowledged = durable;
}

/* What has an outcome did not run again. */
static inline void check_settled(void)
{
	for (size_t i = 0; i < lived_count; i++) {
		for (int which = 0; which < TRIGGERS; which++) {
			size_t starts = starts_by(which, lived[i].seq);
			if (lived[i].settled[which] && !lived[i].replayed[which] &&
			    starts != lived[i].starts_then[which]) {
				fail_msg("event %llu ran again for trigger %d: %zu starts, %zu "
				         "when it was settled",
				         (unsigned long long)lived[i].seq, which, starts,
				         lived[i].starts_then[which]);
			}
		}
	}
}

/* ---- at the end: order and attempts ---- */

static inline bool is_first_start(size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (world->started[i].seq == world->started[at].seq &&
		    strcmp(world->started[i].function, world->started[at].function) == 0) {
			return false;
		}
	}
	return true;
}

static inline void check_order(int which)
{
	uint64_t last[KEYS] = {0};
	for (size_t i = 0; i < world->started_count; i++) {
		const struct started *started = &world->started[i];
		if (strcmp(started->function, function_ids[which]) != 0 || !is_first_start(i)) {
			continue;
		}
		int key = started->key[1] - '0';
		if (started->seq <= last[key]) {
			fail_msg("%s: event %llu (%s) began behind %llu", started->delivery_id,
			         (unsigned long long)started->seq, started->key,
			         (unsigned long long)last[key]);
		}
		last[key] = started->seq;
	}
}

static inline const struct started *start_before(size_t at)
{
	for (size_t i = at; i-- > 0;) {
		if (strcmp(world->started[i].delivery_id, world->started[at].delivery_id) == 0) {
			return &world->started[i];
		}
	}
	return NULL;
}

/* A failure that nobody could write down is forgotten by a crash that comes soon. */
static inline bool may_be_forgotten(const struct started *before, const struct started *after)
{
	return before->life != after->life && before->failed &&
	       ends[before->life] - before->ended_ms <= FORGOTTEN_MS;
}

/* The number of an attempt is one more than the failures of the handler before it, whatever else
 * went wrong in between. */
static inline void check_attempts(void)
{
	for (size_t i = 0; i < world->started_count; i++) {
		const struct started *started = &world->started[i];
		const struct started *before = start_before(i);
		int due = before == NULL ? 1 : before->attempt + before->failed;
		bool is_less = before != NULL && started->attempt < due &&
		               may_be_forgotten(before, started);
		if (started->attempt != due && !is_less) {
			fail_msg("%s: attempt %d, where %d was due (lives %d and %d)",
			         started->delivery_id, started->attempt, due,
			         before != NULL ? before->life : 0, started->life);
		}
	}
}

/* ---- at the end: what became of everything ---- */

struct letter {
	char id[160];
	int attempts;
	char reason[24];
	char trigger[8];
	uint64_t from, to; /* of a range; else 0 */
};

struct letters {
	struct dead_list list;
	struct letter *all;
	size_t count;
	bool is_done;
};

static inline bool take_letter(struct dead_list *list, struct span json)
{
	struct letters *letters = MEM_CONTAINER(list, struct letters, list);
	letters->all = mem_grow(letters->all, (letters->count + 1) * sizeof *letters->all);
	struct letter *letter = &letters->all[letters->count++];
	*letter = (struct letter){0};
	text_member(json, "id", letter->id, sizeof letter->id);
	text_member(json, "reason", letter->reason, sizeof letter->reason);
	text_member(json, "trigger", letter->trigger, sizeof letter->trigger);
	struct span found, attempt;
	if (json_get(json, SPAN("attempts"), &found)) {
		struct json_iter iter = json_iter(found);
		while (json_next_item(&iter, &attempt)) {
			letter->attempts++;
		}
	}
	if (json_get(json, SPAN("range"), &found)) {
		letter->from = (uint64_t)number_member(found, "from_seq");
		letter->to = (uint64_t)number_member(found, "to_seq");
	}
	return true;
}

static inline void letters_done(struct dead_list *list, int status, const struct err *err)
{
	(void)err;
	assert_int_equal(status, 0);
	MEM_CONTAINER(list, struct letters, list)->is_done = true;
}

static inline void letters_read(struct letters *letters)
{
	*letters = (struct letters){.list = {.each = take_letter, .done = letters_done}};
	dead_list_start(world->dead, &letters->list, false);
	while (!letters->is_done) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
}

static inline bool is_in_range(const struct letters *letters, int which, uint64_t seq)
{
	for (size_t i = 0; i < letters->count; i++) {
		const struct letter *letter = &letters->all[i];
		if (letter->from <= seq && seq <= letter->to &&
		    strcmp(letter->trigger, trigger_ids[which]) == 0) {
			return true;
		}
	}
	return false;
}

static inline const struct letter *find_letter(const struct letters *letters, const char *id)
{
	for (size_t i = 0; i < letters->count; i++) {
		if (strcmp(letters->all[i].id, id) == 0) {
			return &letters->all[i];
		}
	}
	return NULL;
}

/* Every event that was wanted was started or stands in a letter, no other one was. */
static inline void check_deliveries(const struct letters *letters)
{
	for (size_t i = 0; i < lived_count; i++) {
		for (int which = 0; which < TRIGGERS; which++) {
			size_t starts = starts_by(which, lived[i].seq);
			bool may_miss = lived[i].cancelled[which] ||
			                is_in_range(letters, which, lived[i].seq);
			if (lived[i].wanted[which] != (starts != 0) && !may_miss) {
				fail_msg("event %llu (%s): trigger %d wanted it: %d, starts: %zu",
				         (unsigned long long)lived[i].seq, lived[i].key, which,
				         lived[i].wanted[which], starts);
			}
		}
	}
}

/* What ended in a failure is dead, with all its attempts; what ended well is not. */
static inline void check_outcomes(const struct letters *letters)
{
	for (size_t i = world->started_count; i-- > 0;) {
		const struct started *started = &world->started[i];
		bool is_last = true;
		for (size_t j = i + 1; j < world->started_count && is_last; j++) {
			is_last = strcmp(world->started[j].delivery_id, started->delivery_id) != 0;
		}
		int which = started->function[1] - '0';
		if (!is_last || lived_of(started->seq)->cancelled[which] ||
		    is_in_range(letters, which, started->seq)) {
			continue;
		}
		const struct letter *letter = find_letter(letters, started->delivery_id);
		if (letter != NULL && strcmp(letter->reason, "journal_full") == 0) {
			continue; /* given up while it ran */
		}
		int told = letter != NULL ? letter->attempts : 0;
		if (told != (started->failed ? started->attempt : 0)) {
			fail_msg("%s ended with attempt %d (failed: %d), its letter tells %d",
			         started->delivery_id, started->attempt, started->failed, told);
		}
	}
}

/* Nothing is owed, no record is left, the cursors stand at the head. */
static inline void check_rest(void)
{
	assert_int_equal(catalog_count(world->catalog), TRIGGERS);
	for (int which = 0; which < TRIGGERS; which++) {
		struct binding *binding = trigger(trigger_ids[which]);
		assert_int_equal(fault_rows(world->disk, SPACE_JOB, binding->id), 0);
		assert_int_equal(binding->held, 0);
		assert_false(binding->lagging);
		assert_int_equal(react_cursor(world->react, binding),
		                 store_durable_seq(world->store));
	}
}

#endif
