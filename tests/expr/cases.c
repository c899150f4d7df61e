/* This file runs our own cases of the condition language: three lines each. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/mem.h"
#include "triggers/condition_env.h"
#include "triggers/event.h"
#include "triggers/expr/moment_read.h"
#include "triggers/matching.h"
#include <stdio.h>
#include <stdlib.h>

/*
 * usage: cases FILE...
 *
 * A case is the expression, the event (JSON: event_type, scope, key, old_value, new_value, seq,
 * time, metadata; what is missing is made up) and what must come of it: the value as CEL spells it,
 * "error: WORD" (of value.h; one of several with | between them), or "refused: PART" of the
 * sentence with which the expression is refused. Lines that begin with # are comments; empty lines
 * mean nothing.
 */
enum { LINES = 3, TEXT_MOST = 4096 };

struct tally {
	size_t passed;
	size_t failed;
};

static void read_whole(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	size_t got = 1;
	while (got != 0) {
		got = fread(buf_reserve(out, 65536), 1, 65536, file);
		out->len += got;
	}
	(void)fclose(file);
}

/* The next line that says something; *line_number counts all of them. */
static bool next_line(struct span *rest, struct span *out, size_t *line_number)
{
	while (rest->len != 0) {
		const char *end = memchr(rest->ptr, '\n', rest->len);
		size_t len = end != NULL ? (size_t)(end - rest->ptr) : rest->len;
		*out = span_make(rest->ptr, len);
		size_t used = end != NULL ? len + 1 : len;
		*rest = span_make(rest->ptr + used, rest->len - used);
		++*line_number;
		if (len != 0 && out->ptr[0] != '#') {
			return true;
		}
	}
	return false;
}

/* ---- the event ---- */

struct made {
	struct event event;
	struct span metadata;
	struct buf text;
};

static struct span text_or(struct made *made, struct span json, struct span otherwise)
{
	return json.ptr != NULL ? json_copy_text(json, &made->text) : otherwise;
}

static enum event_kind kind_of(const struct event *event)
{
	if (event->old_value.ptr == NULL) {
		return event->new_value.ptr != NULL ? EVENT_CREATED : EVENT_UPDATED;
	}
	return event->new_value.ptr != NULL ? EVENT_UPDATED : EVENT_DELETED;
}

static void make_event(struct span json, struct made *made)
{
	static const struct span names[] = {{"event_type", 10}, {"scope", 5},     {"key", 3},
	                                    {"old_value", 9},   {"new_value", 9}, {"seq", 3},
	                                    {"time", 4},        {"metadata", 8}};
	struct span found[sizeof names / sizeof *names];
	struct err err = {0};
	if (json_check_object(json, names, sizeof names / sizeof *names, found, &err) != 0) {
		(void)fprintf(stderr, "%.*s: %s\n", SPAN_ARG(json), err.text);
		exit(EXIT_FAILURE);
	}
	(void)buf_reserve(&made->text, json.len); /* it does not move */
	made->event = (struct event){
	        .seq = 1,
	        .epoch = 1,
	        .scope = text_or(made, found[1], SPAN("users")),
	        .key = text_or(made, found[2], SPAN("u1")),
	        .old_value = found[3],
	        .new_value = found[4],
	};
	made->event.kind = kind_of(&made->event);
	if (found[0].ptr != NULL) {
		(void)event_kind_parse(text_or(made, found[0], SPAN_NONE), &made->event.kind);
	}
	(void)json_uint64(found[5], &made->event.seq);
	int64_t seconds = 0;
	uint32_t nanos = 0;
	if (found[6].ptr != NULL &&
	    moment_read_timestamp(text_or(made, found[6], SPAN_NONE), &seconds, &nanos) == 0) {
		made->event.time_ms = seconds * 1000 + nanos / 1000000;
	}
	made->metadata = found[7];
}

/* ---- a case ---- */

/* Compiles and evaluates; appends what came of it in the form of the third line. */
static void answer(struct condition_env *env, struct span source, struct span json, struct buf *out)
{
	struct made made = {0};
	struct matching matching;
	struct fault fault = {0};
	struct expr *expr = NULL;
	make_event(json, &made);
	if (expr_new(&env->views[VIEW_EVENT], source, EXPR_ANY, &expr, &fault) != 0) {
		buf_format(out, "refused: %s %s", fault.text, fault.hint);
		buf_free(&made.text);
		return;
	}
	matching_init(&matching, env, SPAN("log"));
	matching_begin(&matching, &made.event);
	struct activation *values = matching_values_with(&matching, made.metadata);
	struct value value = matching_eval(&matching, expr, values);
	if (value_is_error(value)) {
		buf_format(out, "error: %s", value_error_word((enum value_error)value.code));
	} else {
		values->allowance.budget = EXPR_BUDGET;
		value_write_text(&values->allowance, value, TEXT_MOST, out);
	}
	matching_close(&matching);
	expr_free(expr);
	buf_free(&made.text);
}

static bool holds(struct span text, struct span part)
{
	return part.len == 0 || memmem(text.ptr, text.len, part.ptr, part.len) != NULL;
}

static bool is_one_of(struct span word, struct span words)
{
	while (words.len != 0) {
		const char *bar = memchr(words.ptr, '|', words.len);
		size_t len = bar != NULL ? (size_t)(bar - words.ptr) : words.len;
		if (span_equal(word, span_make(words.ptr, len))) {
			return true;
		}
		size_t used = bar != NULL ? len + 1 : len;
		words = span_make(words.ptr + used, words.len - used);
	}
	return false;
}

static struct span behind(struct span text, size_t len)
{
	return span_make(text.ptr + len, text.len - len);
}

static bool fits(struct span got, struct span want)
{
	const struct span refused = SPAN("refused: ");
	const struct span error = SPAN("error: ");
	if (span_starts_with(want, span_make(refused.ptr, refused.len - 1))) {
		size_t len = want.len < refused.len ? want.len : refused.len;
		return span_starts_with(got, refused) && holds(got, behind(want, len));
	}
	if (span_starts_with(want, error)) {
		return span_starts_with(got, error) &&
		       is_one_of(behind(got, error.len), behind(want, error.len));
	}
	return span_equal(got, want);
}

static void run_file(const char *path, struct tally *tally)
{
	struct buf file = {0};
	struct condition_env *env = condition_env_new();
	env->event_users = 1; /* any of them may */
	struct span lines[LINES];
	size_t line_number = 0;
	size_t have = 0;
	read_whole(path, &file);
	for (struct span rest = buf_view(&file); next_line(&rest, &lines[have], &line_number);) {
		if (++have < LINES) {
			continue;
		}
		have = 0;
		struct buf got = {0};
		answer(env, lines[0], lines[1], &got);
		if (fits(buf_view(&got), lines[2])) {
			tally->passed++;
		} else {
			tally->failed++;
			printf("FAILED %s:%zu: %.*s\n    %.*s\n    not %.*s\n", path, line_number,
			       SPAN_ARG(lines[0]), SPAN_ARG(buf_view(&got)), SPAN_ARG(lines[2]));
		}
		buf_free(&got);
	}
	if (have != 0) {
		printf("FAILED %s: the last case has no three lines\n", path);
		tally->failed++;
	}
	condition_env_free(env);
	buf_free(&file);
}

int main(int argc, char **argv)
{
	struct tally tally = {0};
	for (int i = 1; i < argc; i++) {
		run_file(argv[i], &tally);
	}
	printf("%zu passed, %zu failed\n", tally.passed, tally.failed);
	return tally.failed != 0 || tally.passed == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
