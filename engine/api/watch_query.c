/* This file reads what a watcher asks for: which events, and from where on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/watch_query.h"

#include "base/id.h"
#include "base/json.h"
#include "engine/api/param.h"
#include "triggers/event.h"
#include "triggers/glob.h"
#include "wire/http.h"
#include "wire/url.h"

enum { SCOPE_MAX = 512, PREFIX_MAX = 1024 };

static const char CODE[] = "invalid_parameter";

static const unsigned CHANGES =
        1u << EVENT_CREATED | 1u << EVENT_UPDATED | 1u << EVENT_DELETED | 1u << EVENT_TOUCHED;

void watch_query_close(struct watch_query *query)
{
	buf_free(&query->scope);
	buf_free(&query->prefix);
	buf_free(&query->when);
	buf_free(&query->since);
}

bool watch_position_parse(struct span text, struct watch_position *out)
{
	*out = (struct watch_position){.log = SPAN_NONE};
	return id_parse_uint(text, &out->seq) ||
	       event_parse_id(text, &out->log, &out->epoch, &out->seq);
}

static int take_position(struct watch_query *query, const char *where, struct err *err)
{
	query->has_position = true;
	if (!watch_position_parse(buf_view(&query->since), &query->position)) {
		return err_set(err, E_INVALID, CODE,
		               "%s is neither an event's id (\"log-epoch-seq\") nor a seq: %.*s",
		               where, SPAN_ARG(buf_view(&query->since)));
	}
	return 0;
}

static int take_scope(struct watch_query *query, struct err *err)
{
	struct err why = {0};
	struct span scope = buf_view(&query->scope);
	if (scope.len > SCOPE_MAX || glob_check(scope, &why) != 0) {
		return err_set(err, E_INVALID, CODE, "scope: %s",
		               why.number != 0 ? why.text : "it has at most 512 bytes");
	}
	query->is_glob = glob_is_pattern(scope);
	if (!query->is_glob) {
		struct buf plain = {0};
		glob_unescape(scope, &plain);
		buf_free(&query->scope);
		query->scope = plain;
	}
	return 0;
}

/* "created" and "state:created" are the same word, any other kind goes by its full name. */
static bool take_word(struct span word, unsigned *events)
{
	struct buf full = {0};
	enum event_kind kind = EVENT_CREATED;
	buf_format(&full, "state:%.*s", SPAN_ARG(word));
	bool known = event_kind_parse(buf_view(&full), &kind) || event_kind_parse(word, &kind);
	buf_free(&full);
	*events |= span_is(word, "all") ? ~0u : span_is(word, "state") ? CHANGES : 1u << kind;
	return known || span_is(word, "all") || span_is(word, "state");
}

static int take_events(struct watch_query *query, struct span list, struct err *err)
{
	query->events = 0;
	while (list.len != 0) {
		const char *comma = memchr(list.ptr, ',', list.len);
		size_t len = comma != NULL ? (size_t)(comma - list.ptr) : list.len;
		struct span word = span_make(list.ptr, len);
		if (!take_word(word, &query->events)) {
			return err_set(err, E_INVALID, CODE,
			               "events takes created, updated, deleted, touched, state for "
			               "these four, any other event_type, or all, separated by "
			               "commas; not \"%.*s\"",
			               len < 64 ? (int)len : 64, word.ptr);
		}
		size_t taken = len + (comma != NULL);
		list = span_make(list.ptr + taken, list.len - taken);
	}
	return query->events != 0 ? 0 : err_set(err, E_INVALID, CODE, "events names none");
}

static int take(struct watch_query *query, struct span name, struct buf *text, struct err *err)
{
	struct span value = buf_view(text);
	if (span_is(name, "scope")) {
		buf_clear(&query->scope);
		buf_span(&query->scope, value);
		return take_scope(query, err);
	}
	if (span_is(name, "prefix")) {
		buf_clear(&query->prefix);
		buf_span(&query->prefix, value);
		return value.len <= PREFIX_MAX
		               ? 0
		               : err_set(err, E_INVALID, CODE, "prefix has at most 1,024 bytes");
	}
	if (span_is(name, "when")) {
		buf_clear(&query->when);
		buf_span(&query->when, value);
		return 0;
	}
	if (span_is(name, "since")) {
		buf_clear(&query->since);
		buf_span(&query->since, value);
		return take_position(query, "since", err);
	}
	return take_events(query, value, err);
}

static int take_param(struct watch_query *query, struct span name, struct span raw, struct err *err)
{
	struct span type;
	struct buf text = {0};
	int status = 0;
	if (!param_find(WATCH_PARAMS, name, &type)) {
		return err_set(err, E_INVALID, "unknown_parameter",
		               "there is no parameter of this name: %.*s", SPAN_ARG(name));
	}
	if (span_is(name, "token")) {
		return 0; /* who asks is known by now */
	}
	if (raw.ptr && !url_decode_query(raw, &text)) {
		return err_set(err, E_INVALID, CODE, "broken percent-encoding: %.*s",
		               SPAN_ARG(name));
	}
	if (type.len != 0) {
		status = param_to_json(name, type, &text, err);
		query->wants_snapshot = status == 0 && json_is_true(buf_view(&text));
	} else if (!json_utf8_valid(buf_view(&text))) {
		status = err_set(err, E_INVALID, CODE, "not UTF-8: %.*s", SPAN_ARG(name));
	} else {
		status = take(query, name, &text, err);
	}
	buf_free(&text);
	return status;
}

int watch_query_read(const struct http_request *http, struct watch_query *out, struct err *err)
{
	struct watch_query query = {.events = CHANGES};
	struct span params = http->query;
	struct span name;
	struct span raw;
	int status = 0;
	while (status == 0 && params.ptr && url_next_param(&params, &name, &raw)) {
		status = take_param(&query, name, raw, err);
	}
	struct span last_id = http_request_header(http, SPAN("last-event-id"));
	if (status == 0 && last_id.len != 0) {
		buf_clear(&query.since);
		buf_span(&query.since, last_id);
		status = take_position(&query, "Last-Event-ID", err);
	}
	if (status == 0 && query.wants_snapshot && (query.scope.len == 0 || query.is_glob)) {
		status = err_set(err, E_INVALID, CODE,
		                 "a snapshot is of one scope: name it with scope");
	}
	if (status != 0) {
		watch_query_close(&query);
		return status;
	}
	*out = query;
	return 0;
}
