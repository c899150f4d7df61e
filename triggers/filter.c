/* This file asks an event what a filter wants to know, cheapest question first. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/filter.h"

#include "base/json.h"
#include "base/mem.h"
#include "triggers/expr/regex.h"
#include "triggers/glob.h"

void filter_free(struct filter *filter)
{
	if (filter == NULL) {
		return;
	}
	for (size_t i = 0; i < filter->changed_count; i++) {
		for (size_t j = 0; j < filter->changed[i].count; j++) {
			mem_free((char *)filter->changed[i].segments[j].ptr);
		}
		mem_free(filter->changed[i].segments);
	}
	mem_free(filter->changed);
	mem_free((char *)filter->scope.ptr);
	mem_free((char *)filter->key.ptr);
	mem_free((char *)filter->key_glob.ptr);
	mem_free((char *)filter->condition_function_id.ptr);
	regex_drop(filter->key_regex);
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

bool filter_matches(const struct filter *filter, const struct event *event)
{
	if ((filter->events & (1u << event->kind)) == 0 ||
	    (filter->scope.ptr != NULL && !span_equal(filter->scope, event->scope)) ||
	    !key_fits(filter, event->key)) {
		return false;
	}
	for (size_t i = 0; i < filter->changed_count; i++) {
		if (differs(&filter->changed[i], event)) {
			return true;
		}
	}
	return filter->changed_count == 0;
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
