/* This file tests that the examples of docs/conditions.md are what they say they are. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/mem.h"
#include "triggers/condition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct buf doc;

static int read_doc(void **state)
{
	(void)state;
	FILE *file = fopen(SOURCE_DIR "/docs/conditions.md", "rb");
	assert_non_null(file);
	doc.len = fread(buf_reserve(&doc, 65536), 1, 65536, file);
	return fclose(file);
}

static int free_doc(void **state)
{
	(void)state;
	buf_free(&doc);
	return 0;
}

/* What stands in the first fence of this kind. */
static struct span block(const char *fence)
{
	struct buf text = {0};
	buf_format(&text, "\n```%s\n%c", fence, 0);
	buf_byte(&doc, 0);
	doc.len--;
	const char *begin = strstr(doc.ptr, text.ptr);
	assert_non_null(begin);
	begin += text.len - 1;
	const char *end = strstr(begin, "\n```");
	assert_non_null(end);
	buf_free(&text);
	return span_make(begin, (size_t)(end - begin));
}

static void ask(struct condition_env *env, struct matching *matching, struct span line)
{
	static const char *const RESULTS[] = {"// false", "// true", "// error"};
	struct condition *condition = NULL;
	struct fault fault = {0};
	struct value error = {0};
	if (condition_new(env, line, FIRE_CHANGE, &condition, &fault) != 0) {
		fail_msg("%.*s: %s", SPAN_ARG(line), fault.text);
	}
	const char *result = RESULTS[condition_eval(condition, matching, SPAN_NONE, &error)];
	size_t len = strlen(result);
	if (line.len < len || !span_is(span_make(line.ptr + line.len - len, len), result)) {
		fail_msg("%.*s: it is %s", SPAN_ARG(line), result);
	}
	condition_free(condition);
}

static void the_examples_are_true(void **state)
{
	(void)state;
	struct condition_env *env = condition_env_new();
	struct matching matching;
	struct event event = {.kind = EVENT_UPDATED,
	                      .seq = 1,
	                      .scope = SPAN("users"),
	                      .key = SPAN("ada"),
	                      .time_ms = 1767323045678};
	assert_int_equal(json_check(block("json old"), &event.old_value, NULL), 0);
	assert_int_equal(json_check(block("json new"), &event.new_value, NULL), 0);
	matching_init(&matching, env, SPAN("log"));
	matching_begin(&matching, &event);
	struct span lines = block("cel");
	size_t count = 0;
	while (lines.len != 0) {
		const char *end = memchr(lines.ptr, '\n', lines.len);
		size_t len = end != NULL ? (size_t)(end - lines.ptr) : lines.len;
		ask(env, &matching, span_make(lines.ptr, len));
		count++;
		len += end != NULL;
		lines = span_make(lines.ptr + len, lines.len - len);
	}
	assert_true(count > 10);
	matching_close(&matching);
	condition_env_free(env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_examples_are_true)};
	return cmocka_run_group_tests(tests, read_doc, free_doc);
}
