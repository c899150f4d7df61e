/* This file tests cron expressions against tests/cron/cases.txt, and the examples of docs/cron.md.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/civil.h"
#include "base/cron_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CASES_LEAST = 200, TIMES = 5, MINUTE = 60, HOUR = 3600 };

struct one_case {
	int line;
	struct span text;
	const struct zone *zone;
	int64_t after;
	int64_t times[TIMES];
};

static struct buf table;
static struct buf doc;

/* The test goes on behind a case that fails, to show all of them. */
static size_t failed;

static void read_whole(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	size_t got = 1;
	while (got != 0) {
		got = fread(buf_reserve(out, 65536), 1, 65536, file);
		out->len += got;
	}
	assert_int_equal(fclose(file), 0);
}

static int read_files(void **state)
{
	(void)state;
	read_whole(SOURCE_DIR "/tests/cron/cases.txt", &table);
	read_whole(SOURCE_DIR "/docs/cron.md", &doc);
	return 0;
}

static int free_files(void **state)
{
	(void)state;
	buf_free(&table);
	buf_free(&doc);
	return 0;
}

/* ---- reading ---- */

/* Takes off the front what stands before `end`. */
static struct span take_until(struct span *rest, char end)
{
	const char *at = rest->len != 0 ? memchr(rest->ptr, end, rest->len) : NULL;
	size_t len = at != NULL ? (size_t)(at - rest->ptr) : rest->len;
	size_t used = at != NULL ? len + 1 : len;
	struct span taken = {rest->ptr, len};
	*rest = span_make(rest->ptr + used, rest->len - used);
	return taken;
}

/* The next line that says something. */
static struct span take_line(struct span *rest, int *line)
{
	while (rest->len != 0) {
		struct span text = take_until(rest, '\n');
		++*line;
		if (text.len != 0 && *text.ptr != '#') {
			return text;
		}
	}
	return SPAN_NONE;
}

static int take_number(struct span *rest, size_t len)
{
	char digits[8] = {0};
	assert_true(rest->len >= len && len < sizeof digits);
	memcpy(digits, rest->ptr, len);
	*rest = span_make(rest->ptr + len, rest->len - len);
	char *end = NULL;
	long number = strtol(digits, &end, 10);
	assert_true(end == digits + len);
	return (int)number;
}

static void take_char(struct span *rest, char wanted)
{
	assert_true(rest->len > 0 && *rest->ptr == wanted);
	*rest = span_make(rest->ptr + 1, rest->len - 1);
}

static int take_clock(struct span *rest)
{
	int hour = take_number(rest, 2);
	take_char(rest, ':');
	return hour * HOUR + take_number(rest, 2) * MINUTE;
}

/* "2026-03-29T03:00+02:00", or with seconds; the clocks of the zone do show that. */
static int64_t instant_of(struct span text, const struct zone *zone)
{
	struct civil_date date = {0};
	date.year = take_number(&text, 4);
	take_char(&text, '-');
	date.month = take_number(&text, 2);
	take_char(&text, '-');
	date.day = take_number(&text, 2);
	take_char(&text, 'T');
	int64_t local = civil_days(date) * CIVIL_DAY_SECONDS + take_clock(&text);
	if (text.len > 0 && *text.ptr == ':') {
		take_char(&text, ':');
		local += take_number(&text, 2);
	}
	bool is_west = text.len > 0 && *text.ptr == '-';
	take_char(&text, is_west ? '-' : '+');
	int offset = is_west ? -take_clock(&text) : take_clock(&text);
	assert_int_equal(text.len, 0);
	assert_int_equal(zone_stretch_at(zone, local - offset).offset, offset);
	return local - offset;
}

static bool take_case(struct span *rest, int *line, struct one_case *out)
{
	out->text = take_line(rest, line);
	if (out->text.ptr == NULL) {
		return false;
	}
	out->line = *line;
	struct span where = take_line(rest, line);
	struct span when = take_line(rest, line);
	struct err err = {0};
	if (zone_get(take_until(&where, ' '), &out->zone, &err) != 0) {
		fail_msg("line %d: %s", out->line, err.text);
	}
	out->after = instant_of(where, out->zone);
	for (int i = 0; i < TIMES; i++) {
		out->times[i] = instant_of(take_until(&when, ' '), out->zone);
	}
	assert_int_equal(when.len, 0);
	return true;
}

/* ---- checking ---- */

static void expect(const struct one_case *the_case, const char *what, bool is_found, int64_t at,
                   int64_t expected)
{
	if (is_found && at == expected) {
		return;
	}
	failed++;
	print_error("line %d, %.*s: %s is %lld, not %lld\n", the_case->line,
	            SPAN_ARG(the_case->text), what, is_found ? (long long)at : -1,
	            (long long)expected);
}

static void check(const struct one_case *the_case, const struct cron *cron)
{
	const struct zone *zone = the_case->zone;
	int64_t at = the_case->after;
	for (int i = 0; i < TIMES; i++) {
		bool is_found = cron_next(cron, zone, at, &at);
		expect(the_case, "the next", is_found, at, the_case->times[i]);
		at = the_case->times[i];
	}
	for (int i = TIMES - 2; i >= 0; i--) {
		bool is_found = cron_previous(cron, zone, at, &at);
		expect(the_case, "the previous", is_found, at, the_case->times[i]);
		at = the_case->times[i];
	}
	int64_t last = the_case->times[TIMES - 1];
	uint64_t count = cron_count(cron, zone, the_case->after, last, 2 * TIMES);
	expect(the_case, "their number", true, (int64_t)count, TIMES);
}

static void every_case_is_met(void **state)
{
	(void)state;
	struct span rest = buf_view(&table);
	struct one_case the_case;
	size_t count = 0;
	for (int line = 0; take_case(&rest, &line, &the_case); count++) {
		struct cron cron;
		struct err err = {0};
		if (cron_read(the_case.text, &cron, &err) != 0) {
			fail_msg("line %d: %s", the_case.line, err.text);
		}
		check(&the_case, &cron);
	}
	assert_true(count >= CASES_LEAST);
	assert_int_equal(failed, 0);
}

/* ---- the document: "EXPRESSION // TIME TIME" in fences "cron ZONE INSTANT" ---- */

static void check_example(struct span text, struct span times, const struct zone *zone, int64_t at)
{
	struct cron cron;
	struct err err = {0};
	if (cron_read(text, &cron, &err) != 0) {
		fail_msg("%.*s: %s", SPAN_ARG(text), err.text);
	}
	while (times.len != 0) {
		int64_t expected = instant_of(take_until(&times, ' '), zone);
		if (!cron_next(&cron, zone, at, &at) || at != expected) {
			fail_msg("%.*s: the next is %lld, not %lld", SPAN_ARG(text), (long long)at,
			         (long long)expected);
		}
	}
}

static void check_refused(struct span text, struct span why)
{
	struct cron cron;
	struct err err = {0};
	struct buf part = {0};
	assert_int_not_equal(cron_read(text, &cron, &err), 0);
	buf_format(&part, "%.*s%c", SPAN_ARG(why), 0);
	if (strstr(err.text, part.ptr) == NULL) {
		fail_msg("%.*s: %s", SPAN_ARG(text), err.text);
	}
	buf_free(&part);
}

/* Each line of the fence; returns how many. `where` is "refused", or zone and instant. */
static size_t check_fence(struct span where, struct span *rest)
{
	bool is_refused = span_is(where, "refused");
	const struct zone *zone = NULL;
	int64_t at = 0;
	if (!is_refused) {
		assert_int_equal(zone_get(take_until(&where, ' '), &zone, NULL), 0);
		at = instant_of(where, zone);
	}
	size_t count = 0;
	for (struct span line; line = take_until(rest, '\n'), !span_is(line, "```"); count++) {
		const char *mark = memmem(line.ptr, line.len, "// ", 3);
		assert_non_null(mark);
		struct span text = {line.ptr, (size_t)(mark - line.ptr)};
		struct span says = {mark + 3, line.len - text.len - 3};
		if (is_refused) {
			check_refused(text, says);
		} else {
			check_example(text, says, zone, at);
		}
	}
	return count;
}

static void the_examples_are_true(void **state)
{
	(void)state;
	struct span rest = buf_view(&doc);
	size_t count = 0;
	while (rest.len != 0) {
		struct span line = take_until(&rest, '\n');
		struct span fence = SPAN("```cron ");
		if (span_starts_with(line, fence)) {
			count += check_fence(span_make(line.ptr + fence.len, line.len - fence.len),
			                     &rest);
		}
	}
	assert_true(count > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_case_is_met),
	        cmocka_unit_test(the_examples_are_true),
	};
	return cmocka_run_group_tests(tests, read_files, free_files);
}
