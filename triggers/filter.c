/* This file asks an event what a filter wants to know, cheapest question first. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/filter.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "triggers/alarm_wish.h"
#include "triggers/dead_wish.h"
#include "triggers/expr/failure.h"
#include "triggers/expr/regex.h"
#include "triggers/glob.h"

void filter_free(struct filter *filter)
{
	if (filter == NULL) {
		return;
	}
	for (size_t i = 0; i < filter->changed_count; i++) {
		filter_path_close(&filter->changed[i]);
	}
	filter_path_close(&filter->group);
	mem_free(filter->changed);
	mem_free((char *)filter->scope.ptr);
	mem_free((char *)filter->key.ptr);
	mem_free((char *)filter->source.ptr);
	mem_free((char *)filter->key_glob.ptr);
	mem_free((char *)filter->condition_function_id.ptr);
	regex_drop(filter->key_regex);
	condition_free(filter->condition);
	selection_free(filter->selection);
	dead_wish_free(filter->dead);
	alarm_wish_free(filter->alarm);
	mem_free(filter->tally.error_detail);
	grouping_free(filter->concurrency_key);
	shaping_free(filter->shaping);
	pacing_free(filter->pacing);
	mem_free(filter->tally.error_text);
	cron_rule_free(filter->cron);
	http_rule_free(filter->http);
	mem_free(filter);
}

static bool key_fits(const struct filter *filter, struct span key)
{
	if (filter->key.ptr != NULL) {
		return span_equal(filter->key, key);
	}
	if (filter->key_glob.ptr != NULL) {
		return glob_matches(filter->key_glob, key);
	}
	if (filter->key_regex != NULL) {
		bool found = false;
		return regex_matches(filter->key_regex, key, &found, NULL) == 0 && found;
	}
	return true;
}

/* A value that is missing differs from every value that is there. */
static bool differs(const struct filter_path *path, const struct event *event)
{
	struct span old_value;
	struct span new_value;
	bool had = event->old_value.ptr != NULL &&
	           json_at(event->old_value, path->segments, path->count, &old_value);
	bool has = event->new_value.ptr != NULL &&
	           json_at(event->new_value, path->segments, path->count, &new_value);
	return had != has || (had && !json_equal(old_value, new_value));
}

static bool is_from(struct span source, const struct event *event)
{
	struct span found;
	return event->new_value.ptr != NULL && json_kind(event->new_value) == JSON_OBJECT &&
	       json_get(event->new_value, SPAN("source"), &found) &&
	       json_kind(found) == JSON_STRING && json_string_is(found, source);
}

bool filter_is_beside(const struct filter *filter, enum event_kind *out)
{
	static const enum event_kind KINDS[] = {EVENT_CUSTOM,    EVENT_DEAD,      EVENT_QUEUED,
	                                        EVENT_PUBLISHED, EVENT_BROADCAST, EVENT_CRON};
	if (filter->alarm != NULL) {
		*out = EVENT_ALARM_DUE;
		return true;
	}
	for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
		if (filter->events == 1u << KINDS[i]) {
			*out = KINDS[i];
			return true;
		}
	}
	return false;
}

bool filter_is_message(const struct filter *filter)
{
	enum event_kind kind;
	return filter_is_beside(filter, &kind) && event_kind_is_message(kind);
}

enum filter_miss filter_miss(const struct filter *filter, const struct event *event)
{
	if (filter->scope.ptr != NULL && !span_equal(filter->scope, event->scope)) {
		return MISS_SCOPE;
	}
	if ((filter->events & (1u << event->kind)) == 0) {
		return MISS_EVENTS;
	}
	if (!key_fits(filter, event->key)) {
		return MISS_KEY;
	}
	if (event->kind == EVENT_CUSTOM && filter->source.ptr != NULL &&
	    !is_from(filter->source, event)) {
		return MISS_SOURCE;
	}
	if (filter->dead != NULL && dead_wish_miss(filter->dead, event) != DEAD_PARTS) {
		return MISS_DEAD;
	}
	if (filter->alarm != NULL && alarm_wish_miss(filter->alarm, event) != ALARM_PARTS) {
		return MISS_ALARM;
	}
	for (size_t i = 0; i < filter->changed_count; i++) {
		if (differs(&filter->changed[i], event)) {
			return MISS_NOTHING;
		}
	}
	return filter->changed_count == 0 ? MISS_NOTHING : MISS_CHANGED;
}

bool filter_fits(const struct filter *filter, const struct event *event)
{
	return filter_miss(filter, event) == MISS_NOTHING;
}

/* An error that comes with every event must not cost its text every time: only what it is made of
 * is kept, and what it says in particular once. */
static void keep_error(struct filter_tally *tally, struct value error, uint64_t seq)
{
	const char *detail = error.as.text;
	bool is_same = tally->condition_errors != 0 && tally->error.code == error.code &&
	               tally->error.at == error.at && tally->error.types == error.types &&
	               (detail == NULL) == (tally->error_detail == NULL) &&
	               (detail == NULL || strcmp(detail, tally->error_detail) == 0);
	tally->condition_errors++;
	tally->error_seq = seq;
	if (!is_same) {
		mem_free(tally->error_detail);
		mem_free(tally->error_text);
		tally->error_text = NULL;
		tally->error_detail = mem_text(detail);
		tally->error = error;
		tally->error.as.text = tally->error_detail;
	}
}

const char *filter_error(struct filter *filter)
{
	struct filter_tally *tally = &filter->tally;
	PRE(tally->condition_errors != 0);
	if (tally->error_text == NULL) {
		struct buf text = {0};
		failure_write(condition_source(filter->condition), tally->error, &text);
		tally->error_text = mem_copy(text.ptr, text.len);
		buf_free(&text);
	}
	return tally->error_text;
}

static enum filter_answer ask_condition(struct filter *filter, struct matching *matching)
{
	struct filter_tally *tally = &filter->tally;
	struct value error = {0};
	bool is_sample = tally->evaluations++ % FILTER_SAMPLE == 0;
	int64_t begin = is_sample ? clock_mono_ns() : 0;
	enum condition_result result =
	        condition_eval(filter->condition, matching, filter->metadata, &error);
	if (is_sample) {
		tally->samples++;
		tally->samples_ns += (uint64_t)(clock_mono_ns() - begin);
	}
	switch (result) {
	case CONDITION_TRUE:
		return FILTER_YES;
	case CONDITION_FALSE:
		tally->condition_false++;
		return FILTER_NO;
	case CONDITION_ERROR:
		break;
	}
	keep_error(tally, error, matching->event->seq);
	return FILTER_ERROR;
}

const void *filter_code(const struct filter *filter)
{
	return filter->condition != NULL ? condition_needs(filter->condition) : NULL;
}

enum filter_answer filter_matches(struct filter *filter, struct matching *matching)
{
	filter->tally.considered++;
	if (!filter_fits(filter, matching->event)) {
		return FILTER_NO;
	}
	return filter->condition != NULL ? ask_condition(filter, matching) : FILTER_YES;
}

bool filter_wakes(const struct filter *filter, enum filter_answer answer)
{
	return answer == FILTER_YES ||
	       (answer == FILTER_ERROR && filter->on_error != ON_ERROR_IGNORE);
}

static void copy_without_nulls(struct span value, struct buf *out)
{
	if (json_kind(value) != JSON_OBJECT) {
		buf_span(out, value);
		return;
	}
	bool first = true;
	struct span name;
	struct span member;
	buf_byte(out, '{');
	for (struct json_iter iter = json_iter(value); json_next_member(&iter, &name, &member);) {
		if (json_is_null(member)) {
			continue;
		}
		if (!first) {
			buf_byte(out, ',');
		}
		first = false;
		buf_byte(out, '"');
		buf_span(out, name);
		BUF_LITERAL(out, "\":");
		copy_without_nulls(member, out);
	}
	buf_byte(out, '}');
}

void filter_canonical(struct span config, struct buf *out)
{
	/* First, so that of two members of one name the last decides, even when it is null. */
	struct buf canonical = {0};
	json_canonical(config, &canonical);
	copy_without_nulls(buf_view(&canonical), out);
	buf_free(&canonical);
}
