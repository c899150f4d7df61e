/* This file tests what a watcher asks for: how it is read, and that the same is kept once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "engine/api/interest.h"
#include "engine/api/watch_query.h"
#include "wire/http.h"

static int read_query(const char *params, const char *last_id, struct watch_query *out,
                      struct err *err)
{
	const struct http_header header = {.name = SPAN("Last-Event-ID"),
	                                   .value = span_of(last_id ? last_id : "")};
	const struct http_request request = {
	        .query = span_of(params), .headers = &header, .header_count = last_id != NULL};
	return watch_query_read(&request, out, err);
}

static void query_of(const char *params, struct watch_query *out)
{
	struct err err = {0};
	if (read_query(params, NULL, out, &err) != 0) {
		fail_msg("%s: %s", params, err.text);
	}
}

static void a_position_is_an_id_or_a_seq(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool good;
		const char *log; /* NULL: a seq only */
		uint64_t epoch, seq;
	} rows[] = {
	        {"0", true, NULL, 0, 0},
	        {"17", true, NULL, 0, 17},
	        {"fs8cgmxd-3-17", true, "fs8cgmxd", 3, 17},
	        {"a-b-3-17", true, "a-b", 3, 17},
	        {"", false, NULL, 0, 0},
	        {"-1", false, NULL, 0, 0},
	        {"017", false, NULL, 0, 0},
	        {"17 ", false, NULL, 0, 0},
	        {"-3-17", false, NULL, 0, 0},
	        {"log-3-", false, NULL, 0, 0},
	        {"log-x-17", false, NULL, 0, 0},
	        {"18446744073709551616", false, NULL, 0, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct watch_position position;
		assert_int_equal(watch_position_parse(span_of(rows[i].text), &position),
		                 rows[i].good);
		if (rows[i].good) {
			assert_true(span_equal(position.log, span_of(rows[i].log)));
			assert_int_equal(position.epoch, rows[i].epoch);
			assert_int_equal(position.seq, rows[i].seq);
		}
	}
}

static void a_query_is_read_whole(void **state)
{
	(void)state;
	struct watch_query query;
	query_of("scope=a%2Fb&prefix=u_&when=key%20%3D%3D%20'x'&events=created,dead:created&"
	         "since=5&snapshot=true",
	         &query);
	assert_true(span_is(buf_view(&query.scope), "a/b"));
	assert_false(query.is_glob);
	assert_true(span_is(buf_view(&query.prefix), "u_"));
	assert_true(span_is(buf_view(&query.when), "key == 'x'"));
	assert_int_equal(query.events, 1u << EVENT_CREATED | 1u << EVENT_DEAD);
	assert_true(query.wants_snapshot && query.has_position);
	assert_int_equal(query.position.seq, 5);
	watch_query_close(&query);
	query_of("", &query);
	assert_false(query.has_position || query.wants_snapshot || query.is_glob);
	assert_int_equal(query.events, 1u << EVENT_CREATED | 1u << EVENT_UPDATED |
	                                       1u << EVENT_DELETED | 1u << EVENT_TOUCHED);
	watch_query_close(&query);
}

static void the_last_event_counts_more_than_since(void **state)
{
	(void)state;
	struct watch_query query;
	assert_int_equal(read_query("since=5", "log-1-9", &query, NULL), 0);
	assert_int_equal(query.position.seq, 9);
	assert_true(span_is(query.position.log, "log"));
	watch_query_close(&query);
	assert_int_equal(read_query("since=5", "", &query, NULL), 0); /* as if it were not there */
	assert_int_equal(query.position.seq, 5);
	watch_query_close(&query);
	struct err err = {0};
	assert_int_equal(read_query("since=5", "nine", &query, &err), E_INVALID);
	assert_string_equal(err.code, "invalid_parameter");
}

static void scopes_are_exact_or_globs(void **state)
{
	(void)state;
	static const struct {
		const char *params;
		const char *scope;
		bool is_glob;
	} rows[] = {
	        {"scope=users", "users", false},
	        {"scope=team-*", "team-*", true},
	        {"scope=team-%5C*", "team-*", false},
	        {"scope=", "", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct watch_query query;
		query_of(rows[i].params, &query);
		assert_true(span_is(buf_view(&query.scope), rows[i].scope));
		assert_int_equal(query.is_glob, rows[i].is_glob);
		watch_query_close(&query);
	}
}

static struct interest *take(struct interests *interests, const char *params)
{
	struct watch_query query;
	struct interest *interest = NULL;
	query_of(params, &query);
	assert_int_equal(interest_take(interests, &query, &interest, NULL), 0);
	watch_query_close(&query);
	return interest;
}

static void who_wants_the_same_shares_it(void **state)
{
	(void)state;
	static const char *const params[] = {
	        "scope=s",
	        "scope=s*",
	        "scope=s%5C*",
	        "",
	        "scope=s&prefix=a",
	        "scope=s&events=created",
	        "scope=s&when=key=='a'",
	        "when=key=='a'",
	};
	enum { COUNT = sizeof params / sizeof *params };
	struct interests interests;
	struct interest *taken[COUNT];
	interests_init(&interests);
	for (size_t i = 0; i < COUNT; i++) {
		taken[i] = take(&interests, params[i]);
		assert_int_equal(interests.count, i + 1);
	}
	for (size_t i = 0; i < COUNT; i++) {
		assert_ptr_equal(take(&interests, params[i]), taken[i]);
		assert_int_equal(interests.count, COUNT);
		interest_drop(&interests, taken[i]);
		assert_int_equal(interests.count, COUNT);
	}
	for (size_t i = 0; i < COUNT; i++) {
		interest_drop(&interests, taken[i]);
	}
	assert_int_equal(interests.count, 0);
	interests_close(&interests);
}

/* How many are asked about an event of this scope, and how many of them it fits. */
static void count(const struct interests *interests, struct event event, size_t *asked, size_t *fit)
{
	*asked = 0;
	*fit = 0;
	for (struct interest *at = interests_next(interests, event.scope, NULL); at != NULL;
	     at = interests_next(interests, event.scope, at)) {
		(*asked)++;
		*fit += interest_fits(at, &event);
	}
}

static void an_event_is_asked_of_its_scope_and_of_the_wide_ones(void **state)
{
	(void)state;
	enum { OTHERS = 1000 };
	struct interests interests;
	struct interest *others[OTHERS];
	size_t asked;
	size_t fit;
	interests_init(&interests);
	for (size_t i = 0; i < OTHERS; i++) {
		struct buf params = {0};
		buf_format(&params, "scope=other%zu", i);
		buf_byte(&params, '\0');
		others[i] = take(&interests, params.ptr);
		buf_free(&params);
	}
	struct interest *exact = take(&interests, "scope=s&prefix=a");
	struct interest *same = take(&interests, "scope=s&events=deleted");
	struct interest *glob = take(&interests, "scope=s*");
	struct interest *all = take(&interests, "");
	const struct event event = {.kind = EVENT_CREATED, .scope = SPAN("s"), .key = SPAN("abc")};
	count(&interests, event, &asked, &fit);
	assert_int_equal(asked, 4);
	assert_int_equal(fit, 3);
	const struct event custom = {.kind = EVENT_CUSTOM, .scope = SPAN("s")};
	count(&interests, custom, &asked, &fit);
	assert_int_equal(fit, 0);
	const struct event quiet = {.kind = EVENT_UPDATED, .scope = SPAN("x"), .key = SPAN("k")};
	count(&interests, quiet, &asked, &fit);
	assert_int_equal(asked, 2);
	assert_int_equal(fit, 1);
	for (size_t i = 0; i < OTHERS; i++) {
		interest_drop(&interests, others[i]);
	}
	interest_drop(&interests, exact);
	interest_drop(&interests, same);
	interest_drop(&interests, glob);
	interest_drop(&interests, all);
	interests_close(&interests);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_position_is_an_id_or_a_seq),
	        cmocka_unit_test(a_query_is_read_whole),
	        cmocka_unit_test(the_last_event_counts_more_than_since),
	        cmocka_unit_test(scopes_are_exact_or_globs),
	        cmocka_unit_test(who_wants_the_same_shares_it),
	        cmocka_unit_test(an_event_is_asked_of_its_scope_and_of_the_wide_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
