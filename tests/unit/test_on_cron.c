/* This file proves what a cron trigger may say, when it is due, and which events are its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "matching_fixture.h"
#include "triggers/cron_rule.h"
#include "triggers/ruling.h"
#include "triggers/triggers.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static const char TOLD[] = "{\"trigger_id\":\"t\",\"scheduled_at\":\"2026-01-02T09:00:00.000Z\","
                           "\"fired_at\":\"2026-01-02T09:00:00.007Z\",\"expression\":\"0 9 * * *\","
                           "\"zone\":\"UTC\"}";

static struct event fired(const char *trigger)
{
	return (struct event){.seq = 9,
	                      .epoch = 1,
	                      .kind = EVENT_CRON,
	                      .scope = span_of(trigger),
	                      .new_value = span_of(TOLD)};
}

static int parse(const char *config, struct filter **out, struct trigger_policy *policy,
                 struct err *err)
{
	const struct trigger_request request = {
	        .env = env, .type = SPAN("cron"), .config = span_of(config)};
	*out = NULL;
	*err = (struct err){0};
	return trigger_parse(&request, out, policy, err);
}

static struct filter *need(const char *config, struct trigger_policy *policy)
{
	struct filter *filter;
	struct err err;
	int status = parse(config, &filter, policy, &err);
	assert_string_equal(err.text, "");
	assert_int_equal(status, 0);
	return filter;
}

static struct cron_rule *rule(const char *expression, const char *zone)
{
	struct cron_rule *made = NULL;
	struct err err = {0};
	assert_int_equal(cron_rule_new(span_of(expression), span_of(zone), &made, &err), 0);
	return made;
}

static void its_words_are_read(void **state)
{
	(void)state;
	struct trigger_policy policy;
	struct filter *filter = need("{\"expression\":\"@daily\"}", &policy);
	const struct cron_rule *plain = filter->cron;
	assert_true(span_is(plain->zone, "UTC"));
	assert_int_equal(plain->overlap, OVERLAP_SKIP);
	assert_int_equal(plain->catch_up, CRON_ONCE);
	assert_int_equal(plain->jitter_ms, 0);
	assert_int_equal(policy.order, ORDER_NONE);
	filter_free(filter);
	filter = need(
	        "{\"expression\":\"0 9 * * *\",\"zone\":\"Europe/Berlin\",\"overlap\":\"queue\","
	        "\"jitter\":\"5m\",\"catch_up\":\"all\",\"max\":7,\"concurrency\":2,"
	        "\"when\":\"event.zone == 'UTC'\"}",
	        &policy);
	assert_int_equal(filter->cron->overlap, OVERLAP_QUEUE);
	assert_int_equal(filter->cron->catch_up, CRON_ALL);
	assert_int_equal(filter->cron->most, 7);
	assert_int_equal(filter->cron->jitter_ms, 5 * MINUTE);
	assert_int_equal(policy.order, ORDER_TRIGGER);
	assert_int_equal(policy.concurrency, 2);
	filter_free(filter);
}

static void what_cannot_be_meant_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *config, *code, *text;
	} cases[] = {
	        {"{}", "invalid_trigger", "'expression' is missing"},
	        {"{\"expression\":\"61 * * * *\"}", "invalid_cron", "not within 0 to 59"},
	        {"{\"expression\":\"0 0 1 1 * * 2030\"}", "invalid_cron", "none for the year"},
	        {"{\"expression\":\"@daily\",\"zone\":\"Mars/Olympus\"}", "unknown_zone", "Mars"},
	        {"{\"expression\":\"*/5 2 * 3 SUN#L\",\"zone\":\"Europe/Berlin\"}", "invalid_cron",
	         "never fires"},
	        {"{\"expression\":\"@daily\",\"jitter\":\"2h\"}", "invalid_trigger", "jitter"},
	        {"{\"expression\":\"@daily\",\"max\":0}", "invalid_trigger", "max"},
	        {"{\"expression\":\"@daily\",\"overlap\":\"never\"}", "invalid_trigger", "overlap"},
	        {"{\"expression\":\"@daily\",\"catch_up\":\"all\"}", "invalid_trigger",
	         "with skip there is never more than one"},
	        {"{\"expression\":\"@daily\",\"catch_up\":\"all\",\"overlap\":\"cancel\"}",
	         "invalid_trigger", "with cancel"},
	        {"{\"expression\":\"@daily\",\"on_exhausted\":\"pause_key\"}", "invalid_trigger",
	         "pause_trigger"},
	        {"{\"expression\":\"@daily\",\"key\":\"a\"}", "invalid_trigger", "has no 'key'"},
	        {"{\"expression\":\"@daily\",\"batch\":{}}", "invalid_trigger", "has no 'batch'"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct filter *filter;
		struct trigger_policy policy;
		struct err err;
		assert_int_not_equal(parse(cases[i].config, &filter, &policy, &err), 0);
		assert_string_equal(err.code, cases[i].code);
		if (strstr(err.text, cases[i].text) == NULL) {
			fail_msg("%s: %s", cases[i].config, err.text);
		}
	}
}

static void a_year_that_says_nothing_is_passed_over(void **state)
{
	(void)state;
	struct cron_rule *with = rule(" 0 30 9 * * *  * ", "UTC");
	struct cron_rule *without = rule("0 30 9 * * *", "UTC");
	struct err err;
	int64_t a;
	int64_t b;
	assert_int_equal(cron_rule_next(with, 0, &a, &err), 0);
	assert_int_equal(cron_rule_next(without, 0, &b, &err), 0);
	assert_int_equal(a, b);
	assert_int_equal(a, 9 * HOUR + 30 * MINUTE);
	assert_false(cron_rule_is_as(with, without)); /* it is known by what was written */
	cron_rule_free(with);
	cron_rule_free(without);
}

static void times_are_whole_seconds(void **state)
{
	(void)state;
	struct cron_rule *hourly = rule("@hourly", "UTC");
	struct err err;
	int64_t found;
	uint64_t count;
	assert_int_equal(cron_rule_next(hourly, HOUR - 1, &found, &err), 0);
	assert_int_equal(found, HOUR);
	assert_int_equal(cron_rule_next(hourly, HOUR, &found, &err), 0);
	assert_int_equal(found, 2 * HOUR);
	assert_int_equal(cron_rule_next(hourly, HOUR + 999, &found, &err), 0);
	assert_int_equal(found, 2 * HOUR);
	assert_int_equal(cron_rule_next(hourly, -1, &found, &err), 0);
	assert_int_equal(found, 0);
	assert_int_equal(cron_rule_last(hourly, HOUR, &found, &err), 0);
	assert_int_equal(found, HOUR);
	assert_int_equal(cron_rule_last(hourly, HOUR - 1, &found, &err), 0);
	assert_int_equal(found, 0);
	assert_int_equal(cron_rule_count(hourly, HOUR, 5 * HOUR, 100, &count, &err), 0);
	assert_int_equal(count, 4);
	assert_int_equal(cron_rule_count(hourly, HOUR, 5 * HOUR, 3, &count, &err), 0);
	assert_int_equal(count, 3);
	cron_rule_free(hourly);
}

static void jitter_is_bounded_and_the_same_every_time(void **state)
{
	(void)state;
	struct cron_rule *minutes = rule("* * * * *", "UTC");
	int64_t least = INT64_MAX;
	int64_t longest = 0;
	int64_t others = 0;
	assert_int_equal(cron_rule_delay(minutes, SPAN("t"), MINUTE), 0);
	minutes->jitter_ms = HOUR;
	for (int64_t at = 0; at < 1000 * (int64_t)MINUTE; at += MINUTE) {
		int64_t delay = cron_rule_delay(minutes, SPAN("t"), at);
		assert_int_equal(delay, cron_rule_delay(minutes, SPAN("t"), at));
		assert_in_range(delay, 0, MINUTE - 1); /* never as late as the next */
		least = delay < least ? delay : least;
		longest = delay > longest ? delay : longest;
		others += delay != cron_rule_delay(minutes, SPAN("u"), at);
	}
	assert_true(least < SECOND && longest > MINUTE - SECOND && others > 990);
	minutes->jitter_ms = 10;
	for (int64_t at = 0; at < 1000 * (int64_t)MINUTE; at += MINUTE) {
		assert_in_range(cron_rule_delay(minutes, SPAN("t"), at), 0, 10);
	}
	cron_rule_free(minutes);
}

static void only_its_own_times_wake_it(void **state)
{
	(void)state;
	struct trigger_policy policy;
	struct filter *filter =
	        need("{\"expression\":\"@daily\",\"when\":\"event.zone == 'UTC' && "
	             "event_type == 'cron:fired' && new_value.scheduled_at.startsWith('2026')\"}",
	             &policy);
	filter->scope = mem_span(SPAN("t"));
	struct event own = fired("t");
	struct event other = fired("u");
	struct event change = {
	        .kind = EVENT_CREATED, .scope = SPAN("t"), .new_value = SPAN("{\"zone\":\"UTC\"}")};
	matching_begin(&matching, &own);
	assert_int_equal(filter_matches(filter, &matching), FILTER_YES);
	matching_begin(&matching, &other);
	assert_int_equal(filter_matches(filter, &matching), FILTER_NO);
	struct buf out = {0};
	struct value error;
	ruling_write(filter, &matching, ruling_of(filter, &matching, &error), &out);
	buf_byte(&out, '\0');
	assert_non_null(strstr(out.ptr, "on its own times, not on those of another trigger"));
	matching_begin(&matching, &change);
	assert_int_equal(filter_matches(filter, &matching), FILTER_NO);
	buf_clear(&out);
	ruling_write(filter, &matching, ruling_of(filter, &matching, &error), &out);
	buf_byte(&out, '\0');
	assert_non_null(strstr(out.ptr, "it wakes on times of cron triggers, not on changes"));
	buf_free(&out);
	filter_free(filter);
}

static void a_handler_is_told_in_both_ways_and_it_can_be_read_back(void **state)
{
	(void)state;
	struct buf out = {0};
	struct buf texts = {0};
	struct event event = fired("t");
	struct event back;
	event_write_json(&event, SPAN("log"), NULL, &out);
	struct span text = buf_view(&out);
	static const char BEGINS[] =
	        "{\"type\":\"cron\",\"event_type\":\"cron:fired\",\"trigger\":\"cron\","
	        "\"job_id\":\"t\",\"scheduled_time\":\"2026-01-02T09:00:00.000Z\","
	        "\"actual_time\":\"2026-01-02T09:00:00.007Z\",\"trigger_id\":\"t\","
	        "\"scheduled_at\":\"2026-01-02T09:00:00.000Z\",";
	assert_true(span_starts_with(text, span_of(BEGINS)));
	event_read_json(text, &texts, &back);
	assert_int_equal(back.kind, EVENT_CRON);
	assert_true(span_is(back.scope, "t"));
	assert_null(back.key.ptr);
	assert_true(span_equal(back.new_value, text));
	buf_free(&out);
	buf_free(&texts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(its_words_are_read),
	        cmocka_unit_test(what_cannot_be_meant_is_refused),
	        cmocka_unit_test(a_year_that_says_nothing_is_passed_over),
	        cmocka_unit_test(times_are_whole_seconds),
	        cmocka_unit_test(jitter_is_bounded_and_the_same_every_time),
	        cmocka_unit_test(only_its_own_times_wake_it),
	        cmocka_unit_test(a_handler_is_told_in_both_ways_and_it_can_be_read_back),
	};
	return cmocka_run_group_tests(tests, open_env, close_env);
}
