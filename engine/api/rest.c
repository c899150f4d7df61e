/* This file answers HTTP requests by calling functions, as the table of routes says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/rest.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "engine/api/ingest.h"
#include "engine/api/media.h"
#include "engine/api/param.h"
#include "engine/api/problem.h"
#include "engine/api/repeat.h"
#include "engine/api/route.h"
#include "engine/core/function.h"
#include "wire/http.h"
#include "wire/url.h"

enum { INVOKE_TIMEOUT_MS = 30 * 1000, INVOKE_TIMEOUT_MAX_MS = 15 * 60 * 1000 };

struct rest {
	struct functions *functions;
	struct list requests; /* rest_request.link */
};

/* One request while its function runs. Owns everything that its call points to. */
struct rest_request {
	struct call call;
	struct list link;
	struct rest *rest;
	struct exchange *exchange;
	const struct route *route;
	struct buf data;
	struct buf texts; /* where the names of the path are decoded to */
	bool has_if_match;
	struct span if_none_match; /* of a GET: 304 when the ETag is this; owned */
};

static void request_free(struct rest_request *request)
{
	if (request == NULL) {
		return;
	}
	list_remove(&request->link);
	mem_free((char *)request->call.namespace_.ptr);
	mem_free((char *)request->call.function_id.ptr);
	mem_free((char *)request->call.traceparent.ptr);
	mem_free((char *)request->call.baggage.ptr);
	mem_free((char *)request->if_none_match.ptr);
	buf_free(&request->data);
	buf_free(&request->texts);
	mem_free(request);
}

/* ---- from a request to data ---- */

static int invalid(struct err *err, const char *code, const char *what, struct span name)
{
	return err_set(err, E_INVALID, code, "%s: %.*s", what, SPAN_ARG(name));
}

/* Calls `take` with the name and the JSON value of each parameter of the query. */
typedef int param_fn(struct rest_request *request, struct span name, struct span value,
                     struct err *err);

static int read_query(struct rest_request *request, struct span query, param_fn *take,
                      struct err *err)
{
	struct span name;
	struct span raw;
	int status = 0;
	while (status == 0 && query.ptr && url_next_param(&query, &name, &raw)) {
		struct span type;
		struct buf text = {0};
		if (!param_find(request->route->params, name, &type)) {
			return invalid(err, "unknown_parameter",
			               "there is no parameter of this name", name);
		}
		if (raw.ptr && !url_decode_query(raw, &text)) {
			return invalid(err, "invalid_parameter", "broken percent-encoding", name);
		}
		status = param_to_json(name, type, &text, err);
		if (status == 0) {
			status = take(request, name, buf_view(&text), err);
		}
		buf_free(&text);
	}
	return status;
}

static void add_member(struct buf *data, struct span name, struct span value)
{
	if (data->ptr[data->len - 1] != '{') {
		buf_byte(data, ',');
	}
	json_write_string(data, name);
	buf_byte(data, ':');
	buf_span(data, value);
}

static int param_to_member(struct rest_request *request, struct span name, struct span value,
                           struct err *err)
{
	(void)err;
	add_member(&request->data, name, value);
	return 0;
}

static int add_body(struct rest_request *request, const struct http_request *http, struct err *err)
{
	const char *member = request->route->body;
	struct buf *data = &request->data;
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
	buf_add(data, value.ptr + 1, value.len - 2);
	return 0;
}

/* Appends the decoded segment to request->texts; *out is good until the next one. */
static int decode_segment(struct rest_request *request, struct span name, struct span raw,
                          struct span *out, struct err *err)
{
	buf_clear(&request->texts);
	if (!url_decode(raw, &request->texts) || !json_utf8_valid(buf_view(&request->texts))) {
		return invalid(err, "invalid_path", "broken percent-encoding or UTF-8 in the path",
		               name);
	}
	*out = buf_view(&request->texts);
	return 0;
}

static int add_path(struct rest_request *request, const struct route_match *match, struct err *err)
{
	for (size_t i = 0; i < match->count; i++) {
		struct span plain = SPAN_NONE;
		int status =
		        decode_segment(request, match->names[i], match->values[i], &plain, err);
		if (status != 0) {
			return status;
		}
		struct buf text = {0};
		json_write_string(&text, plain);
		add_member(&request->data, match->names[i], buf_view(&text));
		buf_free(&text);
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

/* If-Match: "rev" and If-None-Match: * of a write; If-None-Match: "rev" of a read. */
static int add_conditions(struct rest_request *request, const struct http_request *http,
                          struct err *err)
{
	struct span if_match = http_request_header(http, SPAN("if-match"));
	struct span if_none = http_request_header(http, SPAN("if-none-match"));
	bool is_read = strcmp(request->route->method, "GET") == 0;
	if ((request->route->flags & ROUTE_REV) == 0 || (!if_match.ptr && !if_none.ptr)) {
		return 0;
	}
	if (is_read && if_match.ptr == NULL) {
		struct span tag = unquote(if_none);
		request->if_none_match = tag.ptr ? mem_span(tag) : SPAN_NONE;
		return 0;
	}
	struct span rev = if_none.ptr ? SPAN("0") : unquote(if_match);
	if (is_read || (if_match.ptr && if_none.ptr) || (if_none.ptr && !span_is(if_none, "*")) ||
	    rev.ptr == NULL) {
		return err_set(err, E_INVALID, "invalid_request",
		               "a write takes If-Match with one ETag, or If-None-Match: *; a read "
		               "takes If-None-Match with one ETag");
	}
	request->has_if_match = true;
	struct buf text = {0};
	json_write_string(&text, rev);
	add_member(&request->data, SPAN("if_rev"), buf_view(&text));
	buf_free(&text);
	return 0;
}

static int build_events(struct rest_request *request, const struct http_request *http,
                        struct err *err)
{
	int status = ingest_read(http, &request->data, err);
	if (status == 0) {
		request->data.len--; /* the object is not closed yet */
		status = read_query(request, http->query, param_to_member, err);
	}
	if (status == 0) {
		status = repeat_read(http, true, &request->data, err);
	}
	buf_byte(&request->data, '}');
	request->call.data = buf_view(&request->data);
	request->call.function_id = mem_span(span_of(request->route->function));
	return status;
}

static int build_data(struct rest_request *request, const struct route_match *match,
                      const struct http_request *http, struct err *err)
{
	const struct route *route = request->route;
	(void)buf_reserve(&request->data, http->body.len + http->path.len * 3 + 128);
	buf_byte(&request->data, '{');
	int status = add_body(request, http, err);
	if (status == 0 && route->fixed) {
		/* Before the query: a client may ask for the other thing. */
		if (request->data.len > 1) {
			buf_byte(&request->data, ',');
		}
		buf_span(&request->data, span_of(route->fixed));
	}
	if (status == 0) {
		status = read_query(request, http->query, param_to_member, err);
	}
	if (status == 0) {
		status = repeat_read(http, (route->flags & ROUTE_ONCE) != 0, &request->data, err);
	}
	if (status == 0) {
		status = add_conditions(request, http, err);
	}
	if (status == 0) {
		status = add_path(request, match, err);
	}
	buf_byte(&request->data, '}');
	request->call.data = buf_view(&request->data);
	request->call.function_id = mem_span(span_of(route->function));
	return status;
}

/* ---- calling somebody's function ---- */

static int param_to_call(struct rest_request *request, struct span name, struct span value,
                         struct err *err)
{
	struct call *call = &request->call;
	if (span_is(name, "namespace")) {
		struct buf plain = {0};
		json_string(value, &plain);
		mem_free((char *)call->namespace_.ptr);
		call->namespace_ = mem_span(buf_view(&plain));
		buf_free(&plain);
	} else if (span_is(name, "void")) {
		call->is_void = json_is_true(value);
	} else if (!json_int64(value, &call->timeout_ms) || call->timeout_ms < 1 ||
	           call->timeout_ms > INVOKE_TIMEOUT_MAX_MS) {
		return err_set(err, E_INVALID, "invalid_parameter", "timeout_ms must be 1 to %d",
		               INVOKE_TIMEOUT_MAX_MS);
	}
	return 0;
}

static int build_invocation(struct rest_request *request, const struct route_match *match,
                            const struct http_request *http, struct err *err)
{
	struct call *call = &request->call;
	int status = repeat_read(http, false, &request->data, err);
	if (status != 0) {
		return err_wrap(err, "a function that takes one has it in its data");
	}
	call->timeout_ms = INVOKE_TIMEOUT_MS;
	call->by_real_time = true;
	struct span prefer = http_request_header(http, SPAN("prefer"));
	call->is_void = prefer.ptr && http_value_has(prefer, SPAN("respond-async"));
	struct span id;
	status = decode_segment(request, match->names[0], match->values[0], &id, err);
	if (status != 0) {
		return status;
	}
	call->function_id = mem_span(id);
	struct span value = SPAN("null");
	if (http->body.len > 0 && json_check(http->body, &value, err) != 0) {
		return err_wrap(err, "request body");
	}
	buf_span(&request->data, value);
	call->data = buf_view(&request->data);
	return read_query(request, http->query, param_to_call, err);
}

/* ---- from a result to a reply ---- */

static void answer(struct rest_request *request, struct span result, bool replayed)
{
	static const struct span names[] = {{"value", 5}, {"rev", 3}, {"status", 6}};
	unsigned flags = request->route->flags;
	struct exchange_reply reply = {.status = result.ptr ? 200 : 204, .body = result};
	if (flags & ROUTE_EVENTS) {
		reply.status = 202;
	}
	struct span found[3] = {0};
	struct buf extra = {0};
	if (flags & (ROUTE_REV | ROUTE_VALUE | ROUTE_READY) && result.ptr &&
	    json_kind(result) == JSON_OBJECT) {
		json_get_many(result, names, 3, found);
	}
	if (flags & ROUTE_REV && found[1].ptr && json_kind(found[1]) == JSON_STRING) {
		buf_format(&extra, "ETag: %.*s\r\n", SPAN_ARG(found[1]));
	}
	if (replayed) {
		BUF_LITERAL(&extra, REPEAT_REPLAYED);
	}
	reply.extra = extra.len != 0 ? buf_view(&extra) : SPAN_NONE;
	if (flags & ROUTE_VALUE && found[0].ptr) {
		reply.body = found[0];
	}
	bool is_ok = found[2].ptr && json_kind(found[2]) == JSON_STRING &&
	             json_string_is(found[2], SPAN("ok"));
	if (flags & ROUTE_READY && !is_ok) {
		reply.status = 503;
	}
	if (request->if_none_match.ptr && found[1].ptr &&
	    json_string_is(found[1], request->if_none_match)) {
		reply.status = 304;
		reply.body = SPAN("");
	}
	exchange_reply(request->exchange, &reply);
	buf_free(&extra);
}

/* The status of an end whose code is not in the table of problems. */
static int usual_status(enum call_end end)
{
	switch (end) {
	case CALL_REFUSED:
		return 400;
	case CALL_TIMEOUT:
		return 504;
	case CALL_STOPPED:
		return 503;
	case CALL_FAILED:
	case CALL_OK:
		break;
	}
	return 502;
}

static void refuse(struct rest_request *request, int otherwise, struct span code,
                   struct span message, int64_t retry_after_ms)
{
	struct buf extra = {0};
	int status = problem_status(code, otherwise);
	if (request->has_if_match && span_is(code, "rev_conflict")) {
		status = 412;
	}
	if (status == 503 || retry_after_ms > 0) {
		int64_t seconds = (retry_after_ms + 999) / 1000;
		buf_format(&extra, "Retry-After: %lld\r\n", (long long)(seconds > 0 ? seconds : 1));
	}
	exchange_problem(request->exchange, status, code, message,
	                 extra.len ? buf_view(&extra) : SPAN_NONE);
	buf_free(&extra);
}

static void on_done(struct call *call, const struct call_result *result)
{
	struct rest_request *request = MEM_CONTAINER(call, struct rest_request, call);
	if (request->exchange == NULL) {
		request_free(request); /* nobody waited */
		return;
	}
	if (result->end != CALL_OK) {
		refuse(request, usual_status(result->end),
		       result->code.ptr ? result->code : SPAN("invocation_failed"), result->message,
		       result->not_before ? result->retry_after_ms : 0);
	} else if (result->result.ptr == NULL && request->route->flags & ROUTE_ABSENT) {
		refuse(request, 404, SPAN("not_found"), SPAN("there is nothing of this name"), 0);
	} else {
		answer(request, result->result, result->replayed);
	}
	request_free(request);
}

/* ---- requests ---- */

static void answer_hello(struct exchange *exchange)
{
	struct exchange_reply reply = {
	        .status = 200,
	        .body = SPAN("{\"name\":\"pawl\",\"version\":\"" PAWL_VERSION
	                     "\",\"status\":\"/v1/status\"}\n"),
	};
	exchange_reply(exchange, &reply);
}

static void answer_no_route(struct exchange *exchange, const struct http_request *http,
                            enum route_found found)
{
	struct buf detail = {0};
	if (found == ROUTE_OTHER_METHOD) {
		struct buf extra = {0};
		BUF_LITERAL(&extra, "Allow: ");
		route_allowed(http->path, &extra);
		buf_format(&detail, "%.*s is not possible here", SPAN_ARG(http->method));
		BUF_LITERAL(&extra, "\r\n");
		exchange_problem(exchange, 405, SPAN("method_not_allowed"), buf_view(&detail),
		                 buf_view(&extra));
		buf_free(&extra);
	} else {
		const struct route *nearest = route_nearest(http->path);
		buf_format(&detail, "there is no %.*s; the nearest is %s %s", SPAN_ARG(http->path),
		           nearest->method, nearest->path);
		exchange_problem(exchange, 404, SPAN("route_not_found"), buf_view(&detail),
		                 SPAN_NONE);
	}
	buf_free(&detail);
}

static struct span copy_header(const struct http_request *http, struct span name)
{
	struct span value = http_request_header(http, name);
	return value.ptr ? mem_span(value) : SPAN_NONE;
}

/* Nobody waits for the result: says so at once, if the function is there at all. */
static void answer_accepted(struct rest_request *request)
{
	const struct call *call = &request->call;
	if (function_find(request->rest->functions, call->namespace_, call->function_id)) {
		struct exchange_reply reply = {.status = 202};
		exchange_reply(request->exchange, &reply);
		request->exchange = NULL;
	}
}

static int build(struct rest_request *request, const struct route_match *match,
                 const struct http_request *http, struct err *err)
{
	if (match->route->flags & ROUTE_INVOKE) {
		return build_invocation(request, match, http, err);
	}
	return match->route->flags & ROUTE_EVENTS ? build_events(request, http, err)
	                                          : build_data(request, match, http, err);
}

static void start_call(struct rest *rest, struct exchange *exchange,
                       const struct route_match *match, const struct http_request *http)
{
	struct rest_request *request = MEM_NEW(struct rest_request);
	struct err err = {0};
	request->rest = rest;
	request->exchange = exchange;
	request->route = match->route;
	list_init(&request->link);
	list_push(&rest->requests, &request->link);
	request->call.done = on_done;
	request->call.traceparent = copy_header(http, SPAN("traceparent"));
	request->call.baggage = copy_header(http, SPAN("baggage"));
	int status = build(request, match, http, &err);
	if (status == 0 && request->call.is_void) {
		answer_accepted(request);
	}
	if (status == 0) {
		status = function_call(rest->functions, &request->call, &err);
	}
	if (status != 0) {
		refuse(request, 400, span_of(err.code), span_of(err.text), 0);
		request_free(request);
	}
}

static void on_request(void *ctx, struct exchange *exchange, const struct http_request *http)
{
	struct route_match match;
	enum route_found found = route_find(http->method, http->path, &match);
	if (found != ROUTE_FOUND) {
		answer_no_route(exchange, http, found);
	} else if (match.route->flags & ROUTE_HELLO) {
		answer_hello(exchange);
	} else {
		start_call(ctx, exchange, &match, http);
	}
}

/* Bodies are JSON, and say so. */
static int admit(void *ctx, const struct http_request *http, struct err *err)
{
	(void)ctx;
	struct route_match match;
	struct span type = http_request_header(http, SPAN("content-type"));
	bool has_body = http->body.len > 0 || http->expects_continue;
	if ((type.ptr == NULL && !has_body) || media_is_json(media_type(type)) ||
	    span_is(http->method, "GET")) {
		return 0;
	}
	if (route_find(http->method, http->path, &match) == ROUTE_FOUND &&
	    match.route->flags & ROUTE_EVENTS) {
		return ingest_refuse_type(err);
	}
	return err_set(err, E_UNSUPPORTED, "unsupported_media_type",
	               "a %.*s takes JSON only, this body is %.*s", SPAN_ARG(http->method),
	               SPAN_ARG(type.ptr ? type : SPAN("of no declared type")));
}

static bool is_route(void *ctx, struct span path)
{
	(void)ctx;
	struct route_match match;
	return !span_is(path, "/") && route_find(SPAN("GET"), path, &match) != ROUTE_UNKNOWN;
}

struct rest *rest_new(struct functions *functions)
{
	struct rest *rest = MEM_NEW(struct rest);
	rest->functions = functions;
	list_init(&rest->requests);
	return rest;
}

void rest_free(struct rest *rest)
{
	if (rest == NULL) {
		return;
	}
	LIST_EACH(&rest->requests, link)
	{
		struct rest_request *request = MEM_CONTAINER(link, struct rest_request, link);
		call_cancel(&request->call);
		if (request->exchange == NULL) {
			request_free(request);
			continue;
		}
		refuse(request, 503, SPAN("shutting_down"), SPAN("the engine is stopping"), 0);
		request_free(request);
	}
	mem_free(rest);
}

struct exchange_handler rest_handler(struct rest *rest)
{
	return (struct exchange_handler){
	        .ctx = rest, .request = on_request, .admit = admit, .is_route = is_route};
}
