/* This file measures how fast events find the triggers that they wake, by the number of triggers.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/conditions/match.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "triggers/index.h"
#include "triggers/triggers.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * The conditions are of four kinds, as people write them; trigger i wants the value i:
 *
 *   scope == "users" && key == "user_i" && new_value.status != "closed"
 *   new_value.id == i && new_value.age >= 18
 *   new_value.email == "user.i@example.com" && changed("plan")
 *   new_value.ref.startsWith("ref-i-") || old_value.ref.startsWith("ref-i-")
 *
 * An event is one of the shapes in which i stands in one of these places, and wakes that trigger
 * alone. Its text is made before the clock runs; from there on: text -> slots -> candidates ->
 * conditions.
 */
enum { KINDS = 4, EVENTS = 4096, ROUNDS = 100, WINDOW_US = 25000 };

struct trigger {
	struct index_entry entry;
	struct filter *filter;
};

struct made {
	struct event event;
	struct buf key;
	struct buf old_value;
	struct buf new_value;
};

static uint64_t chance(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

static void write_condition(size_t i, struct buf *out)
{
	buf_clear(out);
	switch (i % KINDS) {
	case 0:
		buf_format(out,
		           "scope == \"users\" && key == \"user_%zu\" && new_value.status != "
		           "\"closed\"",
		           i);
		break;
	case 1:
		buf_format(out, "new_value.id == %zu && new_value.age >= 0", i);
		break;
	case 2:
		buf_format(out, "new_value.email == \"user.%zu@example.com\" && changed(\"plan\")",
		           i);
		break;
	default:
		buf_format(out,
		           "new_value.ref.startsWith(\"ref-%zu-\") || "
		           "old_value.ref.startsWith(\"ref-%zu-\")",
		           i, i);
	}
}

static void register_trigger(struct index *index, struct condition_env *env,
                             struct trigger *trigger, size_t i)
{
	struct buf when = {0};
	struct buf config = {0};
	struct trigger_policy policy;
	struct err err = {0};
	write_condition(i, &when);
	buf_byte(&config, '{');
	json_write_member_string(&config, "when", buf_view(&when));
	buf_byte(&config, '}');
	const struct trigger_request request = {
	        .env = env, .type = SPAN("state"), .config = buf_view(&config)};
	if (trigger_parse(&request, &trigger->filter, &policy, &err) != 0) {
		(void)fprintf(stderr, "%.*s: %s\n", SPAN_ARG(buf_view(&when)), err.text);
		exit(EXIT_FAILURE);
	}
	trigger->entry.filter = trigger->filter;
	index_add(index, &trigger->entry);
	buf_free(&when);
	buf_free(&config);
}

static void set_member(struct buf *object, const char *name, struct span value)
{
	struct buf changed = {0};
	json_set(buf_view(object), span_of(name), value, &changed);
	buf_free(object);
	*object = changed;
}

/* An event of this shape that wakes trigger i. */
static void make_event(struct span shape, size_t i, struct made *made)
{
	const struct span names[] = {SPAN("old_value"), SPAN("new_value")};
	struct span found[2];
	struct buf value = {0};
	json_get_many(shape, names, 2, found);
	buf_span(&made->old_value, found[0]);
	buf_span(&made->new_value, found[1]);
	BUF_LITERAL(&made->key, "nobody");
	set_member(&made->new_value, "status", SPAN("\"active\""));
	set_member(&made->old_value, "plan", SPAN("\"before\""));
	switch (i % KINDS) {
	case 0:
		buf_clear(&made->key);
		buf_format(&made->key, "user_%zu", i);
		break;
	case 1:
		buf_uint(&value, i);
		set_member(&made->new_value, "id", buf_view(&value));
		break;
	case 2:
		buf_format(&value, "\"user.%zu@example.com\"", i);
		set_member(&made->new_value, "email", buf_view(&value));
		break;
	default:
		buf_format(&value, "\"ref-%zu-x\"", i);
		set_member(&made->new_value, "ref", buf_view(&value));
	}
	if (i % KINDS != 1) {
		set_member(&made->new_value, "id", SPAN("-1"));
	}
	if (i % KINDS != 2) {
		set_member(&made->new_value, "email", SPAN("\"nobody@example.com\""));
	}
	buf_free(&value);
	made->event = (struct event){
	        .seq = 1,
	        .epoch = 1,
	        .kind = EVENT_UPDATED,
	        .scope = SPAN("users"),
	        .key = buf_view(&made->key),
	        .old_value = buf_view(&made->old_value),
	        .new_value = buf_view(&made->new_value),
	};
}

static void count_match(void *ctx, struct index_entry *entry, enum filter_answer answer)
{
	uint64_t *matched = ctx;
	(void)entry;
	*matched += answer == FILTER_YES;
}

static double events_a_second(struct index *index, struct matching *matching, struct made events[])
{
	double best = 0;
	for (int round = 0; round < ROUNDS; round++) {
		int64_t start = clock_mono_us();
		int64_t now = start;
		uint64_t count = 0;
		uint64_t matched = 0;
		while (now - start < WINDOW_US) {
			for (size_t i = 0; i < EVENTS; i++) {
				matching_begin(matching, &events[i].event);
				index_match(index, matching, count_match, &matched);
			}
			count += EVENTS;
			now = clock_mono_us();
		}
		if (matched != count) {
			(void)fprintf(stderr, "%llu events woke %llu triggers\n",
			              (unsigned long long)count, (unsigned long long)matched);
			exit(EXIT_FAILURE);
		}
		double rate = (double)count * 1e6 / (double)(now - start);
		best = rate > best ? rate : best;
	}
	return best;
}

void match_measure(const struct span shapes[], size_t shape_count, size_t count)
{
	struct condition_env *env = condition_env_new();
	struct index *index = index_new(env, false);
	struct matching matching;
	struct made *events = MEM_ARRAY(struct made, EVENTS);
	uint64_t random = 20;
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	int64_t start = clock_mono_us();
	struct trigger *triggers = MEM_ARRAY(struct trigger, count);
	for (size_t i = 0; i < count; i++) {
		register_trigger(index, env, &triggers[i], i);
	}
	int64_t took_us = clock_mono_us() - start;
	size_t bytes = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	for (size_t i = 0; i < EVENTS; i++) {
		make_event(shapes[chance(&random) % shape_count], chance(&random) % count,
		           &events[i]);
	}
	matching_init(&matching, env, SPAN("log"));
	double rate = events_a_second(index, &matching, events);
	printf("{\"triggers\":%zu,\"register_s\":%.3f,\"bytes\":%zu,\"per_s\":%.0f}\n", count,
	       (double)took_us / 1e6, bytes / count, rate);
	for (size_t i = 0; i < EVENTS; i++) {
		buf_free(&events[i].key);
		buf_free(&events[i].old_value);
		buf_free(&events[i].new_value);
	}
	matching_close(&matching);
	for (size_t i = 0; i < count; i++) {
		index_remove(index, &triggers[i].entry);
		filter_free(triggers[i].filter);
	}
	mem_free(triggers);
	mem_free(events);
	index_free(index);
	condition_env_free(env);
}
