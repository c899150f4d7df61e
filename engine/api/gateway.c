/* This file takes the requests of HTTP triggers through their steps and answers them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/gateway.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "engine/api/api_request.h"
#include "engine/api/api_response.h"
#include "engine/api/cors.h"
#include "engine/api/problem.h"
#include "engine/api/request_span.h"
#include "engine/core/catalog.h"
#include "engine/core/consent.h"
#include "engine/core/core.h"
#include "engine/core/function.h"
#include "engine/core/routing.h"
#include "engine/work/otlp.h"
#include <stdio.h>

struct gateway {
	struct core *core;
	struct list requests; /* gateway_request.link */
	size_t count;         /* of them */
	size_t max_requests;
	char **cors_origins;
	bool only_false_means_no;
};

enum step_kind { STEP_CONDITION, STEP_MIDDLEWARE, STEP_HANDLER };

struct step {
	enum step_kind kind;
	struct span function_id; /* owned */
};

/*
 * One request. It owns all that it needs, for its trigger may go meanwhile.
 *
 *   begun --step--> waits for a function --goes on--> next step
 *                     |
 *                     +--answered, refused, failed, too late--> gone
 */
struct gateway_request {
	struct call call;
	struct list link;
	struct gateway *gateway;
	struct exchange *exchange;
	struct span trigger_id; /* owned, like the spans below */
	struct span namespace_;
	struct span metadata;
	struct span traceparent;
	struct span baggage;
	struct span origin; /* of a page that may read the reply; else absent */
	struct request_span span;
	struct buf data;
	size_t head_len;    /* the part of data that middlewares get */
	struct buf given;   /* what the middleware at hand gets */
	struct step *steps; /* owned; the last one is the handler */
	size_t step_count;
	size_t at;
	int64_t timeout_ms;
	int64_t until_us; /* clock_mono_us */
};

static void request_free(struct gateway_request *request)
{
	const struct span *texts[] = {&request->trigger_id, &request->namespace_,
	                              &request->metadata,   &request->traceparent,
	                              &request->baggage,    &request->origin};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		mem_free((char *)texts[i]->ptr);
	}
	for (size_t i = 0; i < request->step_count; i++) {
		mem_free((char *)request->steps[i].function_id.ptr);
	}
	mem_free(request->steps);
	list_remove(&request->link);
	request->gateway->count--;
	buf_free(&request->data);
	buf_free(&request->given);
	mem_free(request);
}

/* ---- replies ---- */

static const char *const *origins_of(const struct gateway *gateway)
{
	return (const char *const *)gateway->cors_origins;
}

/* The lines that every reply to this page has; `out` may stay empty. */
static void write_cors(const struct gateway *gateway, struct span origin, struct buf *out)
{
	if (cors_allows(origins_of(gateway), origin)) {
		cors_write(origins_of(gateway), origin, out);
	}
}

static void answer_problem(const struct gateway *gateway, struct exchange *exchange,
                           struct span origin, struct span code, struct span detail)
{
	struct buf extra = {0};
	int status = problem_status(code, 500);
	write_cors(gateway, origin, &extra);
	if (status == 503) {
		BUF_LITERAL(&extra, "Retry-After: 1\r\n");
	}
	exchange_problem(exchange, status, code, detail,
	                 extra.len != 0 ? buf_view(&extra) : SPAN_NONE);
	buf_free(&extra);
}

/* The trigger as it is now: NULL if it has gone. */
static struct binding *trigger_of(const struct gateway_request *request)
{
	return catalog_find(request->gateway->core->catalog, request->trigger_id);
}

static void end_span(struct gateway_request *request, int status, struct span code)
{
	const struct binding *binding = trigger_of(request);
	struct request_about about = {.function =
	                                      request->steps[request->step_count - 1].function_id};
	if (binding != NULL && binding->filter->http != NULL) {
		about.method = binding->filter->http->method;
		about.route = binding->filter->http->path;
	}
	request_span_end(&request->span, &about, status, code);
}

static void end_with_problem(struct gateway_request *request, struct span code, struct span detail)
{
	end_span(request, problem_status(code, 500), code);
	answer_problem(request->gateway, request->exchange, request->origin, code, detail);
	request_free(request);
}

/* What the function says went wrong is for its owner's eyes, not for the client's. */
static void note_failure(const struct gateway_request *request, struct span code,
                         struct span message)
{
	struct binding *binding = trigger_of(request);
	if (binding != NULL) {
		binding->failed++;
		(void)snprintf(binding->last_error, sizeof binding->last_error, "%.*s: %.*s: %.*s",
		               SPAN_ARG(request->steps[request->at].function_id), SPAN_ARG(code),
		               SPAN_ARG(message));
	}
}

static void end_failed(struct gateway_request *request, struct span code, struct span message)
{
	note_failure(request, code, message);
	end_with_problem(request, SPAN("handler_failed"),
	                 SPAN("the function that serves this path has failed"));
}

static void end_late(struct gateway_request *request)
{
	char text[96];
	(void)snprintf(text, sizeof text, "no answer within %lld ms",
	               (long long)request->timeout_ms);
	note_failure(request, SPAN("TIMEOUT"), span_of(text));
	end_with_problem(request, SPAN("TIMEOUT"), span_of(text));
}

static void end_with_result(struct gateway_request *request, struct span result)
{
	struct api_response response = {0};
	struct err err;
	if (api_response_read(result, &response, &err) != 0) {
		end_failed(request, span_of(err.code), span_of(err.text));
		api_response_close(&response);
		return;
	}
	struct binding *binding = trigger_of(request);
	if (binding != NULL) {
		binding->delivered++;
	}
	write_cors(request->gateway, request->origin, &response.headers);
	const struct exchange_reply reply = {
	        .status = response.status,
	        .content_type = buf_view(&response.content_type),
	        .extra = response.headers.len != 0 ? buf_view(&response.headers) : SPAN_NONE,
	        .body = buf_view(&response.body),
	};
	end_span(request, response.status, SPAN_NONE);
	exchange_reply(request->exchange, &reply);
	api_response_close(&response);
	request_free(request);
}

/* ---- steps ---- */

static void take_step(struct gateway_request *request);

static void next_step(struct gateway_request *request)
{
	request->at++;
	take_step(request);
}

/* {"action":"continue"}, or {"action":"respond","response":{...}}. */
static void after_middleware(struct gateway_request *request, struct span result)
{
	static const struct span names[] = {{"action", 6}, {"response", 8}};
	struct span found[2] = {0};
	if (result.ptr != NULL && json_kind(result) == JSON_OBJECT) {
		json_get_many(result, names, 2, found);
	}
	if (found[0].ptr != NULL && json_string_is(found[0], SPAN("continue"))) {
		next_step(request);
	} else if (found[0].ptr != NULL && json_string_is(found[0], SPAN("respond"))) {
		end_with_result(request, found[1]);
	} else {
		end_failed(request, SPAN("invalid_middleware"),
		           SPAN("a middleware answers {action: \"continue\"} or {action: "
		                "\"respond\", response}"));
	}
}

static void after_step(struct gateway_request *request, struct span result)
{
	switch (request->steps[request->at].kind) {
	case STEP_CONDITION:
		if (consent_given(result, request->gateway->only_false_means_no)) {
			next_step(request);
		} else {
			struct binding *binding = trigger_of(request);
			if (binding != NULL) {
				binding->condition_no++;
			}
			end_with_problem(request, SPAN("condition_not_met"),
			                 SPAN("the condition of this path does not hold for the "
			                      "request"));
		}
		break;
	case STEP_MIDDLEWARE:
		after_middleware(request, result);
		break;
	case STEP_HANDLER:
		end_with_result(request, result);
		break;
	}
}

/* It asked to be left alone for a while: an HTTP function, by its Retry-After. */
static void end_not_before(struct gateway_request *request, const struct call_result *result)
{
	struct buf extra = {0};
	int64_t seconds = (result->retry_after_ms + 999) / 1000;
	note_failure(request, result->code, result->message);
	write_cors(request->gateway, request->origin, &extra);
	buf_format(&extra, "Retry-After: %lld\r\n", (long long)(seconds > 0 ? seconds : 1));
	end_span(request, 503, SPAN("handler_busy"));
	exchange_problem(request->exchange, 503, SPAN("handler_busy"),
	                 SPAN("the function that serves this path asks to be called later"),
	                 buf_view(&extra));
	buf_free(&extra);
	request_free(request);
}

static void step_done(struct call *call, const struct call_result *result)
{
	struct gateway_request *request = MEM_CONTAINER(call, struct gateway_request, call);
	switch (result->end) {
	case CALL_OK:
		after_step(request, result->result);
		break;
	case CALL_TIMEOUT:
		end_late(request);
		break;
	case CALL_STOPPED:
		note_failure(request, result->code, result->message);
		end_with_problem(request, SPAN("no_worker"),
		                 SPAN("who served this path went away during the call"));
		break;
	case CALL_FAILED:
	case CALL_REFUSED:
		if (result->not_before) {
			end_not_before(request, result);
		} else {
			end_failed(request, result->code, result->message);
		}
		break;
	}
}

static struct span data_of_step(struct gateway_request *request)
{
	if (request->steps[request->at].kind != STEP_MIDDLEWARE) {
		return buf_view(&request->data);
	}
	buf_clear(&request->given);
	BUF_LITERAL(&request->given, "{\"phase\":\"preHandler\",\"request\":");
	buf_add(&request->given, request->data.ptr, request->head_len);
	BUF_LITERAL(&request->given, "},\"context\":{}}");
	return buf_view(&request->given);
}

static void take_step(struct gateway_request *request)
{
	struct err err = {0};
	int64_t left_ms = (request->until_us - clock_mono_us()) / 1000;
	if (left_ms <= 0) {
		end_late(request);
		return;
	}
	request->call = (struct call){
	        .namespace_ = request->namespace_,
	        .function_id = request->steps[request->at].function_id,
	        .data = data_of_step(request),
	        .metadata = request->metadata,
	        .traceparent = request->traceparent,
	        .baggage = request->baggage,
	        .timeout_ms = left_ms,
	        .by_real_time = true,
	        .done = step_done,
	};
	if (function_call(request->gateway->core->functions, &request->call, &err) != 0) {
		note_failure(request, span_of(err.code), span_of(err.text));
		end_with_problem(request, SPAN("no_worker"),
		                 SPAN("nobody serves this path at the moment"));
	}
}

/* ---- a request begins ---- */

static struct span copy_header(const struct http_request *http, struct span name)
{
	struct span value = http_request_header(http, name);
	return value.ptr ? mem_span(value) : SPAN_NONE;
}

/* Without our own members: a client does not say which delivery a write belongs to. */
static struct span copy_baggage(const struct http_request *http)
{
	struct span rest = http_request_header(http, SPAN("baggage"));
	struct buf kept = {0};
	while (rest.len != 0) {
		const char *comma = memchr(rest.ptr, ',', rest.len);
		size_t len = comma ? (size_t)(comma - rest.ptr) : rest.len;
		struct span member = span_make(rest.ptr, len);
		rest = span_make(rest.ptr + len + (comma != NULL),
		                 rest.len - len - (comma != NULL));
		while (member.len != 0 && (member.ptr[0] == ' ' || member.ptr[0] == '\t')) {
			member = span_make(member.ptr + 1, member.len - 1);
		}
		if (!span_starts_with(member, SPAN("pawl."))) {
			buf_format(&kept, "%s%.*s", kept.len != 0 ? "," : "", SPAN_ARG(member));
		}
	}
	struct span copy = kept.len != 0 ? mem_span(buf_view(&kept)) : SPAN_NONE;
	buf_free(&kept);
	return copy;
}

static void add_step(struct gateway_request *request, enum step_kind kind, struct span function_id)
{
	request->steps[request->step_count++] = (struct step){kind, mem_span(function_id)};
}

static struct gateway_request *request_new(struct gateway *gateway, struct exchange *exchange,
                                           const struct binding *binding,
                                           const struct http_request *http)
{
	const struct http_rule *rule = binding->filter->http;
	struct gateway_request *request = MEM_NEW(struct gateway_request);
	request->gateway = gateway;
	request->exchange = exchange;
	list_init(&request->link);
	list_push(&gateway->requests, &request->link);
	gateway->count++;
	request->trigger_id = mem_span(binding->id);
	request->namespace_ = mem_span(binding->namespace_);
	request->metadata = binding->metadata.ptr ? mem_span(binding->metadata) : SPAN_NONE;
	struct span trace = request_span_begin(&request->span, otlp_tracer(gateway->core->otlp),
	                                       http_request_header(http, SPAN("traceparent")));
	request->traceparent = trace.ptr != NULL ? mem_span(trace) : SPAN_NONE;
	request->baggage = copy_baggage(http);
	request->origin = copy_header(http, SPAN("origin"));
	request->timeout_ms = binding->policy.timeout_ms;
	request->until_us = clock_mono_us() + request->timeout_ms * 1000;
	request->steps = MEM_ARRAY(struct step, rule->middleware_count + 2);
	if (binding->policy.condition_function_id.len != 0) {
		add_step(request, STEP_CONDITION, binding->policy.condition_function_id);
	}
	for (size_t i = 0; i < rule->middleware_count; i++) {
		add_step(request, STEP_MIDDLEWARE, rule->middleware[i]);
	}
	add_step(request, STEP_HANDLER, binding->function_id);
	return request;
}

static void wake(struct gateway *gateway, struct exchange *exchange, struct binding *binding,
                 const struct api_path *path, const struct http_request *http)
{
	struct span origin = http_request_header(http, SPAN("origin"));
	struct err err;
	if (binding->pause.is_on) {
		answer_problem(gateway, exchange, origin, SPAN("trigger_paused"),
		               SPAN("the trigger of this path is paused at the moment"));
		return;
	}
	if (gateway->count >= gateway->max_requests) {
		answer_problem(gateway, exchange, origin, SPAN("crowded"),
		               SPAN("as many requests as may be are in hand"));
		return;
	}
	struct gateway_request *request = request_new(gateway, exchange, binding, http);
	binding->matched++;
	if (api_request_write(http, binding->filter->http, path, &request->data, &request->head_len,
	                      &err) != 0) {
		end_with_problem(request, span_of(err.code), span_of(err.text));
	} else {
		take_step(request);
	}
}

/* ---- requests that are for no trigger ---- */

static void answer_options(const struct gateway *gateway, struct exchange *exchange,
                           const struct http_request *http, struct span methods)
{
	struct buf extra = {0};
	struct span origin = http_request_header(http, SPAN("origin"));
	buf_format(&extra, "Allow: %.*s\r\n", SPAN_ARG(methods));
	write_cors(gateway, origin, &extra);
	if (cors_allows(origins_of(gateway), origin) &&
	    http_request_header(http, SPAN("access-control-request-method")).ptr != NULL) {
		cors_write_preflight(
		        methods, http_request_header(http, SPAN("access-control-request-headers")),
		        &extra);
	}
	const struct exchange_reply reply = {.status = 204, .extra = buf_view(&extra)};
	exchange_reply(exchange, &reply);
	buf_free(&extra);
}

static void answer_other_method(const struct gateway *gateway, struct exchange *exchange,
                                const struct http_request *http, struct span methods)
{
	struct buf extra = {0};
	struct buf detail = {0};
	buf_format(&extra, "Allow: %.*s\r\n", SPAN_ARG(methods));
	buf_format(&detail, "%.*s is not possible here", SPAN_ARG(http->method));
	write_cors(gateway, http_request_header(http, SPAN("origin")), &extra);
	exchange_problem(exchange, 405, SPAN("method_not_allowed"), buf_view(&detail),
	                 buf_view(&extra));
	buf_free(&extra);
	buf_free(&detail);
}

static void answer_nobody(const struct gateway *gateway, struct exchange *exchange,
                          const struct api_path *path, const struct http_request *http)
{
	struct buf methods = {0};
	struct buf detail = {0};
	routing_methods(gateway->core->routing, path->segments, path->count, &methods);
	if (methods.len == 0) {
		buf_format(&detail, "no trigger serves %.*s",
		           (int)(http->path.len < 200 ? http->path.len : 200), http->path.ptr);
		answer_problem(gateway, exchange, http_request_header(http, SPAN("origin")),
		               SPAN("path_not_served"), buf_view(&detail));
	} else if (span_is(http->method, "OPTIONS")) {
		answer_options(gateway, exchange, http, buf_view(&methods));
	} else {
		answer_other_method(gateway, exchange, http, buf_view(&methods));
	}
	buf_free(&methods);
	buf_free(&detail);
}

static void on_request(void *ctx, struct exchange *exchange, const struct http_request *http)
{
	struct gateway *gateway = ctx;
	const struct core *core = gateway->core;
	struct span origin = http_request_header(http, SPAN("origin"));
	struct api_path path = {0};
	struct err err;
	if (!core->ready || core->stopping) {
		answer_problem(gateway, exchange, origin,
		               core->stopping ? SPAN("shutting_down") : SPAN("starting"),
		               core->stopping ? SPAN("the engine is stopping")
		                              : SPAN("the engine is starting"));
		return;
	}
	if (api_path_read(http->path, &path, &err) != 0) {
		answer_problem(gateway, exchange, origin, span_of(err.code), span_of(err.text));
	} else {
		struct binding *binding =
		        routing_find(core->routing, http->method, path.segments, path.count);
		if (binding != NULL) {
			wake(gateway, exchange, binding, &path, http);
		} else {
			answer_nobody(gateway, exchange, &path, http);
		}
	}
	api_path_close(&path);
}

/* ---- a life ---- */

static void free_origins(struct gateway *gateway)
{
	for (size_t i = 0; gateway->cors_origins && gateway->cors_origins[i]; i++) {
		mem_free(gateway->cors_origins[i]);
	}
	mem_free(gateway->cors_origins);
}

void gateway_configure(struct gateway *gateway, const struct gateway_options *options)
{
	size_t count = 0;
	free_origins(gateway);
	while (options->cors_origins && options->cors_origins[count]) {
		count++;
	}
	gateway->cors_origins = MEM_ARRAY(char *, count + 1);
	for (size_t i = 0; i < count; i++) {
		gateway->cors_origins[i] = mem_text(options->cors_origins[i]);
	}
	gateway->max_requests = options->max_requests;
	gateway->only_false_means_no = options->only_false_means_no;
}

struct gateway *gateway_new(struct core *core, const struct gateway_options *options)
{
	struct gateway *gateway = MEM_NEW(struct gateway);
	gateway->core = core;
	list_init(&gateway->requests);
	gateway_configure(gateway, options);
	return gateway;
}

void gateway_end_requests(struct gateway *gateway)
{
	/* One that is called off makes room for another, which may be answered at once. */
	while (!list_is_empty(&gateway->requests)) {
		struct gateway_request *request =
		        LIST_FIRST(&gateway->requests, struct gateway_request, link);
		call_cancel(&request->call);
		end_with_problem(request, SPAN("shutting_down"), SPAN("the engine is stopping"));
	}
}

void gateway_free(struct gateway *gateway)
{
	if (gateway != NULL) {
		gateway_end_requests(gateway);
		free_origins(gateway);
		mem_free(gateway);
	}
}

struct exchange_handler gateway_handler(struct gateway *gateway)
{
	return (struct exchange_handler){.ctx = gateway, .request = on_request};
}
