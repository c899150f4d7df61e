/* This file makes the parts of the daemon, tells them what the config says, and ends them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/parts.h"

#include "adapters/adapters.h"
#include "base/mem.h"
#include "engine/api/gateway.h"
#include "engine/api/login.h"
#include "engine/api/rest.h"
#include "engine/api/server.h"
#include "engine/api/session.h"
#include "engine/api/watch.h"
#include "engine/config_scopes.h"
#include "engine/config_tokens.h"
#include "engine/core/alarm_book.h"
#include "engine/core/alarm_close.h"
#include "engine/core/alarm_names.h"
#include "engine/core/catalog.h"
#include "engine/core/clock_turn.h"
#include "engine/core/dead.h"
#include "engine/core/dispatch.h"
#include "engine/core/expiry.h"
#include "engine/core/idem.h"
#include "engine/core/react.h"
#include "engine/core/retain.h"
#include "engine/core/routing.h"
#include "engine/core/state.h"
#include "engine/core/tokens.h"
#include "engine/core/worker.h"
#include "engine/durable/alarm.h"
#include "engine/durable/store.h"
#include "engine/roster.h"
#include "engine/telemetry.h"
#include "engine/work/builtin.h"
#include "engine/work/webhook.h"
#include "triggers/event.h"
#include <stdio.h>

enum {
	CLOSE_GRACE_MS = 2000,
	LAST_REPLIES_MS = 500,
	RECENT_BYTES = 4 * 1024 * 1024,
	VIEW_LAG_BYTES = 16 * 1024 * 1024
};

/* ---- the store ---- */

static int64_t time_of_entry(struct span bytes)
{
	struct event event;
	return event_decode(1, bytes, &event, NULL) == 0 ? event.time_ms : 0;
}

int parts_open_store(struct parts *parts, const struct config *config, struct err *err)
{
	bool is_plugin = config->state.adapter.name == CONFIG_ADAPTER_PLUGIN;
	const struct adapter_type *type = adapters_find(is_plugin ? "plugin" : "kv");
	POST(type != NULL);
	const struct store_options options = {
	        .adapter = type,
	        .how = {.dir = config->data, .config = span_of(config->state.adapter.config)},
	        .cache_max_bytes = (size_t)config->cache.max_bytes,
	        .recent_max_bytes = RECENT_BYTES,
	        .view_lag_max_bytes = VIEW_LAG_BYTES,
	        .time_of_entry = time_of_entry,
	};
	return store_open(parts->loop, &options, &parts->core.store, err);
}

/* ---- what the config says to whom ---- */

static struct retry_policy retry_of(const struct config_retry *retry)
{
	struct retry_policy policy = {
	        .max_attempts = (uint32_t)retry->max_attempts,
	        .initial_ms = retry->initial_ms,
	        .max_ms = retry->max_ms,
	        .multiplier = (double)retry->multiplier / 1000.0,
	        .jitter_percent = (uint32_t)retry->jitter,
	        .max_age_ms = retry->max_age,
	};
	struct err err;
	int status = retry_read_schedule(&retry->schedule, "invalid_value", policy.schedule,
	                                 &policy.schedule_count, &err);
	POST(status == 0); /* config_read has tried */
	return policy;
}

static struct dispatch_options dispatch_says(const struct config *config, const struct core *core)
{
	return (struct dispatch_options){
	        .job_max = (uint32_t)config->delivery.job_max,
	        .only_false_means_no = config->compat.condition == CONFIG_CONDITION_III,
	        .conditions = core->conditions,
	};
}

static struct react_options react_says(const struct config *config, const struct core *core)
{
	return (struct react_options){
	        .loop_depth = (uint32_t)config->delivery.loop_depth,
	        .loop_rate = (uint64_t)config->delivery.loop_rate,
	        .park_max_ms = config->delivery.park_max,
	        .conditions = core->conditions,
	        .scans_all = !config->delivery.index,
	};
}

static struct retain_options retain_says(const struct config *config)
{
	return (struct retain_options){
	        .max_age_ms = config->journal.max_age,
	        .max_bytes = (uint64_t)config->journal.max_bytes,
	        .refuse_when_full = config->journal.on_journal_full == CONFIG_JOURNAL_REFUSE_WRITES,
	};
}

static struct catalog_options catalog_says(const struct config *config, const struct core *core)
{
	return (struct catalog_options){
	        .conditions = core->conditions,
	        .routing = core->routing,
	        .detach_grace_ms = config->workers.detach_grace,
	        .defaults = {.concurrency = (uint32_t)config->delivery.concurrency,
	                     .timeout_ms = config->delivery.timeout,
	                     .retry = retry_of(&config->delivery.retry),
	                     .alarm_retry = retry_of(&config->alarms.retry),
	                     .alarm_timeout_ms = config->alarms.timeout},
	};
}

static struct worker_options workers_say(const struct config *config)
{
	return (struct worker_options){
	        .credit = (uint32_t)config->workers.credit,
	        .reattach_grace_ms = config->workers.reattach_grace,
	};
}

static struct state_limits state_says(const struct config *config)
{
	return (struct state_limits){
	        .value_bytes = (uint64_t)config->limits.max_value,
	        .reply_bytes = (uint64_t)config->limits.max_reply,
	        .transact_keys = (uint32_t)config->limits.transact_keys,
	        .transact_bytes = (uint64_t)config->limits.transact_bytes,
	};
}

static struct webhook_options webhook_says(const struct config *config, const struct core *core)
{
	return (struct webhook_options){
	        .allow_private = config->webhooks.allow_private,
	        .concurrency = (uint32_t)config->webhooks.max_concurrent,
	        .timeout_ms = config->webhooks.timeout,
	        .conditions = core->conditions,
	        .service = span_of(config->service.name),
	};
}

static struct session_options sessions_say(const struct config *config)
{
	return (struct session_options){
	        .registration_grace_ms = config->workers.registration_namespace_grace_ms,
	        .unique_names = config->workers.unique_names,
	};
}

static struct server_options server_says(const struct config *config)
{
	struct server_options options = {
	        .listeners = {[LISTENER_TCP] = {.place = config->listen_host ? config->listen
	                                                                     : NULL},
	                      [LISTENER_TLS] = {.place = config->tls.listen,
	                                        .tls = config->tls_context},
	                      [LISTENER_UNIX] = {.place = config->unix_.path,
	                                         .mode = config->unix_mode,
	                                         .group = config->unix_.group}},
	        .allowed_origins = (const char *const *)config->http.allowed_origins.items,
	        .cors_origins = (const char *const *)config->cors.allowed_origins.items,
	        .allowed_hosts = (const char *const *)config->http.allowed_hosts.items,
	};
	conn_limits_default(&options.limits);
	options.limits.max_connections = (uint32_t)config->limits.max_connections;
	options.limits.header_bytes = (size_t)config->http.max_header;
	options.limits.body_bytes = (size_t)config->limits.max_message;
	options.limits.message_bytes = (size_t)config->limits.max_message;
	options.limits.max_unsent = (size_t)config->limits.max_unsent;
	options.limits.header_timeout_ms = config->http.header_timeout;
	options.limits.idle_timeout_ms = config->http.idle_timeout;
	options.limits.ping_interval_ms = config->workers.ping_interval;
	return options;
}

static struct watch_options watch_says(const struct config *config)
{
	return (struct watch_options){
	        .heartbeat_ms = config->watch.heartbeat,
	        .retry_ms = config->watch.retry,
	};
}

static struct gateway_options gateway_says(const struct config *config)
{
	return (struct gateway_options){
	        .cors_origins = (const char *const *)config->http.cors_origins.items,
	        .max_requests = (size_t)config->http.max_concurrent,
	        .only_false_means_no = config->compat.condition == CONFIG_CONDITION_III,
	};
}

/* The listener for HTTP triggers, whose callers `origins` (the caller's to free) may be. */
static struct server_options front_says(const struct config *config, const char ***out_origins)
{
	const struct field_strings *lists[] = {&config->http.allowed_origins,
	                                       &config->http.cors_origins};
	size_t count = lists[0]->count + lists[1]->count;
	const char **origins = MEM_ARRAY(const char *, count + 1);
	for (size_t i = 0; i < count; i++) {
		bool is_first = i < lists[0]->count;
		origins[i] = is_first ? lists[0]->items[i] : lists[1]->items[i - lists[0]->count];
	}
	struct server_options options = server_says(config);
	memset(options.listeners, 0, sizeof options.listeners);
	options.listeners[LISTENER_TCP].place = config->http.listen;
	options.cors_origins = NULL; /* the gateway says itself who may read */
	options.allowed_origins = origins;
	options.limits.body_bytes = (size_t)config->http.max_body;
	*out_origins = origins;
	return options;
}

static void configure_front(struct parts *parts, const struct config *config)
{
	const char **origins;
	const struct gateway_options gateway = gateway_says(config);
	const struct server_options front = front_says(config, &origins);
	if (parts->front != NULL) {
		server_configure(parts->front, &front);
		gateway_configure(parts->gateway, &gateway);
	}
	mem_free(origins);
}

static void configure(struct parts *parts, const struct config *config)
{
	struct core *core = &parts->core;
	const struct dispatch_options dispatch = dispatch_says(config, core);
	const struct react_options react = react_says(config, core);
	const struct retain_options retain = retain_says(config);
	const struct catalog_options catalog = catalog_says(config, core);
	const struct worker_options workers = workers_say(config);
	const struct state_limits limits = state_says(config);
	const struct webhook_options webhook = webhook_says(config, core);
	const struct session_options sessions = sessions_say(config);
	const struct server_options server = server_says(config);
	const struct watch_options watch = watch_says(config);
	store_set_cache(core->store, (size_t)config->cache.max_bytes);
	dead_configure(core->dead, (uint64_t)config->dead.max_bytes);
	dispatch_configure(core->dispatch, &dispatch);
	react_configure(core->react, &react);
	retain_configure(core->retain, &retain);
	state_configure(core->state, &limits);
	idem_configure(core->idem, config->idempotency.ttl);
	core->once_cloudevents = config->idempotency.cloudevents;
	config_take_scopes(config, core->state);
	config_take_tokens(config, core->tokens);
	sessions_configure(parts->sessions, &sessions);
	watch_configure(parts->watch, &watch);
	server_configure(parts->server, &server);
	configure_front(parts, config);
	/* These may start what has waited for room: by the other options as they are now. */
	catalog_configure(core->catalog, &catalog);
	workers_configure(core->workers, &workers);
	webhook_configure(parts->webhook, &webhook);
}

/* ---- the triggers, and all of it ---- */

static struct trigger_spec spec_of(const struct config_trigger *from)
{
	return (struct trigger_spec){
	        .origin = BINDING_CONFIG,
	        .id = span_of(from->id),
	        .type = span_of(from->type),
	        .namespace_ = span_of(from->namespace_),
	        .function_id = span_of(from->function),
	        .config = span_of(from->config),
	        .metadata = span_of(from->metadata),
	};
}

static struct trigger_spec *specs_of(const struct config *config, size_t *out_count)
{
	size_t count = config->trigger_count + config->queue_count + 1;
	struct trigger_spec *specs = MEM_ARRAY(struct trigger_spec, count + 1);
	for (size_t i = 0; i < config->trigger_count; i++) {
		specs[i] = spec_of(&config->triggers[i]);
	}
	for (size_t i = 0; i < config->queue_count; i++) {
		specs[config->trigger_count + i] = spec_of(&config->queues[i]);
	}
	specs[count - 1] = (struct trigger_spec){
	        .origin = BINDING_CONFIG,
	        .id = SPAN(ALARM_TRIGGER),
	        .type = SPAN("alarm"),
	        .namespace_ = SPAN("engine"),
	        .function_id = SPAN(ALARM_RUN),
	        .config = SPAN(ALARM_CONFIG),
	};
	*out_count = count;
	return specs;
}

static int take_triggers(struct parts *parts, const struct config *config,
                         struct store_waiter *waiter, struct err *err)
{
	size_t count;
	struct trigger_spec *specs = specs_of(config, &count);
	int status = catalog_sync_config(parts->core.catalog, specs, count, waiter, err);
	mem_free(specs);
	return status;
}

int parts_take_triggers(struct parts *parts, const struct config *config, struct err *err)
{
	return take_triggers(parts, config, NULL, err);
}

void parts_start(struct parts *parts)
{
	builtins_open(parts->builtins);
	sessions_open(parts->sessions);
}

int parts_judge(const struct parts *parts, const struct config *config, struct err *err)
{
	size_t count;
	struct trigger_spec *specs = specs_of(config, &count);
	int status = roster_check(parts->roster, config, err);
	if (status == 0) {
		status = catalog_judge_config(parts->core.catalog, specs, count, err);
	}
	mem_free(specs);
	return status;
}

int parts_take(struct parts *parts, const struct config *config, struct store_waiter *waiter,
               struct err *err)
{
	int status = roster_check(parts->roster, config, err);
	if (status == 0) {
		status = take_triggers(parts, config, waiter, err);
	}
	if (status != 0) {
		return status;
	}
	/* Nothing below can fail. */
	roster_take(parts->roster, config);
	configure(parts, config);
	alarm_book_take_config(parts->core.alarm_book);
	return 0;
}

/* ---- making ---- */

static int find_cause(void *ctx, struct span baggage, struct event_cause *cause,
                      struct binding **out_by, struct err *err)
{
	return causes_find(dispatch_causes(ctx), baggage, cause, out_by, err);
}

static void crowded(void *ctx, bool is)
{
	struct parts *parts = ctx;
	if (parts->server != NULL) {
		server_pause_reading(parts->server, is);
	}
	if (parts->front != NULL) {
		server_pause_reading(parts->front, is);
	}
}

static void alarm_trigger_gone(void *ctx)
{
	alarm_book_look_again(ctx);
}

static void build_alarms(struct core *core)
{
	core->alarm_book = alarm_book_new(core);
	struct alarm_closings *closings = alarm_book_closings(core->alarm_book);
	dispatch_on_alarm(core->dispatch, alarm_close_ended, closings);
	react_on_alarm(core->react, alarm_close_matched, closings);
	state_drop_alarms(core->state, alarm_book_store(core->alarm_book)->traces);
	react_on_alarm_gone(core->react, alarm_trigger_gone, core->alarm_book);
}

static void build_core(struct parts *parts, const struct config *config)
{
	struct core *core = &parts->core;
	core->conditions = condition_env_new();
	core->tokens = tokens_new(core->alarms);
	config_take_tokens(config, core->tokens);
	core->functions = functions_new(core->alarms);
	core->dead = dead_new(core->store, (uint64_t)config->dead.max_bytes);
	const struct dispatch_options dispatch = dispatch_says(config, core);
	core->dispatch =
	        dispatch_new(core->store, core->functions, core->alarms, core->dead, &dispatch);
	const struct react_options react = react_says(config, core);
	core->react = react_new(core->store, core->dispatch, core->dead, core->alarms, &react);
	const struct retain_options retain = retain_says(config);
	core->retain = retain_new(core->store, core->react, core->alarms, &retain);
	core->routing = config->http.listen != NULL ? routing_new() : NULL;
	const struct catalog_options catalog = catalog_says(config, core);
	core->catalog = catalog_new(core->store, core->functions, core->alarms, core->dispatch,
	                            core->react, &catalog);
	const struct worker_options workers = workers_say(config);
	core->workers = workers_new(core->functions, core->catalog, core->alarms, &workers);
	const struct state_limits limits = state_says(config);
	core->state = state_new(core->store, &limits);
	config_take_scopes(config, core->state);
	state_set_cause(core->state, find_cause, core->dispatch);
	core->idem = idem_new(core->store, core->alarms, config->idempotency.ttl);
	core->once_cloudevents = config->idempotency.cloudevents;
	state_set_idem(core->state, core->idem);
	state_set_feedback(core->state, react_feedback(core->react));
	core->expiry = expiry_new(core->store, core->alarms);
	state_on_expiring(core->state, expiry_note, core->expiry);
	build_alarms(core);
}

static int build_work(struct parts *parts, const struct config *config, struct err *err)
{
	struct core *core = &parts->core;
	const struct webhook_options webhook = webhook_says(config, core);
	parts->builtins = builtins_new(core);
	parts->webhook = webhook_new(parts->loop, core->functions, &webhook);
	parts->roster = roster_new(parts->loop, core, parts->webhook);
	return roster_check(parts->roster, config, err);
}

static int listen_on(struct parts *parts, const struct config *config, struct err *err)
{
	struct core *core = &parts->core;
	const struct session_options sessions = sessions_say(config);
	parts->sessions = sessions_new(core->functions, core->catalog, core->workers,
	                               parts->webhook, core->alarms, &sessions);
	const struct watch_options watch = watch_says(config);
	parts->watch = watch_new(core, &watch);
	parts->rest = rest_new(core->functions, core->service_name);
	rest_set_watch(parts->rest, watch_open, parts->watch);
	parts->login = login_new(core->tokens);
	sessions_set_login(parts->sessions, parts->login);
	rest_set_login(parts->rest, parts->login);
	struct server_options options = server_says(config);
	options.handler = rest_handler(parts->rest);
	options.upgrade = sessions_upgrade(parts->sessions);
	int status = server_open(parts->loop, core->alarms, &options, &parts->server, err);
	if (status == 0) {
		peers_tell_addresses(parts->server, core);
	}
	return status;
}

/* A second listener, for HTTP triggers, if the config wants one. */
static int listen_in_front(struct parts *parts, const struct config *config, struct err *err)
{
	struct core *core = &parts->core;
	const char **origins;
	if (core->routing == NULL) {
		return 0;
	}
	const struct gateway_options gateway = gateway_says(config);
	parts->gateway = gateway_new(core, &gateway);
	struct server_options options = front_says(config, &origins);
	options.handler = gateway_handler(parts->gateway);
	int status = server_open(parts->loop, core->alarms, &options, &parts->front, err);
	mem_free(origins);
	if (status != 0) {
		return err_wrap(err, "http.listen");
	}
	(void)snprintf(core->front, sizeof core->front, "%s",
	               server_address(parts->front, LISTENER_TCP));
	return 0;
}

int parts_build(struct parts *parts, const struct config *config, struct err *err)
{
	parts->core.service_name = config->service.name;
	parts->peers = (struct peers){&parts->server, &parts->front};
	parts->core.peers = peers_answers(&parts->peers);
	build_core(parts, config);
	store_on_crowd(parts->core.store, crowded, parts);
	int status = telemetry_open(parts->loop, &parts->core, config, err);
	return status != 0 ? status : build_work(parts, config, err);
}

int parts_listen(struct parts *parts, const struct config *config, struct err *err)
{
	int status = listen_on(parts, config, err);
	if (status == 0) {
		telemetry_follow(&parts->core, parts->rest, parts->sessions);
		roster_take(parts->roster, config); /* programs are told where we listen */
	}
	return status != 0 ? status : listen_in_front(parts, config, err);
}

/* ---- ending ---- */

/* Nothing calls and nothing is called any more. */
static void free_core(struct parts *parts)
{
	struct core *core = &parts->core;
	gateway_free(parts->gateway);
	rest_free(parts->rest);
	watch_free(parts->watch);
	sessions_free(parts->sessions);
	login_free(parts->login);
	clock_turn_stop(core);
	react_stop(core->react);
	catalog_free(core->catalog);
	routing_free(core->routing);
	retain_free(core->retain);
	react_free(core->react);
	dispatch_free(core->dispatch);
	condition_env_free(core->conditions);
	builtins_free(parts->builtins);
	workers_free(core->workers);
	tokens_free(core->tokens);
	dead_free(core->dead);
	state_free(core->state);
	alarm_book_free(core->alarm_book);
	expiry_free(core->expiry);
	idem_free(core->idem);
	functions_free(core->functions);
	telemetry_close(core, parts->closed, parts->closed_ctx);
}

static void executor_is_gone(void *ctx)
{
	struct parts *parts = ctx;
	if (--parts->closing == 0) {
		free_core(parts);
	}
}

static void server_is_closed(void *ctx)
{
	struct parts *parts = ctx;
	parts->server = NULL;
	workers_close(parts->core.workers);
	parts->closing = 2;
	roster_free(parts->roster, executor_is_gone, parts);
	webhook_free(parts->webhook, executor_is_gone, parts);
}

static void front_is_closed(void *ctx)
{
	struct parts *parts = ctx;
	parts->front = NULL;
	alarm_clear(parts->core.alarms, &parts->front_grace);
	if (parts->server != NULL) {
		server_close(parts->server, CLOSE_GRACE_MS, server_is_closed, parts);
	} else {
		server_is_closed(parts);
	}
}

static void front_grace_is_over(struct alarm *alarm)
{
	gateway_end_requests(MEM_CONTAINER(alarm, struct parts, front_grace)->gateway);
}

/* First those who wait for workers, then the workers. */
void parts_close(struct parts *parts, void (*closed)(void *ctx), void *ctx)
{
	parts->closed = closed;
	parts->closed_ctx = ctx;
	if (parts->front != NULL) {
		parts->front_grace.fn = front_grace_is_over;
		alarm_set_real(parts->core.alarms, &parts->front_grace, CLOSE_GRACE_MS);
		server_close(parts->front, CLOSE_GRACE_MS + LAST_REPLIES_MS, front_is_closed,
		             parts);
	} else {
		front_is_closed(parts);
	}
}
