/* This file answers HTTP requests by calling functions, as the table of routes says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/rest.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "engine/api/console.h"
#include "engine/api/envelope.h"
#include "engine/api/ingest.h"
#include "engine/api/login.h"
#include "engine/api/media.h"
#include "engine/api/openapi.h"
#include "engine/api/peer.h"
#include "engine/api/permission.h"
#include "engine/api/problem.h"
#include "engine/api/repeat.h"
#include "engine/api/request_span.h"
#include "engine/api/rest_data.h"
#include "engine/api/route.h"
#include "engine/core/function.h"
#include "wire/exposition.h"
#include "wire/http.h"
#include <sys/socket.h>

struct rest {
	struct functions *functions;
	const char *service;
	struct list requests;  /* rest_request.link */
	struct tracer *tracer; /* NULL: nobody wants spans */
	rest_watch_fn *watch;  /* NULL: nobody streams */
	void *watch_ctx;
	struct login *login; /* NULL: nobody is asked for a token */
};

/* One request while its function runs. Owns everything that its call points to. */
struct rest_request {
	struct call call;
	struct list link;
	struct rest *rest;
	struct exchange *exchange;
	struct rest_data data;
	struct request_span span;
	bool is_brief; /* who has shown no token is told whether it is well, no more */
};

static void request_free(struct rest_request *request)
{
	if (request == NULL) {
		return;
	}
	list_remove(&request->link);
	rest_data_close(&request->data);
	mem_free((char *)request->call.traceparent.ptr);
	mem_free((char *)request->call.baggage.ptr);
	mem_free(request);
}

/* ---- spans ---- */

/* Who asks how the engine is, is no part of anybody's trace. */
static bool is_traced(const struct route *route)
{
	bool is_question = strcmp(route->method, "GET") == 0 && route->function != NULL &&
	                   span_starts_with(span_of(route->function), SPAN("engine::"));
	return !is_question;
}

static void end_span(struct rest_request *request, int status, struct span code)
{
	const struct route *route = request->data.route;
	const struct request_about about = {span_of(route->method), span_of(route->path),
	                                    request->call.function_id};
	request_span_end(&request->span, &about, status, code);
}

/* ---- from a result to a reply ---- */

static void answer(struct rest_request *request, struct span result, bool replayed)
{
	static const struct span names[] = {{"value", 5}, {"rev", 3}, {"status", 6}};
	unsigned flags = request->data.route->flags;
	struct exchange_reply reply = {.status = result.ptr ? 200 : 204, .body = result};
	if (flags & ROUTE_EVENTS || request->data.wish.len != 0) {
		reply.status = 202;
	}
	struct span found[3] = {0};
	struct buf extra = {0};
	struct buf body = {0};
	if (flags & (ROUTE_REV | ROUTE_VALUE | ROUTE_READY | ROUTE_OPEN) && result.ptr &&
	    json_kind(result) == JSON_OBJECT) {
		json_get_many(result, names, 3, found);
	}
	/* What a deletion answers is the value that was there, all of it somebody else's. */
	bool is_gone = strcmp(request->data.route->method, "DELETE") == 0;
	if (flags & ROUTE_REV && !is_gone && found[1].ptr && json_kind(found[1]) == JSON_STRING) {
		buf_format(&extra, "ETag: %.*s\r\n", SPAN_ARG(found[1]));
	}
	if (replayed) {
		BUF_LITERAL(&extra, REPEAT_REPLAYED);
	}
	reply.extra = extra.len != 0 ? buf_view(&extra) : SPAN_NONE;
	if (flags & ROUTE_VALUE && found[0].ptr) {
		reply.body = found[0];
	}
	if (request->data.is_raw && flags & ROUTE_ENVELOPE && found[0].ptr) {
		reply.content_type = envelope_unpack(result, &body);
		reply.body = buf_view(&body);
	}
	bool is_ok = found[2].ptr && json_kind(found[2]) == JSON_STRING &&
	             json_string_is(found[2], SPAN("ok"));
	if (flags & ROUTE_READY && !is_ok) {
		reply.status = 503;
	}
	if (request->is_brief && found[2].ptr != NULL) {
		buf_format(&body, "{\"status\":%.*s}", SPAN_ARG(found[2]));
		reply.body = buf_view(&body);
	}
	if (found[1].ptr && rest_data_is_known(&request->data, found[1])) {
		reply.status = 304;
		reply.body = SPAN("");
	}
	end_span(request, reply.status, SPAN_NONE);
	exchange_reply(request->exchange, &reply);
	buf_free(&body);
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
	if (request->data.has_if_match && span_is(code, "rev_conflict")) {
		status = 412;
	}
	if (status == 503 || retry_after_ms > 0) {
		int64_t seconds = (retry_after_ms + 999) / 1000;
		buf_format(&extra, "Retry-After: %lld\r\n", (long long)(seconds > 0 ? seconds : 1));
	}
	end_span(request, status, code);
	exchange_problem(request->exchange, status, code, message,
	                 extra.len ? buf_view(&extra) : SPAN_NONE);
	buf_free(&extra);
}

static void answer_figures(struct exchange *exchange, struct span result)
{
	struct buf text = {0};
	json_string(result, &text);
	const struct exchange_reply reply = {
	        .status = 200,
	        .content_type = SPAN(EXPOSITION_TYPE),
	        .body = buf_view(&text),
	};
	exchange_reply(exchange, &reply);
	buf_free(&text);
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
	} else if (result->result.ptr == NULL && request->data.route->flags & ROUTE_ABSENT) {
		refuse(request, 404, SPAN("not_found"), SPAN("there is nothing of this name"), 0);
	} else if (request->data.route->flags & ROUTE_FIGURES) {
		answer_figures(request->exchange, result->result);
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
	        .extra = SPAN("Vary: Accept\r\n"),
	};
	exchange_reply(exchange, &reply);
}

static void answer_document(struct exchange *exchange)
{
	struct buf text = {0};
	openapi_write(&text);
	const struct exchange_reply reply = {.status = 200, .body = buf_view(&text)};
	exchange_reply(exchange, &reply);
	buf_free(&text);
}

static void answer_watch(struct rest *rest, struct exchange *exchange,
                         const struct http_request *http)
{
	if (rest->watch == NULL) {
		exchange_problem(exchange, 501, SPAN("not_available"),
		                 SPAN("there are no watch streams here"), SPAN_NONE);
		return;
	}
	rest->watch(rest->watch_ctx, exchange, http);
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
		end_span(request, reply.status, SPAN_NONE);
		exchange_reply(request->exchange, &reply);
		request->exchange = NULL;
	}
}

static int check_access(struct rest_request *request, struct err *err)
{
	struct login *login = request->rest->login;
	const struct token *token = exchange_token(request->exchange);
	const struct permission_call call = {.namespace_ = request->call.namespace_,
	                                     .function_id = request->call.function_id,
	                                     .data = request->call.data};
	if (login == NULL) {
		return 0;
	}
	if (request->data.route->flags & ROUTE_OPEN) {
		request->is_brief = tokens_required(login_tokens(login));
		return 0;
	}
	return permission_check(token != NULL ? &token->rights : NULL, request->rest->functions,
	                        &call, err);
}

static void start_call(struct rest *rest, struct exchange *exchange,
                       const struct route_match *match, const struct http_request *http)
{
	struct rest_request *request = MEM_NEW(struct rest_request);
	struct err err = {0};
	request->rest = rest;
	request->exchange = exchange;
	request->data.call = &request->call;
	request->data.service = span_of(rest->service);
	list_init(&request->link);
	list_push(&rest->requests, &request->link);
	request->call.done = on_done;
	struct span came = http_request_header(http, SPAN("traceparent"));
	struct tracer *tracer = is_traced(match->route) ? rest->tracer : NULL;
	struct span trace = request_span_begin(&request->span, tracer, came);
	request->call.traceparent = trace.ptr != NULL ? mem_span(trace) : SPAN_NONE;
	request->call.baggage = copy_header(http, SPAN("baggage"));
	int status = rest_data_build(&request->data, match, http, &err);
	if (status == 0) {
		status = check_access(request, &err);
	}
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
	} else if (match.route->flags & ROUTE_FILE) {
		console_answer(exchange, http, match.values[0]);
	} else if (match.route->flags & ROUTE_HELLO && console_is_wanted(http)) {
		console_answer(exchange, http, SPAN_NONE);
	} else if (match.route->flags & ROUTE_HELLO) {
		answer_hello(exchange);
	} else if (match.route->flags & ROUTE_DOCUMENT) {
		answer_document(exchange);
	} else if (match.route->flags & ROUTE_WATCH) {
		answer_watch(ctx, exchange, http);
	} else {
		start_call(ctx, exchange, &match, http);
	}
}

static bool has_flag(const struct http_request *http, enum route_flag flag)
{
	struct route_match match;
	return route_find(http->method, http->path, &match) == ROUTE_FOUND &&
	       match.route->flags & flag;
}

/* Who asks? An open route is anybody's, a socket is nobody's. */
static int identify(const struct rest *rest, const struct http_request *http,
                    struct exchange_caller *caller, struct err *err)
{
	struct sockaddr_storage address;
	if (rest->login == NULL || !tokens_required(login_tokens(rest->login)) ||
	    (!http->is_websocket && has_flag(http, ROUTE_OPEN))) {
		return 0;
	}
	bool has = peer_address(caller->conn, &address);
	return login_check(rest->login, http, has ? &address : NULL, &caller->token, err);
}

/* Bodies are JSON, and say so. */
static int admit(void *ctx, const struct http_request *http, struct exchange_caller *caller,
                 struct err *err)
{
	if (identify(ctx, http, caller, err) != 0) {
		return err->number;
	}
	struct span type = http_request_header(http, SPAN("content-type"));
	bool has_body = http->body.len > 0 || http->expects_continue;
	if ((type.ptr == NULL && !has_body) || media_is_json(media_type(type)) ||
	    span_is(http->method, "GET")) {
		return 0;
	}
	if (has_flag(http, ROUTE_EVENTS)) {
		return ingest_refuse_type(err);
	}
	if (has_flag(http, ROUTE_ENVELOPE) && type.ptr && envelope_takes(media_type(type))) {
		return 0;
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

struct rest *rest_new(struct functions *functions, const char *service)
{
	struct rest *rest = MEM_NEW(struct rest);
	rest->functions = functions;
	rest->service = service;
	list_init(&rest->requests);
	return rest;
}

void rest_trace(struct rest *rest, struct tracer *tracer)
{
	rest->tracer = tracer;
}

void rest_set_watch(struct rest *rest, rest_watch_fn *watch, void *ctx)
{
	rest->watch = watch;
	rest->watch_ctx = ctx;
}

void rest_set_login(struct rest *rest, struct login *login)
{
	rest->login = login;
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
