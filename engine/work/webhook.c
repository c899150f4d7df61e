/* This file executes functions over HTTP: a call is a request to somebody's URL. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/webhook.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "engine/work/webhook_fetch.h"
#include "engine/work/webhook_target.h"
#include "wire/baggage.h"
#include <strings.h>
#include <uv.h>

enum { CONCURRENCY = 64, MAX_BYTES = 8 << 20, TIMEOUT_MS = 30 * 1000, SHOWN = 200 };

struct webhook {
	struct executor executor;
	uv_loop_t *loop;
	uv_prepare_t end; /* never runs: its closing makes `freed` come later */
	struct webhook_options options;
	char *ca_file;
	struct webhook_fetcher *fetcher; /* NULL before the first call */
	struct list offers;
	struct list running;
	void (*freed)(void *ctx);
	void *freed_ctx;
};

struct webhook_offer {
	struct list link;
	struct webhook_target target;
};

struct webhook_call {
	struct list link;
	struct webhook *webhook;
	struct call *call;
	struct webhook_fetch *fetch;
};

/* ---- the end of a call ---- */

static void fail(struct call *call, enum call_end end, struct span code, struct span message,
                 int64_t retry_after_ms)
{
	struct call_result result = {
	        .end = end,
	        .code = code,
	        .message = message,
	        .worker = SPAN("http"),
	        .not_before = retry_after_ms > 0,
	        .retry_after_ms = retry_after_ms,
	};
	call_finish(call, &result);
}

static void fail_with_reply(struct call *call, struct span code, const char *what,
                            const struct webhook_reply *reply)
{
	struct buf message = {0};
	struct span body = reply->body;
	bool is_cut = body.len > SHOWN;
	buf_format(&message, "%s (status %d): %.*s%s", what, reply->status,
	           is_cut ? SHOWN : (int)body.len, body.ptr, is_cut ? "..." : "");
	fail(call, CALL_FAILED, code, buf_view(&message), reply->retry_after_ms);
	buf_free(&message);
}

static bool is_blank(struct span body)
{
	for (size_t i = 0; i < body.len; i++) {
		if (!strchr(" \t\r\n", body.ptr[i])) {
			return false;
		}
	}
	return true;
}

static void finish_with_reply(struct call *call, const struct webhook_reply *reply)
{
	struct call_result result = {.end = CALL_OK, .worker = SPAN("http")};
	if (reply->status >= 300 && reply->status < 400) {
		fail_with_reply(call, SPAN("http_failed"), "redirects are not followed", reply);
	} else if (reply->status < 200 || reply->status >= 300) {
		fail_with_reply(call, SPAN("http_failed"), "the server refused", reply);
	} else if (is_blank(reply->body) || !reply->is_json) {
		call_finish(call, &result);
	} else if (json_check(reply->body, &result.result, NULL) != 0) {
		fail_with_reply(call, SPAN("invalid_output"), "the reply is not JSON", reply);
	} else {
		call_finish(call, &result);
	}
}

static void on_fetched(void *ctx, const struct webhook_reply *reply, const struct err *err)
{
	struct webhook_call *running = ctx;
	struct call *call = running->call;
	list_remove(&running->link);
	mem_free(running);
	if (err == NULL) {
		finish_with_reply(call, reply);
		return;
	}
	enum call_end end = err->number == E_TIMEOUT ? CALL_TIMEOUT : CALL_FAILED;
	fail(call, end, span_of(err->code), span_of(err->text), 0);
}

/* ---- the request ---- */

static bool has_header(const struct buf *headers, const char *name)
{
	size_t len = strlen(name);
	for (size_t at = 0; at < headers->len; at += strlen(headers->ptr + at) + 1) {
		if (strncasecmp(headers->ptr + at, name, len) == 0 &&
		    headers->ptr[at + len] == ':') {
			return true;
		}
	}
	return false;
}

/* What a peer gave us for a header goes out only if it cannot be more than one. */
static void add_header(struct buf *headers, const char *name, struct span value)
{
	if (value.ptr == NULL || has_header(headers, name)) {
		return;
	}
	for (size_t i = 0; i < value.len; i++) {
		if ((unsigned char)value.ptr[i] < 0x20 || value.ptr[i] == 0x7f) {
			return;
		}
	}
	buf_format(headers, "%s: %.*s", name, SPAN_ARG(value));
	buf_byte(headers, '\0');
}

static void add_call_headers(const struct call *call, struct buf *headers)
{
	struct buf scratch = {0};
	struct baggage baggage;
	add_header(headers, "Content-Type", SPAN("application/json"));
	add_header(headers, "traceparent", call->traceparent);
	add_header(headers, "baggage", call->baggage);
	if (call->baggage.ptr && baggage_parse(call->baggage, &scratch, &baggage)) {
		/* The same over all attempts: receivers know a repetition by it. */
		add_header(headers, "webhook-id", baggage.delivery);
	}
	buf_free(&scratch);
}

static int need_fetcher(struct webhook *webhook, struct err *err)
{
	struct webhook_fetch_options options = {
	        .allow_private = webhook->options.allow_private,
	        .max_reply_bytes = webhook->options.max_reply_bytes,
	        .ca_file = webhook->ca_file,
	};
	return webhook->fetcher
	               ? 0
	               : webhook_fetcher_new(webhook->loop, &options, &webhook->fetcher, err);
}

static int64_t least_timeout(const struct webhook *webhook, const struct webhook_target *target,
                             const struct call *call)
{
	int64_t timeout = target->timeout_ms ? target->timeout_ms : webhook->options.timeout_ms;
	return call->timeout_ms > 0 && call->timeout_ms < timeout ? call->timeout_ms : timeout;
}

static int send_request(struct webhook *webhook, const struct webhook_target *target,
                        struct call *call, struct span body, struct err *err)
{
	struct buf headers = {0};
	int status = 0;
	if (body.len > webhook->options.max_request_bytes) {
		return err_set(err, E_LIMIT, "payload_too_large", "the data is over %zu bytes",
		               webhook->options.max_request_bytes);
	}
	status = need_fetcher(webhook, err);
	if (status == 0) {
		status = webhook_target_sign(target, body, clock_wall_ms(), &headers, err);
	}
	if (status == 0) {
		add_call_headers(call, &headers);
		struct webhook_request request = {
		        .url = target->url,
		        .method = target->method,
		        .headers = buf_view(&headers),
		        .body = body,
		        .timeout_ms = least_timeout(webhook, target, call),
		};
		struct webhook_call *running = MEM_NEW(struct webhook_call);
		running->webhook = webhook;
		running->call = call;
		list_init(&running->link);
		list_push(&webhook->running, &running->link);
		running->fetch =
		        webhook_fetch_start(webhook->fetcher, &request, on_fetched, running);
	}
	buf_free(&headers);
	return status;
}

static void start(struct executor *executor, struct provider *provider, struct call *call)
{
	struct webhook *webhook = MEM_CONTAINER(executor, struct webhook, executor);
	const struct webhook_offer *offer = provider->data;
	struct buf written = {0};
	struct span body = call->data.ptr ? call->data : SPAN("null");
	if (call->write_data) {
		call->write_data(call, &written);
		body = buf_view(&written);
	}
	struct err err = {0};
	int status = send_request(webhook, &offer->target, call, body, &err);
	buf_free(&written);
	if (status != 0) {
		fail(call, CALL_FAILED, span_of(err.code), span_of(err.text), 0);
	}
}

static void cancel(struct webhook_call *running)
{
	webhook_fetch_cancel(running->fetch);
	list_remove(&running->link);
	mem_free(running);
}

static void forget(struct executor *executor, struct call *call)
{
	struct webhook *webhook = MEM_CONTAINER(executor, struct webhook, executor);
	LIST_EACH(&webhook->running, link)
	{
		struct webhook_call *running = MEM_CONTAINER(link, struct webhook_call, link);
		if (running->call == call) {
			cancel(running);
			return;
		}
	}
}

static const struct executor_ops ops = {"http", start, forget};

/* ---- offers ---- */

static void offer_free(struct webhook_offer *offer)
{
	if (offer) {
		list_remove(&offer->link);
		webhook_target_close(&offer->target);
		mem_free(offer);
	}
}

int webhook_offer(struct webhook *webhook, struct span namespace_, struct span id,
                  struct span invocation, struct provider **out, struct err *err)
{
	struct webhook_target target;
	int status = webhook_target_parse(invocation, &target, err);
	if (status != 0) {
		return status;
	}
	struct webhook_offer *offer = MEM_NEW(struct webhook_offer);
	offer->target = target;
	list_init(&offer->link);
	list_push(&webhook->offers, &offer->link);
	/* Calls that wait for the function may start from inside the offer. */
	struct provider *known = function_offered_by(&webhook->executor, namespace_, id);
	struct webhook_offer *old = known ? known->data : NULL;
	webhook->executor.closed_for_calls = true;
	struct provider *provider = function_offer(&webhook->executor, namespace_, id);
	provider->data = offer;
	offer_free(old);
	executor_pause(&webhook->executor, false);
	*out = provider;
	return 0;
}

void webhook_withdraw(struct webhook *webhook, struct provider *provider)
{
	(void)webhook;
	struct webhook_offer *offer = provider->data;
	function_withdraw(provider);
	offer_free(offer);
}

/* ---- a life ---- */

struct webhook *webhook_new(uv_loop_t *loop, struct functions *functions,
                            const struct webhook_options *options)
{
	struct webhook *webhook = MEM_NEW(struct webhook);
	webhook->loop = loop;
	(void)uv_prepare_init(loop, &webhook->end); /* cannot fail */
	webhook->end.data = webhook;
	webhook->options = *options;
	webhook->ca_file = mem_text(options->ca_file);
	if (webhook->options.timeout_ms == 0) {
		webhook->options.timeout_ms = TIMEOUT_MS;
	}
	if (webhook->options.max_request_bytes == 0) {
		webhook->options.max_request_bytes = MAX_BYTES;
	}
	if (webhook->options.max_reply_bytes == 0) {
		webhook->options.max_reply_bytes = MAX_BYTES;
	}
	list_init(&webhook->offers);
	list_init(&webhook->running);
	executor_init(&webhook->executor, functions, &ops, SPAN("http"),
	              options->concurrency ? options->concurrency : CONCURRENCY);
	return webhook;
}

static void on_end(uv_handle_t *handle)
{
	struct webhook *webhook = handle->data;
	void (*freed)(void *ctx) = webhook->freed;
	void *freed_ctx = webhook->freed_ctx;
	mem_free(webhook->ca_file);
	mem_free(webhook);
	freed(freed_ctx);
}

static void webhook_end(void *ctx)
{
	struct webhook *webhook = ctx;
	uv_close((uv_handle_t *)&webhook->end, on_end);
}

void webhook_free(struct webhook *webhook, void (*freed)(void *ctx), void *ctx)
{
	webhook->freed = freed;
	webhook->freed_ctx = ctx;
	while (!list_is_empty(&webhook->running)) {
		cancel(LIST_FIRST(&webhook->running, struct webhook_call, link));
	}
	executor_close(&webhook->executor);
	while (!list_is_empty(&webhook->offers)) {
		offer_free(LIST_FIRST(&webhook->offers, struct webhook_offer, link));
	}
	if (webhook->fetcher) {
		webhook_fetcher_free(webhook->fetcher, webhook_end, webhook);
	} else {
		webhook_end(webhook);
	}
}

void webhook_configure(struct webhook *webhook, const struct webhook_options *options)
{
	webhook->options.allow_private = options->allow_private;
	webhook->options.timeout_ms = options->timeout_ms;
	if (webhook->fetcher != NULL) {
		webhook_fetcher_allow_private(webhook->fetcher, options->allow_private);
	}
	executor_set_credit(&webhook->executor, options->concurrency);
}

struct executor *webhook_executor(struct webhook *webhook)
{
	return &webhook->executor;
}
