/* This file makes the data of a call out of an HTTP request, as its row of the table says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/rest_data.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/api/envelope.h"
#include "engine/api/ingest.h"
#include "engine/api/param.h"
#include "engine/api/repeat.h"
#include "engine/core/call.h"
#include "engine/core/object_scope.h"
#include "engine/core/queue_names.h"
#include "wire/http.h"
#include "wire/url.h"

enum { INVOKE_TIMEOUT_MS = 30 * 1000, INVOKE_TIMEOUT_MAX_MS = 15 * 60 * 1000 };

static int invalid(struct err *err, const char *code, const char *what, struct span name)
{
	return err_set(err, E_INVALID, code, "%s: %.*s", what, SPAN_ARG(name));
}

/* Calls `take` with the name and the JSON value of each parameter of the query. */
typedef int param_fn(struct rest_data *data, struct span name, struct span value, struct err *err);

static int read_query(struct rest_data *data, struct span query, param_fn *take, struct err *err)
{
	struct span name;
	struct span raw;
	int status = 0;
	while (status == 0 && query.ptr && url_next_param(&query, &name, &raw)) {
		struct span type;
		struct buf text = {0};
		if (!param_find(data->route->params, name, &type)) {
			return invalid(err, "unknown_parameter",
			               "there is no parameter of this name", name);
		}
		if (raw.ptr && !url_decode_query(raw, &text)) {
			return invalid(err, "invalid_parameter", "broken percent-encoding", name);
		}
		status = param_to_json(name, type, &text, err);
		if (status == 0) {
			status = take(data, name, buf_view(&text), err);
		}
		buf_free(&text);
	}
	return status;
}

static void add_member(struct rest_data *data, struct span name, struct span value)
{
	struct buf *text = &data->text;
	if (text->ptr[text->len - 1] != '{') {
		buf_byte(text, ',');
	}
	json_write_string(text, name);
	buf_byte(text, ':');
	buf_span(text, value);
}

static int param_to_member(struct rest_data *data, struct span name, struct span value,
                           struct err *err)
{
	(void)err;
	bool is_ours = data->route->flags & ROUTE_ENVELOPE && span_is(name, "raw");
	if (!is_ours) {
		add_member(data, name, value);
	}
	return 0;
}

static int add_body(struct rest_data *data, const struct http_request *http, struct err *err)
{
	const char *member = data->route->body;
	if (member && data->route->flags & ROUTE_ENVELOPE) {
		return envelope_read(http, &data->text, err);
	}
	if (member == NULL || (http->body.len == 0 && strcmp(member, "*") == 0)) {
		return 0;
	}
	if (http->body.len == 0) {
		return err_set(err, E_INVALID, "value_required",
		               "the body is empty: it must be the JSON value itself");
	}
	struct span value;
	int status = json_check(http->body, &value, err);
	if (status != 0) {
		return err_wrap(err, "request body");
	}
	if (strcmp(member, "*") != 0) {
		add_member(data, span_of(member), value);
		return 0;
	}
	if (json_kind(value) != JSON_OBJECT) {
		return err_set(err, E_INVALID, "invalid_request",
		               "the body must be a JSON object, not %s",
		               json_kind_name(json_kind(value)));
	}
	size_t len = value.len - 2; /* without the braces and the white space before the last */
	while (len > 0 && strchr(" \t\r\n", value.ptr[len])) {
		len--;
	}
	buf_add(&data->text, value.ptr + 1, len);
	return 0;
}

/* Appends the decoded segment to data->segment; *out is good until the next one. */
static int decode_segment(struct rest_data *data, struct span name, struct span raw,
                          struct span *out, struct err *err)
{
	buf_clear(&data->segment);
	if (!url_decode(raw, &data->segment) || !json_utf8_valid(buf_view(&data->segment))) {
		return invalid(err, "invalid_path", "broken percent-encoding or UTF-8 in the path",
		               name);
	}
	*out = buf_view(&data->segment);
	return 0;
}

static void add_text(struct rest_data *data, struct span name, struct span plain)
{
	struct buf text = {0};
	json_write_string(&text, plain);
	add_member(data, name, buf_view(&text));
	buf_free(&text);
}

/* One decoded name of the path: mostly a member of its own. */
static int add_name(struct rest_data *data, struct span name, struct span plain, struct err *err)
{
	bool is_object = data->route->flags & ROUTE_OBJECT;
	if (span_is(name, "service")) {
		return span_equal(plain, data->service)
		               ? 0
		               : err_set(err, E_INVALID, "service_not_found",
		                         "this engine serves \"%.*s\", not \"%.*s\"",
		                         SPAN_ARG(data->service), SPAN_ARG(plain));
	}
	if (is_object && span_is(name, "namespace")) {
		object_scope_write_part(plain, &data->scope);
	} else if (is_object && span_is(name, "object_key")) {
		buf_byte(&data->scope, '/');
		object_scope_write_part(plain, &data->scope);
		add_text(data, SPAN("scope"), buf_view(&data->scope));
	} else {
		add_text(data, name, plain);
	}
	return 0;
}

static int add_path(struct rest_data *data, const struct route_match *match, struct err *err)
{
	for (size_t i = 0; i < match->count; i++) {
		struct span plain = SPAN_NONE;
		int status = decode_segment(data, match->names[i], match->values[i], &plain, err);
		if (status != 0) {
			return status;
		}
		status = add_name(data, match->names[i], plain, err);
		if (status != 0) {
			return status;
		}
	}
	return 0;
}

/* "\"7\"" or W/"7" without what is around it; absent when it is none. */
static struct span unquote(struct span tag)
{
	if (span_starts_with(tag, SPAN("W/"))) {
		tag = span_make(tag.ptr + 2, tag.len - 2);
	}
	if (tag.len < 2 || tag.ptr[0] != '"' || tag.ptr[tag.len - 1] != '"' ||
	    memchr(tag.ptr + 1, '"', tag.len - 2)) {
		return SPAN_NONE;
	}
	return span_make(tag.ptr + 1, tag.len - 2);
}

bool rest_data_is_known(const struct rest_data *data, struct span rev)
{
	struct span tags = data->if_none_match;
	return tags.ptr != NULL &&
	       (span_is(tags, "*") || memmem(tags.ptr, tags.len, rev.ptr, rev.len) != NULL);
}

/* If-Match: "rev" and If-None-Match: * of a write; If-None-Match: "rev", ... of a read. */
static int add_conditions(struct rest_data *data, const struct http_request *http, struct err *err)
{
	struct span if_match = http_request_header(http, SPAN("if-match"));
	struct span if_none = http_request_header(http, SPAN("if-none-match"));
	bool is_read = strcmp(data->route->method, "GET") == 0;
	if ((data->route->flags & ROUTE_REV) == 0 || (!if_match.ptr && !if_none.ptr)) {
		return 0;
	}
	if (is_read && if_match.ptr == NULL) {
		data->if_none_match = mem_span(if_none);
		return 0;
	}
	struct span rev = if_none.ptr ? SPAN("0") : unquote(if_match);
	if (is_read || (if_match.ptr && if_none.ptr) || (if_none.ptr && !span_is(if_none, "*")) ||
	    rev.ptr == NULL) {
		return err_set(err, E_INVALID, "invalid_request",
		               "a write takes If-Match with one ETag, or If-None-Match: *; a read "
		               "takes If-None-Match with ETags");
	}
	data->has_if_match = true;
	struct buf text = {0};
	json_write_string(&text, rev);
	add_member(data, SPAN("if_rev"), buf_view(&text));
	buf_free(&text);
	return 0;
}

static int build_events(struct rest_data *data, const struct http_request *http, struct err *err)
{
	int status = ingest_read(http, &data->text, err);
	if (status == 0) {
		data->text.len--; /* the object is not closed yet */
		status = read_query(data, http->query, param_to_member, err);
	}
	if (status == 0) {
		status = repeat_read(http, true, &data->text, err);
	}
	buf_byte(&data->text, '}');
	data->call->data = buf_view(&data->text);
	data->call->function_id = mem_span(span_of(data->route->function));
	return status;
}

static int build_data(struct rest_data *data, const struct route_match *match,
                      const struct http_request *http, struct err *err)
{
	const struct route *route = data->route;
	(void)buf_reserve(&data->text, http->body.len + http->path.len * 3 + 128);
	buf_byte(&data->text, '{');
	data->is_raw = envelope_is_raw(http->query);
	int status = add_body(data, http, err);
	if (status == 0 && route->fixed) {
		/* Before the query: a client may ask for the other thing. */
		if (data->text.len > 1) {
			buf_byte(&data->text, ',');
		}
		buf_span(&data->text, span_of(route->fixed));
	}
	if (status == 0) {
		status = read_query(data, http->query, param_to_member, err);
	}
	if (status == 0) {
		status = repeat_read(http, (route->flags & ROUTE_ONCE) != 0, &data->text, err);
	}
	if (status == 0) {
		status = add_conditions(data, http, err);
	}
	if (status == 0) {
		status = add_path(data, match, err);
	}
	buf_byte(&data->text, '}');
	data->call->data = buf_view(&data->text);
	data->call->function_id = mem_span(span_of(route->function));
	return status;
}

/* ---- calling somebody's function ---- */

/* Which queue a call is to be put into, and when. */
static void add_wish(struct rest_data *data, struct span name, struct span value)
{
	if (data->wish.len == 0) {
		buf_byte(&data->wish, '{');
	}
	struct span member = data->wish.len > 1 ? SPAN(",\"") : SPAN("\"");
	buf_span(&data->wish, member);
	buf_span(&data->wish, name);
	BUF_LITERAL(&data->wish, "\":");
	buf_span(&data->wish, value);
}

static int param_to_call(struct rest_data *data, struct span name, struct span value,
                         struct err *err)
{
	struct call *call = data->call;
	if (span_is(name, "namespace")) {
		struct buf plain = {0};
		json_string(value, &plain);
		mem_free((char *)call->namespace_.ptr);
		call->namespace_ = mem_span(buf_view(&plain));
		buf_free(&plain);
	} else if (span_is(name, "void")) {
		call->is_void = json_is_true(value);
	} else if (!span_is(name, "timeout_ms")) {
		add_wish(data, name, value);
	} else if (!json_int64(value, &call->timeout_ms) || call->timeout_ms < 1 ||
	           call->timeout_ms > INVOKE_TIMEOUT_MAX_MS) {
		return err_set(err, E_INVALID, "invalid_parameter", "timeout_ms must be 1 to %d",
		               INVOKE_TIMEOUT_MAX_MS);
	}
	return 0;
}

/* What the caller does not wait for: a call of the function that puts it into a queue. */
static int build_letter(struct rest_data *data, const struct http_request *http, struct span id,
                        struct span value, struct err *err)
{
	struct call *call = data->call;
	struct buf *text = &data->text;
	struct span queue;
	int status = 0;
	if (call->timeout_ms != 0) {
		return err_set(err, E_INVALID, "invalid_parameter",
		               "timeout_ms is for a call that is waited for; of others the queue "
		               "says how long they may take");
	}
	buf_span(text, buf_view(&data->wish));
	status = repeat_read(http, true, text, err);
	buf_byte(&data->wish, '}');
	if (!json_get(buf_view(&data->wish), SPAN("queue"), &queue)) {
		json_write_member_string(text, "queue", SPAN(QUEUE_DEFAULT));
	}
	json_write_member_string(text, "function_id", id);
	json_write_member_string(text, "namespace", call->namespace_);
	json_write_member_raw(text, "data", value);
	buf_byte(text, '}');
	mem_free((char *)call->namespace_.ptr);
	call->namespace_ = SPAN_NONE;
	call->is_void = false; /* the answer says what it is known by */
	call->function_id = mem_span(SPAN(QUEUE_ENQUEUE));
	call->data = buf_view(text);
	return status;
}

static int build_call(struct rest_data *data, const struct http_request *http, struct span id,
                      struct span value, struct err *err)
{
	struct call *call = data->call;
	if (repeat_read(http, false, &data->text, err) != 0) {
		return err_wrap(err, "a function that takes one has it in its data");
	}
	struct span prefer = http_request_header(http, SPAN("prefer"));
	call->is_void |= prefer.ptr && http_value_has(prefer, SPAN("respond-async"));
	call->timeout_ms = call->timeout_ms != 0 ? call->timeout_ms : INVOKE_TIMEOUT_MS;
	call->by_real_time = true;
	call->function_id = mem_span(id);
	buf_span(&data->text, value);
	call->data = buf_view(&data->text);
	return 0;
}

static int build_invocation(struct rest_data *data, const struct route_match *match,
                            const struct http_request *http, struct err *err)
{
	struct span id;
	struct span value = SPAN("null");
	int status = read_query(data, http->query, param_to_call, err);
	if (status == 0) {
		status = decode_segment(data, match->names[0], match->values[0], &id, err);
	}
	if (status != 0) {
		return status;
	}
	if (http->body.len > 0 && json_check(http->body, &value, err) != 0) {
		return err_wrap(err, "request body");
	}
	return data->wish.len != 0 ? build_letter(data, http, id, value, err)
	                           : build_call(data, http, id, value, err);
}

int rest_data_build(struct rest_data *data, const struct route_match *match,
                    const struct http_request *http, struct err *err)
{
	data->route = match->route;
	if (match->route->flags & ROUTE_INVOKE) {
		return build_invocation(data, match, http, err);
	}
	return match->route->flags & ROUTE_EVENTS ? build_events(data, http, err)
	                                          : build_data(data, match, http, err);
}

void rest_data_close(struct rest_data *data)
{
	mem_free((char *)data->call->namespace_.ptr);
	mem_free((char *)data->call->function_id.ptr);
	mem_free((char *)data->if_none_match.ptr);
	buf_free(&data->text);
	buf_free(&data->segment);
	buf_free(&data->scope);
	buf_free(&data->wish);
}
