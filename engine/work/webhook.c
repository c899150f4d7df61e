/* This file executes functions over HTTP: a call is a request to somebody's URL. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/webhook.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/work/webhook_compose.h"
#include "engine/work/webhook_fetch.h"
#include "engine/work/webhook_target.h"
#include <uv.h>

enum {
	CONCURRENCY = 64,
	MAX_BYTES = 8 << 20,
	TIMEOUT_MS = 30 * 1000,
	SHOWN = 200,
	KEPT = 64 << 10
};
enum { GONE = 410 }; /* the status */

struct webhook {
	struct executor executor;
	uv_loop_t *loop;
	uv_prepare_t room; /* runs the turn after a full offer got room; closing it takes a turn */
	struct webhook_options options;
	struct webhook_composer composer;
	struct webhook_message message;  /* of the request that is being made */
	struct webhook_fetcher *fetcher; /* NULL before the first call */
	struct list offers;
	struct list running;
	void (*freed)(void *ctx);
	void *freed_ctx;
};

struct webhook_offer {
	struct list link;
	struct webhook_target target;
	struct provider *provider;
	int64_t running;
};

struct webhook_call {
	struct list link;
	struct webhook *webhook;
	struct webhook_offer *offer; /* NULL: it was withdrawn or replaced */
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

/* 410: whoever served this wants to hear no more. The delivery is not lost: it is held, as all that
 * come, until somebody enables the function again. */
static void finish_with_gone(struct webhook_offer *offer, struct call *call)
{
	const struct span reason = SPAN("its endpoint answered 410 Gone");
	const struct function *function = offer->provider->function;
	if (offer->provider->disabled.ptr == NULL) {
		log_warn("webhook",
		         "function %.*s is disabled: %.*s; `pawl enable` lets it be called again",
		         SPAN_ARG(function->id), SPAN_ARG(reason));
	}
	provider_disable(offer->provider, reason);
	fail(call, CALL_STOPPED, SPAN("function_disabled"), reason, 0);
}

static void on_room(uv_prepare_t *prepare)
{
	struct webhook *webhook = prepare->data;
	(void)uv_prepare_stop(prepare);
	/* Whoever is told may offer and withdraw: after each the list is looked at anew. */
	for (;;) {
		struct webhook_offer *free_again = NULL;
		LIST_EACH(&webhook->offers, link)
		{
			struct webhook_offer *offer =
			        MEM_CONTAINER(link, struct webhook_offer, link);
			if (offer->provider->is_full &&
			    offer->running < offer->target.concurrency) {
				free_again = offer;
			}
		}
		if (free_again == NULL) {
			return;
		}
		provider_pause(free_again->provider, false);
	}
}

/* The call has ended, or nobody waits for it. Those that wait for its place get it a turn later: in
 * the middle of an end nothing new begins. */
static struct webhook_offer *leave(struct webhook_call *running)
{
	struct webhook *webhook = running->webhook;
	struct webhook_offer *offer = running->offer;
	list_remove(&running->link);
	mem_free(running);
	if (offer != NULL) {
		offer->running--;
		if (offer->provider->is_full) {
			(void)uv_prepare_start(&webhook->room, on_room); /* cannot fail */
		}
	}
	return offer;
}

static void on_fetched(void *ctx, const struct webhook_reply *reply, const struct err *err)
{
	struct webhook_call *running = ctx;
	struct call *call = running->call;
	struct webhook_offer *offer = leave(running);
	if (err != NULL) {
		enum call_end end = err->number == E_TIMEOUT ? CALL_TIMEOUT : CALL_FAILED;
		fail(call, end, span_of(err->code), span_of(err->text), 0);
	} else if (reply->status == GONE && offer != NULL) {
		finish_with_gone(offer, call);
	} else {
		finish_with_reply(call, reply);
	}
}

/* ---- the request ---- */

static int need_fetcher(struct webhook *webhook, struct err *err)
{
	struct webhook_fetch_options options = {
	        .allow_private = webhook->options.allow_private,
	        .max_reply_bytes = webhook->options.max_reply_bytes,
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

static void begin(struct webhook *webhook, struct webhook_offer *offer, struct call *call)
{
	const struct webhook_target *target = &offer->target;
	bool is_alarm = webhook->message.is_alarm;
	const struct webhook_request request = {
	        .url = is_alarm ? target->alarm_url : target->url,
	        .method = is_alarm ? "POST" : target->method,
	        .headers = buf_view(&webhook->message.headers),
	        .body = buf_view(&webhook->message.body),
	        .timeout_ms = least_timeout(webhook, target, call),
	        .redirects = target->follow_redirects,
	        .is_private = webhook_target_is_private(target),
	        .ca_file = target->ca_file,
	        .insecure = target->insecure,
	};
	struct webhook_call *running = MEM_NEW(struct webhook_call);
	running->webhook = webhook;
	running->offer = offer;
	running->call = call;
	list_init(&running->link);
	list_push(&webhook->running, &running->link);
	offer->running++;
	if (target->concurrency != 0 && offer->running >= target->concurrency) {
		provider_pause(offer->provider, true);
	}
	running->fetch = webhook_fetch_start(webhook->fetcher, &request, on_fetched, running);
}

static void start(struct executor *executor, struct provider *provider, struct call *call)
{
	struct webhook *webhook = MEM_CONTAINER(executor, struct webhook, executor);
	struct webhook_offer *offer = provider->data;
	struct webhook_message *message = &webhook->message;
	struct err err = {0};
	int status = need_fetcher(webhook, &err);
	if (status == 0) {
		status = webhook_compose(&webhook->composer, &offer->target, call, message, &err);
	}
	if (status == 0 && message->body.len > webhook->options.max_request_bytes) {
		status = err_set(&err, E_LIMIT, "payload_too_large", "the data is over %zu bytes",
		                 webhook->options.max_request_bytes);
	}
	if (status == 0) {
		begin(webhook, offer, call);
	}
	buf_clear(&message->body);
	buf_shrink(&message->body, KEPT);
	if (status != 0) {
		fail(call, CALL_FAILED, span_of(err.code), span_of(err.text), 0);
	}
}

static void cancel(struct webhook_call *running)
{
	webhook_fetch_cancel(running->fetch);
	(void)leave(running);
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

static void offer_free(struct webhook_offer *offer, struct webhook *webhook)
{
	if (offer == NULL) {
		return;
	}
	LIST_EACH(&webhook->running, link)
	{
		struct webhook_call *running = MEM_CONTAINER(link, struct webhook_call, link);
		if (running->offer == offer) {
			running->offer = NULL;
		}
	}
	list_remove(&offer->link);
	webhook_target_close(&offer->target);
	mem_free(offer);
}

int webhook_offer(struct webhook *webhook, const struct webhook_offering *offering,
                  struct provider **out, struct err *err)
{
	const struct webhook_known known = {webhook->options.conditions, offering->secrets};
	struct webhook_target target;
	int status = webhook_target_parse(offering->invocation, offering->secrets ? &known : NULL,
	                                  &target, err);
	if (status != 0) {
		return status;
	}
	struct webhook_offer *offer = MEM_NEW(struct webhook_offer);
	offer->target = target;
	list_init(&offer->link);
	list_push(&webhook->offers, &offer->link);
	/* Calls that wait for the function may start from inside the offer. */
	webhook->executor.closed_for_calls = true;
	struct provider *provider =
	        function_offer_more(&webhook->executor, offering->namespace_, offering->id);
	provider->data = offer;
	offer->provider = provider;
	if (target.insecure) {
		log_warn("webhook",
		         "function %.*s: insecure: true: nobody checks who answers at %s",
		         SPAN_ARG(offering->id), target.url);
	}
	executor_pause(&webhook->executor, false);
	*out = provider;
	return 0;
}

void webhook_withdraw(struct webhook *webhook, struct provider *provider)
{
	struct webhook_offer *offer = provider->data;
	offer_free(offer, webhook);
	function_withdraw(provider);
}

/* ---- a life ---- */

struct webhook *webhook_new(uv_loop_t *loop, struct functions *functions,
                            const struct webhook_options *options)
{
	struct webhook *webhook = MEM_NEW(struct webhook);
	webhook->loop = loop;
	(void)uv_prepare_init(loop, &webhook->room); /* cannot fail */
	webhook->room.data = webhook;
	webhook->options = *options;
	webhook_composer_init(&webhook->composer, options->conditions, options->service);
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
	webhook_message_close(&webhook->message);
	mem_free(webhook);
	freed(freed_ctx);
}

static void webhook_end(void *ctx)
{
	struct webhook *webhook = ctx;
	uv_close((uv_handle_t *)&webhook->room, on_end);
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
		offer_free(LIST_FIRST(&webhook->offers, struct webhook_offer, link), webhook);
	}
	webhook_composer_close(&webhook->composer);
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
