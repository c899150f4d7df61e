/* This file offers the functions that the config declares, and withdraws the others. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/roster.h"

#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"
#include "engine/config_endpoint.h"
#include "engine/config_items.h"
#include "engine/core/function.h"
#include "engine/core/secrets.h"
#include "engine/core/tokens.h"
#include "engine/runtime_env.h"
#include "engine/work/process.h"
#include "engine/work/webhook_target.h"

struct roster {
	struct uv_loop_s *loop;
	struct core *core;
	struct webhook *webhook;
	struct list entries; /* in the order of the config, then those that leave */
	void (*freed)(void *ctx);
	void *freed_ctx;
};

struct entry {
	struct list link;
	struct roster *roster;
	struct span namespace_;    /* owned */
	struct span id;            /* owned */
	struct buf text;           /* the declaration, and what else the offer was made of */
	struct process *process;   /* NULL: an HTTP endpoint */
	struct token *token;       /* the process's */
	struct provider *provider; /* the endpoint's */
	bool leaving;
};

/* ---- entries ---- */

static void drop(struct entry *entry)
{
	list_remove(&entry->link);
	if (entry->token != NULL) {
		tokens_remove(entry->roster->core->tokens, entry->token);
	}
	mem_free((char *)entry->namespace_.ptr);
	mem_free((char *)entry->id.ptr);
	buf_free(&entry->text);
	mem_free(entry);
}

static void free_if_done(struct roster *roster)
{
	if (roster->freed != NULL && list_is_empty(&roster->entries)) {
		void (*freed)(void *ctx) = roster->freed;
		void *ctx = roster->freed_ctx;
		mem_free(roster);
		freed(ctx);
	}
}

static void process_is_gone(void *ctx)
{
	struct entry *entry = ctx;
	struct roster *roster = entry->roster;
	drop(entry);
	free_if_done(roster);
}

/* What was given to it when it was offered is part of it: a program's limit, an endpoint's
 * secrets. */
static void write_text(const struct config *config, const struct config_function *function,
                       struct buf *out)
{
	config_write_function(function, out);
	if (function->kind == CONFIG_FUNCTION_EXEC) {
		buf_format(out, "\n%lld", (long long)config->limits.max_reply);
	} else {
		uint8_t digest[SHA256_LEN];
		secrets_digest(config->secrets, digest);
		buf_add(out, digest, sizeof digest);
	}
}

static struct entry *find(const struct roster *roster, const struct config_function *function)
{
	LIST_EACH(&roster->entries, link)
	{
		struct entry *entry = MEM_CONTAINER(link, struct entry, link);
		if (!entry->leaving && span_is(entry->id, function->id) &&
		    span_is(entry->namespace_, function->namespace_)) {
			return entry;
		}
	}
	return NULL;
}

/* ---- offers ---- */

static void offer_process(struct roster *roster, const struct config *config,
                          const struct config_function *function, struct entry *entry)
{
	const struct config_exec *exec = &function->exec;
	char **environment = runtime_env_make(roster->core, exec, entry->id, &entry->token);
	char **command = MEM_ARRAY(char *, exec->command.count + 1);
	memcpy(command, exec->command.items, exec->command.count * sizeof *command);
	const struct process_options options = {
	        .namespace_ = span_of(function->namespace_),
	        .function_id = span_of(function->id),
	        .description = span_of(function->description),
	        .command = (const char *const *)command,
	        .environment = (const char *const *)environment,
	        .directory = exec->cwd,
	        .mode = exec->mode == CONFIG_EXEC_LINES ? PROCESS_LINES : PROCESS_CALL,
	        .concurrency = (uint32_t)exec->concurrency,
	        .timeout_ms = exec->timeout,
	        .max_output_bytes = (size_t)config->limits.max_reply,
	};
	entry->process =
	        process_new(roster->loop, roster->core->alarms, roster->core->functions, &options);
	runtime_env_free(environment);
	mem_free(command);
}

static void offer_endpoint(struct roster *roster, const struct config *config,
                           const struct config_function *function, struct entry *entry)
{
	struct buf invocation = {0};
	struct provider *provider;
	struct err err;
	config_write_invocation(&function->http, &invocation);
	const struct webhook_offering offering = {
	        .namespace_ = entry->namespace_,
	        .id = entry->id,
	        .invocation = buf_view(&invocation),
	        .secrets = config->secrets,
	};
	int status = webhook_offer(roster->webhook, &offering, &provider, &err);
	POST(status == 0); /* checked before */
	buf_free(&invocation);
	entry->provider = provider;
	if (function->description != NULL) {
		provider->description = mem_span(span_of(function->description));
	}
}

static void offer(struct roster *roster, const struct config *config,
                  const struct config_function *function)
{
	struct entry *entry = MEM_NEW(struct entry);
	entry->roster = roster;
	entry->namespace_ = mem_span(span_of(function->namespace_));
	entry->id = mem_span(span_of(function->id));
	write_text(config, function, &entry->text);
	list_push(&roster->entries, &entry->link);
	if (function->kind == CONFIG_FUNCTION_EXEC) {
		offer_process(roster, config, function, entry);
	} else {
		offer_endpoint(roster, config, function, entry);
	}
}

static void leave(struct entry *entry)
{
	entry->leaving = true;
	if (entry->process != NULL) {
		process_leave(entry->process, process_is_gone, entry);
		return;
	}
	webhook_withdraw(entry->roster->webhook, entry->provider);
	drop(entry);
}

/* ---- a config ---- */

static int check_endpoint(const struct roster *roster, const struct config *config,
                          const struct config_function *function, struct err *err)
{
	const struct webhook_known known = {roster->core->conditions, config->secrets};
	struct buf invocation = {0};
	struct webhook_target target;
	config_write_invocation(&function->http, &invocation);
	int status = webhook_target_parse(buf_view(&invocation), &known, &target, err);
	buf_free(&invocation);
	if (status != 0) {
		return status;
	}
	webhook_target_close(&target);
	return 0;
}

int roster_check(const struct roster *roster, const struct config *config, struct err *err)
{
	for (size_t i = 0; i < config->function_count; i++) {
		const struct config_function *function = &config->functions[i];
		if (function->kind == CONFIG_FUNCTION_HTTP &&
		    check_endpoint(roster, config, function, err) != 0) {
			return err_wrap(err, "function \"%s\"", function->id);
		}
	}
	return 0;
}

/* Standard Webhooks: at once, then so; about three days, for the people who must mend something. */
static void retry_as_webhooks_do(struct trigger_retry *retry)
{
	static const int64_t minutes[] = {5, 30, 120, 300, 600, 840, 1200, 1440};
	enum { MINUTE = 60 * 1000, FIRST = 5 * 1000, AGE_DAYS = 5 };
	if (retry->schedule_count != 0 || retry->initial_ms >= 0 || retry->max_ms >= 0 ||
	    retry->multiplier >= 0) {
		return;
	}
	retry->schedule[retry->schedule_count++] = FIRST;
	for (size_t i = 0; i < sizeof minutes / sizeof *minutes; i++) {
		retry->schedule[retry->schedule_count++] = minutes[i] * MINUTE;
	}
	if (retry->max_age_ms < 0) {
		retry->max_age_ms = (int64_t)AGE_DAYS * 24 * 60 * MINUTE;
	}
}

static void take_policy(const struct roster *roster, const struct config_function *function)
{
	struct function_policy policy = {.concurrency = (uint32_t)function->concurrency,
	                                 .retry = function->retry.said};
	if (function->kind == CONFIG_FUNCTION_HTTP) {
		retry_as_webhooks_do(&policy.retry);
	}
	function_set_policy(roster->core->functions, span_of(function->namespace_),
	                    span_of(function->id), &policy);
}

static void take_one(struct roster *roster, const struct config *config,
                     const struct config_function *function)
{
	struct entry *old = find(roster, function);
	struct buf text = {0};
	write_text(config, function, &text);
	bool is_same = old != NULL && span_equal(buf_view(&text), buf_view(&old->text));
	buf_free(&text);
	if (is_same) {
		list_remove(&old->link);
		list_push(&roster->entries, &old->link);
		return;
	}
	if (old != NULL && old->process != NULL) {
		/* What waits is for the new one. */
		executor_pause(process_executor(old->process), true);
	}
	offer(roster, config, function);
	if (old != NULL) {
		leave(old);
	}
}

static bool is_declared(const struct entry *entry, const struct config *config)
{
	for (size_t i = 0; i < config->function_count; i++) {
		if (config->functions[i].kind != CONFIG_FUNCTION_WORKER &&
		    span_is(entry->id, config->functions[i].id) &&
		    span_is(entry->namespace_, config->functions[i].namespace_)) {
			return true;
		}
	}
	return false;
}

void roster_take(struct roster *roster, const struct config *config)
{
	struct list before;
	list_init(&before);
	LIST_EACH(&roster->entries, link)
	{
		struct entry *entry = MEM_CONTAINER(link, struct entry, link);
		if (!entry->leaving && !is_declared(entry, config)) {
			list_remove(link);
			list_push(&before, link);
		}
	}
	functions_begin_policies(roster->core->functions);
	for (size_t i = 0; i < config->function_count; i++) {
		take_policy(roster, &config->functions[i]);
	}
	functions_end_policies(roster->core->functions);
	for (size_t i = 0; i < config->function_count; i++) {
		if (config->functions[i].kind != CONFIG_FUNCTION_WORKER) {
			take_one(roster, config, &config->functions[i]);
		}
	}
	LIST_EACH(&before, link)
	{
		struct entry *entry = MEM_CONTAINER(link, struct entry, link);
		list_remove(link);
		list_push(&roster->entries, link);
		leave(entry);
	}
}

struct roster *roster_new(struct uv_loop_s *loop, struct core *core, struct webhook *webhook)
{
	struct roster *roster = MEM_NEW(struct roster);
	roster->loop = loop;
	roster->core = core;
	roster->webhook = webhook;
	list_init(&roster->entries);
	return roster;
}

void roster_free(struct roster *roster, void (*freed)(void *ctx), void *ctx)
{
	roster->freed = freed;
	roster->freed_ctx = ctx;
	LIST_EACH(&roster->entries, link)
	{
		struct entry *entry = MEM_CONTAINER(link, struct entry, link);
		if (entry->process != NULL) {
			process_free(entry->process, process_is_gone, entry);
		} else {
			drop(entry); /* the webhook withdraws its offers itself */
		}
	}
	free_if_done(roster);
}
