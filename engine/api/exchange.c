/* This file speaks HTTP on a connection: requests out of it, replies in their order into it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/exchange.h"
#include "base/clock.h"
#include "base/mem.h"
#include "engine/api/cors.h"
#include "engine/api/exchange_inside.h"
#include "engine/api/problem.h"
#include "wire/http.h"
#include "wire/http_write.h"

enum { FIRST_WINDOW = 8 };

/* ---- readers ---- */

static struct http_reader *reader_take(struct exchange_host *host)
{
	if (host->spare_count > 0) {
		return host->spares[--host->spare_count];
	}
	const struct conn_limits *limits = conn_group_limits(host->group);
	return http_reader_new((struct http_limits){limits->header_bytes, limits->body_bytes});
}

static void reader_give(struct exchange_host *host, struct http_reader *reader)
{
	if (reader && host->spare_count < SPARE_READERS && http_reader_phase(reader) == HTTP_IDLE) {
		host->spares[host->spare_count++] = reader;
	} else {
		http_reader_free(reader);
	}
}

/* ---- replies ---- */

static struct exchange *exchange_new(struct talk *talk, bool is_head, bool keep_alive)
{
	struct exchange *exchange = MEM_NEW(struct exchange);
	exchange->talk = talk;
	exchange->is_head = is_head;
	exchange->keep_alive = keep_alive;
	list_push(&talk->exchanges, &exchange->link);
	talk->count++;
	talk->host->pending++;
	talk->last = talk->last || !keep_alive;
	return exchange;
}

void exchange_free(struct exchange *exchange)
{
	if (exchange->talk) {
		exchange->talk->count--;
		exchange->talk->host->pending--;
	}
	list_remove(&exchange->link);
	buf_free(&exchange->pages);
	buf_free(&exchange->early);
	mem_free(exchange);
}

bool exchange_is_first(const struct exchange *exchange)
{
	return exchange->talk->exchanges.next == &exchange->link;
}

void exchange_send_ready(struct talk *talk)
{
	struct exchange *first = LIST_FIRST(&talk->exchanges, struct exchange, link);
	while (first && first->ready) {
		buf_span(conn_out(talk->conn), buf_view(&first->early));
		exchange_free(first);
		first = LIST_FIRST(&talk->exchanges, struct exchange, link);
	}
	if (first && first->keeper) {
		buf_span(conn_out(talk->conn), buf_view(&first->early));
		buf_free(&first->early);
		conn_await_relief(talk->conn);
	}
	if (talk->is_full && talk->count <= talk->window / 2) {
		talk->is_full = false;
		conn_hold(talk->conn, false);
	}
	if (first == NULL && talk->continue_due) {
		talk->continue_due = false;
		http_write_continue(conn_out(talk->conn));
	}
	conn_flush_later(talk->conn);
	if (first == NULL && (talk->last || talk->host->draining)) {
		conn_finish(talk->conn, "last reply sent");
	}
}

struct token *exchange_token(const struct exchange *exchange)
{
	return exchange->token;
}

struct buf *exchange_out(struct exchange *exchange)
{
	return exchange_is_first(exchange) ? conn_out(exchange->talk->conn) : &exchange->early;
}

void exchange_end(struct exchange *exchange)
{
	struct talk *talk = exchange->talk;
	if (exchange->takes_chunks) {
		http_chunk_last(exchange_out(exchange));
	}
	talk->open = NULL;
	exchange->ready = true;
	if (exchange_is_first(exchange)) {
		exchange_send_ready(talk);
	}
}

/* All that is in flight together shall not be much over max_unsent. */
static void judge_window(struct talk *talk, size_t reply_bytes)
{
	size_t fit = conn_group_limits(talk->host->group)->max_unsent / (reply_bytes + 1);
	unsigned window = fit > EXCHANGES_MAX ? EXCHANGES_MAX : fit > 1 ? (unsigned)fit : 1;
	bool grows = window > talk->window;
	talk->window = grows ? talk->window + 1 : window;
}

void exchange_reply(struct exchange *exchange, const struct exchange_reply *reply)
{
	struct talk *talk = exchange->talk;
	if (talk == NULL) {
		exchange_free(exchange);
		return;
	}
	bool is_first = exchange_is_first(exchange);
	bool is_last = talk->exchanges.prev == &exchange->link;
	struct buf *out = exchange_out(exchange);
	struct http_response response = {
	        .status = reply->status,
	        .content_type =
	                reply->content_type.ptr ? reply->content_type : SPAN("application/json"),
	        .extra = exchange_extra(exchange, reply->extra),
	        .keep_alive = exchange->keep_alive && !(talk->host->draining && is_last),
	};
	if (reply->body.len == 0) {
		response.content_type = SPAN_NONE;
	}
	http_write_head(out, &response, reply->body.len);
	if (!exchange->is_head) {
		buf_span(out, reply->body);
	}
	exchange->ready = true;
	judge_window(talk, reply->body.len);
	if (is_first) {
		exchange_send_ready(talk);
	}
}

void exchange_problem(struct exchange *exchange, int status, struct span code, struct span detail,
                      struct span extra)
{
	struct buf body = {0};
	problem_write(&body, status, code, detail);
	struct exchange_reply reply = {
	        .status = status,
	        .content_type = SPAN(PROBLEM_TYPE),
	        .extra = extra,
	        .body = buf_view(&body),
	};
	exchange_reply(exchange, &reply);
	buf_free(&body);
}

/* ---- pages of other origins ---- */

struct span exchange_extra(struct exchange *exchange, struct span extra)
{
	if (exchange->pages.len == 0) {
		return extra;
	}
	buf_span(&exchange->pages, extra);
	return buf_view(&exchange->pages);
}

static void note_page(struct exchange *exchange, const struct http_request *request)
{
	const char *const *origins = exchange->talk->host->cors_origins;
	struct span origin = origins ? http_request_header(request, SPAN("origin")) : SPAN_NONE;
	if (cors_allows(origins, origin)) {
		cors_write(origins, origin, &exchange->pages);
		BUF_LITERAL(
		        &exchange->pages,
		        "Access-Control-Expose-Headers: ETag, Retry-After, WWW-Authenticate\r\n");
	}
}

/* A browser asks whether a page may ask: no token comes with that. */
static bool is_preflight(const struct exchange_host *host, const struct http_request *request)
{
	return host->cors_origins != NULL && span_is(request->method, "OPTIONS") &&
	       http_request_header(request, SPAN("access-control-request-method")).ptr != NULL &&
	       cors_allows(host->cors_origins, http_request_header(request, SPAN("origin")));
}

static void answer_preflight(struct exchange *exchange, const struct http_request *request)
{
	struct span fields = http_request_header(request, SPAN("access-control-request-headers"));
	struct buf extra = {0};
	cors_write_preflight(SPAN("GET, HEAD, PUT, POST, DELETE"), fields, &extra);
	const struct exchange_reply reply = {.status = 204, .extra = buf_view(&extra)};
	exchange_reply(exchange, &reply);
	buf_free(&extra);
}

/* ---- requests ---- */

/* What nobody need be asked about: 0, or the error to refuse with. */
static int admit(const struct talk *talk, const struct http_request *request,
                 struct exchange_caller *caller, struct err *err)
{
	const struct exchange_handler *handler = &talk->host->handler;
	struct span origin = http_request_header(request, SPAN("origin"));
	const struct origin_rule *rule = listener_rule(conn_listener(talk->conn));
	int status = origin_check(rule, origin, request->host, err);
	*caller = (struct exchange_caller){.conn = talk->conn};
	if (status != 0 || handler->admit == NULL || is_preflight(talk->host, request)) {
		return status;
	}
	return handler->admit(handler->ctx, request, caller, err);
}

static void refuse(struct talk *talk, const struct http_request *request, const struct err *err,
                   bool keep_alive)
{
	bool is_head = request && span_is(request->method, "HEAD");
	struct exchange *exchange = exchange_new(talk, is_head, keep_alive);
	int status = problem_status(span_of(err->code), 400);
	if (request != NULL) {
		note_page(exchange, request);
	}
	exchange_problem(exchange, status, span_of(err->code), span_of(err->text),
	                 problem_headers(span_of(err->code)));
}

static bool wants_socket(const struct talk *talk, const struct http_request *request)
{
	const struct exchange_host *host = talk->host;
	return request->is_websocket && host->upgrade->open &&
	       !host->handler.is_route(host->handler.ctx, request->path);
}

static void talk_free(struct talk *talk)
{
	reader_give(talk->host, talk->reader);
	mem_free(talk);
}

/* One whole request. False when the connection no longer speaks HTTP: `talk` is gone. */
static bool take_request(struct talk *talk, const struct http_request *request)
{
	struct exchange_caller caller;
	struct err err = {0};
	if (admit(talk, request, &caller, &err) != 0) {
		refuse(talk, request, &err, request->keep_alive);
		return true;
	}
	if (!wants_socket(talk, request)) {
		struct exchange *exchange =
		        exchange_new(talk, span_is(request->method, "HEAD"), request->keep_alive);
		exchange->takes_chunks = request->takes_chunks;
		exchange->token = caller.token;
		note_page(exchange, request);
		if (is_preflight(talk->host, request)) {
			answer_preflight(exchange, request);
		} else {
			talk->host->handler.request(talk->host->handler.ctx, exchange, request);
		}
		return true;
	}
	if (talk->host->draining || !list_is_empty(&talk->exchanges)) {
		(void)err_set(&err, E_BUSY, "upgrade_refused",
		              "a WebSocket cannot be opened here while %s",
		              talk->host->draining ? "shutting down" : "requests are in flight");
		refuse(talk, request, &err, false);
		return true;
	}
	websocket_start(talk->conn, talk->host->upgrade, request);
	talk_free(talk);
	return false;
}

/* A head with Expect: 100-continue is here. */
static void take_expectation(struct talk *talk, const struct http_request *request)
{
	struct exchange_caller caller;
	struct err err = {0};
	if (admit(talk, request, &caller, &err) != 0) {
		refuse(talk, request, &err, false); /* the body may come or not: no way to go on */
	} else if (!list_is_empty(&talk->exchanges)) {
		talk->continue_due = true;
	} else {
		http_write_continue(conn_out(talk->conn));
		conn_flush_later(talk->conn);
	}
}

static void take_fault(struct talk *talk, const struct http_fault *fault)
{
	struct exchange *exchange = exchange_new(talk, false, false);
	exchange_problem(exchange, fault->status, span_of(fault->code), span_of(fault->text),
	                 SPAN_NONE);
}

/* What is waited for after these bytes, and how long. */
static void watch_phase(struct talk *talk)
{
	enum http_phase phase = talk->reader ? http_reader_phase(talk->reader) : HTTP_IDLE;
	if (phase == HTTP_IDLE) {
		reader_give(talk->host, talk->reader);
		talk->reader = NULL;
		talk->is_in_head = false;
	} else if (phase == HTTP_IN_HEAD && !talk->is_in_head) {
		talk->is_in_head = true;
		talk->head_since_ms = clock_real_ms();
		conn_set_timer(talk->conn, conn_group_limits(talk->host->group)->header_timeout_ms);
	} else if (phase == HTTP_IN_BODY) {
		talk->is_in_head = false;
	}
}

static size_t on_data(struct conn *conn, char *bytes, size_t len)
{
	struct talk *talk = conn_state(conn);
	size_t at = 0;
	while (at < len && conn_is_ready(conn) && !talk->last) {
		if (talk->reader == NULL) {
			talk->reader = reader_take(talk->host);
		}
		size_t used = 0;
		struct http_fault fault = {0};
		enum http_step step = http_reader_feed(
		        talk->reader, span_make(bytes + at, len - at), &used, &fault);
		at += used;
		if (step == HTTP_READY) {
			talk->is_in_head = false;
			if (!take_request(talk, http_reader_request(talk->reader))) {
				return at;
			}
		} else if (step == HTTP_CONTINUE) {
			take_expectation(talk, http_reader_request(talk->reader));
		} else if (step == HTTP_FAILED) {
			take_fault(talk, &fault);
			http_reader_free(talk->reader); /* it takes no more */
			talk->reader = NULL;
		}
		if (talk->count >= talk->window) {
			talk->is_full = true;
			conn_hold(conn, true);
		}
	}
	watch_phase(talk);
	return talk->last ? len : at;
}

/* ---- the rest of a connection's life ---- */

static void on_timer(struct conn *conn)
{
	struct talk *talk = conn_state(conn);
	const struct conn_limits *limits = conn_group_limits(talk->host->group);
	int64_t now = clock_real_ms();
	int64_t due = conn_last_moved_ms(conn) + limits->idle_timeout_ms;
	bool is_in_request = talk->reader != NULL;
	if (talk->is_in_head) {
		due = talk->head_since_ms + limits->header_timeout_ms;
	} else if (!list_is_empty(&talk->exchanges) && conn_unsent(conn) == 0) {
		due = now + limits->idle_timeout_ms; /* it waits for us */
	}
	if (now < due) {
		conn_set_timer(conn, due - now);
	} else if (is_in_request && conn_unsent(conn) == 0 && !talk->last) {
		take_fault(talk, &(struct http_fault){408, "request_timeout",
		                                      "the request did not arrive in time"});
	} else if (conn_unsent(conn) == 0) {
		conn_finish(conn, "idle");
	} else {
		conn_close(conn, "the peer does not read");
	}
}

static void on_relief(struct conn *conn)
{
	const struct talk *talk = conn_state(conn);
	if (talk->open && exchange_is_first(talk->open)) {
		talk->open->keeper->relief(talk->open->keeper_ctx);
	}
}

static void on_ended(struct conn *conn)
{
	struct talk *talk = conn_state(conn);
	talk->last = true;
	if (list_is_empty(&talk->exchanges) || talk->open) {
		conn_finish(conn, "closed by the peer");
	}
}

static void on_closed(struct conn *conn, const char *reason)
{
	(void)reason;
	struct talk *talk = conn_state(conn);
	LIST_EACH(&talk->exchanges, link)
	{
		struct exchange *exchange = MEM_CONTAINER(link, struct exchange, link);
		if (exchange->ready) {
			exchange_free(exchange);
			continue;
		}
		list_remove(link);
		exchange->talk = NULL;
		talk->host->pending--;
		if (exchange->keeper) {
			exchange->keeper->over(exchange->keeper_ctx);
			exchange_free(exchange);
		}
	}
	talk_free(talk);
}

static const struct conn_protocol http_protocol = {
        .data = on_data,
        .timer = on_timer,
        .relief = on_relief,
        .ended = on_ended,
        .closed = on_closed,
};

enum listener_kind exchange_came_by(const struct exchange *exchange)
{
	return listener_kind(conn_listener(exchange->talk->conn));
}

void exchange_accept(struct exchange_host *host, struct listener *listener, bool refused)
{
	struct talk *talk = MEM_NEW(struct talk);
	talk->host = host;
	talk->window = FIRST_WINDOW;
	list_init(&talk->exchanges);
	talk->conn = conn_accept(host->group, listener, &http_protocol, talk);
	conn_set_timer(talk->conn, conn_group_limits(host->group)->idle_timeout_ms);
	if (refused) {
		struct err err;
		(void)err_set(&err, E_LIMIT, "too_many_connections",
		              "all %u connections are in use",
		              conn_group_limits(host->group)->max_connections);
		refuse(talk, NULL, &err, false);
	}
}

/* ---- the host ---- */

struct exchange_host *exchange_host_new(struct conn_group *group,
                                        const struct exchange_handler *handler,
                                        const struct conn_upgrade *upgrade)
{
	struct exchange_host *host = MEM_NEW(struct exchange_host);
	host->group = group;
	host->handler = *handler;
	host->upgrade = upgrade;
	return host;
}

void exchange_host_set_cors(struct exchange_host *host, const char *const *origins)
{
	host->cors_origins = origins;
}

void exchange_host_free(struct exchange_host *host)
{
	while (host->spare_count > 0) {
		http_reader_free(host->spares[--host->spare_count]);
	}
	mem_free(host);
}

static void drain_one(void *ctx, struct conn *conn)
{
	(void)ctx;
	if (conn_protocol_of(conn) != &http_protocol) {
		return;
	}
	struct talk *talk = conn_state(conn);
	struct exchange *open = talk->open;
	if (open) {
		open->keeper->over(open->keeper_ctx);
		exchange_end(open);
	}
	if (list_is_empty(&talk->exchanges)) {
		conn_finish(conn, "shutting down");
	}
}

void exchange_host_drain(struct exchange_host *host)
{
	host->draining = true;
	conn_group_each(host->group, drain_one, NULL);
}

size_t exchange_host_pending(const struct exchange_host *host)
{
	return host->pending;
}
