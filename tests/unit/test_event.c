/* This file tests the binary form of events, their ids and their JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id.h"
#include "base/json.h"
#include "base/mem.h"
#include "triggers/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct event full_event(void)
{
	return (struct event){
	        .seq = 4711,
	        .epoch = 3,
	        .kind = EVENT_UPDATED,
	        .scope = SPAN("users"),
	        .key = SPAN("u\"1\n"),
	        .old_value = SPAN("{\"a\":1}"),
	        .new_value = SPAN("{\"a\":2}"),
	        .rev = 4711,
	        .old_rev = 300,
	        .prev = 4000,
	        .time_ms = 1767323045678,
	        .expires_at_ms = 1767323046000,
	        .txn = 4710,
	        .cause = {SPAN("abcd-3-1"), 2, SPAN("t1\nt2"), SPAN("abcd-3-9/t2")},
	        .traceparent = SPAN("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
	        .reason = SPAN("expired"),
	};
}

static struct event small_event(void)
{
	return (struct event){.seq = 1,
	                      .kind = EVENT_CREATED,
	                      .scope = SPAN("s"),
	                      .key = SPAN("k"),
	                      .new_value = SPAN("1"),
	                      .rev = 1};
}

static void assert_same_span(struct span a, struct span b)
{
	assert_int_equal(a.ptr == NULL, b.ptr == NULL);
	assert_true(span_equal(a, b));
}

static void assert_same_event(const struct event *a, const struct event *b)
{
	assert_true(a->seq == b->seq && a->epoch == b->epoch && a->kind == b->kind);
	assert_true(a->rev == b->rev && a->old_rev == b->old_rev && a->prev == b->prev);
	assert_true(a->time_ms == b->time_ms && a->expires_at_ms == b->expires_at_ms);
	assert_true(a->txn == b->txn && a->cause.depth == b->cause.depth);
	assert_same_span(a->scope, b->scope);
	assert_same_span(a->key, b->key);
	assert_same_span(a->old_value, b->old_value);
	assert_same_span(a->new_value, b->new_value);
	assert_same_span(a->cause.root, b->cause.root);
	assert_same_span(a->cause.path, b->cause.path);
	assert_same_span(a->cause.delivery, b->cause.delivery);
	assert_same_span(a->traceparent, b->traceparent);
	assert_same_span(a->reason, b->reason);
}

static void assert_round_trip(const struct event *event)
{
	struct buf bytes = {0};
	struct buf again = {0};
	struct event back = {0};
	struct err err = {0};
	uint32_t at = 0;
	BUF_LITERAL(&bytes, "before");
	event_encode(event, &bytes, &at);
	if (event->new_value.ptr != NULL) {
		assert_memory_equal(bytes.ptr + at, event->new_value.ptr, event->new_value.len);
	}
	struct span form = span_make(bytes.ptr + 6, bytes.len - 6);
	assert_int_equal(event_decode(event->seq, form, &back, &err), 0);
	assert_same_event(event, &back);
	event_encode(&back, &again, &at);
	assert_true(span_equal(form, buf_view(&again)));
	buf_free(&bytes);
	buf_free(&again);
}

static void events_come_back_as_they_were(void **state)
{
	(void)state;
	struct event event = full_event();
	assert_round_trip(&event);
	event = small_event();
	assert_round_trip(&event);
	event.old_value = SPAN("");
	event.reason = SPAN("");
	assert_round_trip(&event);
	event = (struct event){.kind = EVENT_TOUCHED};
	assert_round_trip(&event);
	event = full_event();
	event.epoch = event.rev = event.old_rev = event.prev = event.txn = UINT64_MAX;
	event.expires_at_ms = INT64_MIN;
	event.time_ms = -1;
	event.cause.depth = UINT32_MAX;
	assert_round_trip(&event);
}

/* The journal is read by every later program: these bytes must decode for ever, and version 1 must
 * never be written in another way. */
static void version_1_never_changes(void **state)
{
	(void)state;
	static const unsigned char small[] = {
	        0x01, 0x01, 0xc1, 0x02, /* version, kind, presence */
	        0x00, 0x00, 0x01,       /* epoch, time, rev */
	        0x01, 's',  0x01, 'k',  0x01, '1',
	};
	static const unsigned char full[] =
	        "\x01\x02\xff\x7f\x03\xdc\xbc\xcc\xca\xef\x66\xe7\x24\xac\x02\xa0\x1f"
	        "\xe0\xc1\xcc\xca\xef\x66\xe6\x24\x02\x05users\x04u\"1\n\x07{\"a\":1}\x07{\"a\":2}"
	        "\x08"
	        "abcd-3-1\x05t1\nt2\x0b"
	        "abcd-3-9/t2\x37"
	        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\x07"
	        "expired";
	struct buf out = {0};
	uint32_t at = 0;
	struct event event = small_event();
	event_encode(&event, &out, &at);
	assert_int_equal(out.len, sizeof small);
	assert_memory_equal(out.ptr, small, sizeof small);
	assert_int_equal(at, 12);
	buf_clear(&out);
	event = full_event();
	event_encode(&event, &out, &at);
	assert_int_equal(out.len, sizeof full - 1);
	assert_memory_equal(out.ptr, full, sizeof full - 1);
	buf_free(&out);
}

static void a_cut_event_is_damaged(void **state)
{
	(void)state;
	struct buf bytes = {0};
	struct event event = full_event();
	uint32_t at = 0;
	event_encode(&event, &bytes, &at);
	for (size_t len = 0; len < bytes.len; len++) {
		char *exact = mem_copy(bytes.ptr, len);
		struct err err = {0};
		struct event back;
		assert_int_equal(event_decode(1, span_make(exact, len), &back, &err), E_DAMAGED);
		assert_string_equal(err.code, "event_damaged");
		mem_free(exact);
	}
	buf_byte(&bytes, 0);
	assert_int_equal(event_decode(1, buf_view(&bytes), &event, NULL), E_DAMAGED);
	buf_free(&bytes);
}

static void unknown_and_broken_forms_are_told_apart(void **state)
{
	(void)state;
	static const struct {
		struct span bytes;
		int number;
	} CASES[] = {
	        {{"\0", 1}, E_DAMAGED},
	        {{"\2", 1}, E_VERSION},
	        {{"\xff\1\0\0\0\0", 6}, E_VERSION},
	        {{"\1\0\0\0\0\0", 6}, E_VERSION},                        /* kind 0 */
	        {{"\1\x63\0\0\0\0", 6}, E_VERSION},                      /* kind 99 */
	        {{"\1\1\0\x80\0\0", 6}, E_VERSION},                      /* a part of later */
	        {{"\1\1\0\0\0\0", 6}, 0},                                /* nothing but a kind */
	        {{"\1\1\1\0\0\0\0", 7}, E_DAMAGED},                      /* rev present and 0 */
	        {{"\1\1\0\0\x80\0\0", 7}, E_DAMAGED},                    /* a needless byte */
	        {{"\1\1\x40\0\0\0\2x", 8}, E_DAMAGED},                   /* a text past the end */
	        {{"\1\1\x20\0\0\0\x80\x80\x80\x80\x10", 11}, E_DAMAGED}, /* depth of 33 bits */
	        {{"\1\1\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 15}, E_DAMAGED}, /* time */
	        {{"\1\1\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\2\0", 15}, E_DAMAGED}, /* 65 bits */
	        {{"\1\1\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\0", 15}, 0},
	};
	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		struct event event = {.seq = 77};
		struct err err = {0};
		assert_int_equal(event_decode(5, CASES[i].bytes, &event, &err), CASES[i].number);
		assert_int_equal(event.seq, CASES[i].number == 0 ? 5 : 77);
		assert_int_equal(err.number, CASES[i].number);
	}
}

/* ---- random events ---- */

struct dice {
	uint64_t at;
};

static uint64_t roll(struct dice *dice)
{
	dice->at ^= dice->at << 13;
	dice->at ^= dice->at >> 7;
	dice->at ^= dice->at << 17;
	return dice->at;
}

static uint64_t roll_number(struct dice *dice)
{
	return roll(dice) % 3 == 0 ? 0 : roll(dice) >> roll(dice) % 64;
}

static struct span roll_text(struct dice *dice, char *room, size_t max)
{
	if (roll(dice) % 4 == 0) {
		return SPAN_NONE;
	}
	size_t len = roll(dice) % (max + 1);
	for (size_t i = 0; i < len; i++) {
		room[i] = (char)roll(dice);
	}
	return span_make(room, len);
}

static void random_events_come_back_as_they_were(void **state)
{
	(void)state;
	enum { MAX = 300, TEXTS = 9 };
	static char room[TEXTS][MAX];
	struct dice dice = {0};
	id_random(&dice.at, sizeof dice.at);
	print_message("seed %llx\n", (unsigned long long)dice.at);
	for (int round = 0; round < 5000; round++) {
		struct event event = {
		        .seq = roll_number(&dice),
		        .epoch = roll_number(&dice),
		        .kind = (enum event_kind)(1 + roll(&dice) % 4),
		        .rev = roll_number(&dice),
		        .old_rev = roll_number(&dice),
		        .prev = roll_number(&dice),
		        .time_ms = (int64_t)(roll(&dice) % 253402300800000),
		        .expires_at_ms = (int64_t)roll_number(&dice),
		        .txn = roll_number(&dice),
		        .cause.depth = (uint32_t)roll_number(&dice),
		};
		struct span *texts[TEXTS] = {
		        &event.scope,          &event.key,         &event.old_value,
		        &event.new_value,      &event.cause.root,  &event.cause.path,
		        &event.cause.delivery, &event.traceparent, &event.reason,
		};
		for (size_t i = 0; i < TEXTS; i++) {
			*texts[i] = roll_text(&dice, room[i], MAX);
		}
		assert_round_trip(&event);
	}
}

/* ---- names, ids, JSON ---- */

static void kinds_have_names(void **state)
{
	(void)state;
	enum event_kind kind = EVENT_CREATED;
	assert_string_equal(event_kind_name(EVENT_DELETED), "state:deleted");
	assert_true(event_kind_parse(SPAN("state:touched"), &kind));
	assert_int_equal(kind, EVENT_TOUCHED);
	assert_false(event_kind_parse(SPAN("touched"), &kind));
	assert_int_equal(kind, EVENT_TOUCHED);
}

static void ids_are_put_together_and_taken_apart(void **state)
{
	(void)state;
	struct buf out = {0};
	struct span log = SPAN_NONE;
	uint64_t epoch = 0;
	uint64_t seq = 0;
	event_write_id(SPAN("k3x9"), 2, UINT64_MAX, &out);
	assert_true(span_is(buf_view(&out), "k3x9-2-18446744073709551615"));
	assert_true(event_parse_id(buf_view(&out), &log, &epoch, &seq));
	assert_true(span_is(log, "k3x9") && epoch == 2 && seq == UINT64_MAX);
	assert_true(event_parse_id(SPAN("a-b-0-7"), &log, &epoch, &seq));
	assert_true(span_is(log, "a-b") && epoch == 0 && seq == 7);
	static const char *const WRONG[] = {
	        "",     "k3x9",   "k3x9-1", "-1-2",    "k-1-",
	        "k--2", "k-01-2", "k-1-+2", "k-1-2/t", "k-1-18446744073709551616"};
	for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
		assert_false(event_parse_id(span_of(WRONG[i]), &log, &epoch, &seq));
	}
	assert_int_equal(seq, 7);
	buf_free(&out);
}

static void assert_json(const struct event *event, const struct event_delivery *delivery,
                        const char *wanted)
{
	struct buf out = {0};
	struct err err = {0};
	event_write_json(event, SPAN("k3x9"), delivery, &out);
	assert_int_equal(json_check(buf_view(&out), NULL, &err), 0);
	buf_byte(&out, 0);
	assert_string_equal(out.ptr, wanted);
	buf_free(&out);
}

static void handlers_see_json(void **state)
{
	(void)state;
	struct event event = small_event();
	assert_json(&event, NULL,
	            "{\"type\":\"state\",\"event_type\":\"state:created\",\"scope\":\"s\","
	            "\"key\":\"k\",\"old_value\":null,\"new_value\":1,\"id\":\"k3x9-0-1\","
	            "\"seq\":1,\"rev\":\"1\",\"time\":\"1970-01-01T00:00:00.000Z\"}");
	event = full_event();
	assert_json(&event,
	            &(struct event_delivery){.attempt = 2, .delivery_id = SPAN("k3x9-3-4711/t9")},
	            "{\"type\":\"state\",\"event_type\":\"state:updated\",\"scope\":\"users\","
	            "\"key\":\"u\\\"1\\n\",\"old_value\":{\"a\":1},\"new_value\":{\"a\":2},"
	            "\"id\":\"k3x9-3-4711\",\"seq\":4711,\"rev\":\"4711\","
	            "\"time\":\"2026-01-02T03:04:05.678Z\",\"attempt\":2,"
	            "\"delivery_id\":\"k3x9-3-4711/"
	            "t9\",\"expires_at\":\"2026-01-02T03:04:06.000Z\",\"reason\":\"expired\","
	            "\"cause\":{\"root\":\"abcd-3-1\",\"depth\":2,\"path\":[\"t1\",\"t2\"]}}");
}

static void a_cloudevent_is_shown_whole_and_read_back(void **state)
{
	(void)state;
	static const char WHOLE[] = "{\"specversion\":\"1.0\",\"id\":\"A\",\"source\":\"/"
	                            "s\",\"type\":\"t.u\",\"data\":[1]}";
	struct event event = {.seq = 9,
	                      .epoch = 2,
	                      .kind = EVENT_CUSTOM,
	                      .scope = SPAN("t.u"),
	                      .new_value = span_of(WHOLE),
	                      .time_ms = 1};
	struct buf out = {0};
	struct buf texts = {0};
	struct event again;
	assert_round_trip(&event);
	assert_json(&event, NULL,
	            "{\"type\":\"event\",\"event_type\":\"t.u\",\"source\":\"/s\",\"event\":"
	            "{\"specversion\":\"1.0\",\"id\":\"A\",\"source\":\"/s\",\"type\":\"t.u\","
	            "\"data\":[1]},\"id\":\"k3x9-2-9\",\"seq\":9,"
	            "\"time\":\"1970-01-01T00:00:00.001Z\"}");
	event.key = SPAN("a/b");
	assert_round_trip(&event);
	event_write_json(&event, SPAN("k3x9"), NULL, &out);
	event_read_json(buf_view(&out), &texts, &again);
	assert_int_equal(again.kind, EVENT_CUSTOM);
	assert_same_span(again.scope, event.scope);
	assert_same_span(again.key, event.key);
	assert_same_span(again.new_value, event.new_value);
	assert_int_equal(again.seq, 9);
	assert_int_equal(again.time_ms, 1);
	buf_free(&texts);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(events_come_back_as_they_were),
	        cmocka_unit_test(version_1_never_changes),
	        cmocka_unit_test(a_cut_event_is_damaged),
	        cmocka_unit_test(unknown_and_broken_forms_are_told_apart),
	        cmocka_unit_test(random_events_come_back_as_they_were),
	        cmocka_unit_test(kinds_have_names),
	        cmocka_unit_test(ids_are_put_together_and_taken_apart),
	        cmocka_unit_test(handlers_see_json),
	        cmocka_unit_test(a_cloudevent_is_shown_whole_and_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
