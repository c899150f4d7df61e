/* This file starts and stops the daemon. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine.h"

#include "adapters/adapters.h"
#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/api/rest.h"
#include "engine/api/server.h"
#include "engine/api/session.h"
#include "engine/core/catalog.h"
#include "engine/core/catalog_load.h"
#include "engine/core/core.h"
#include "engine/core/dead.h"
#include "engine/core/dispatch.h"
#include "engine/core/react.h"
#include "engine/core/retain.h"
#include "engine/core/state.h"
#include "engine/core/worker.h"
#include "engine/durable/alarm.h"
#include "engine/durable/store.h"
#include "engine/work/builtin.h"
#include "engine/work/process.h"
#include "engine/work/webhook.h"
#include "triggers/triggers.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum {
	DRAIN_MS = 5000,
	DRAIN_LOOK_MS = 20,
	CLOSE_GRACE_MS = 2000,
	RECENT_BYTES = 4 * 1024 * 1024,
	VIEW_LAG_BYTES = 16 * 1024 * 1024
};

struct engine {
	const struct config *config;
	uv_loop_t loop;
	int lock;
	struct core core;
	struct retain *retain;
	struct builtins *builtins;
	struct webhook *webhook;
	struct process **processes; /* one for each exec function of the config */
	size_t process_count;
	size_t closing; /* executors that have not said that they are gone */
	struct rest *rest;
	struct sessions *sessions;
	struct server *server;
	uv_signal_t terminate;
	uv_signal_t interrupt;
	struct alarm drain;
	int64_t drain_until_ms;
	uint64_t cursor;
	int status;
	struct err *err;
};

static void stop(struct engine *engine);

/* ---- the data directory ---- */

static int make_dir(const char *path, struct err *err)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST) {
		return err_errno(err, errno, "data directory %s cannot be made", path);
	}
	return 0;
}

static int lock_data(struct engine *engine, struct err *err)
{
	const char *dir = engine->config->data;
	char path[4096];
	int len = snprintf(path, sizeof path, "%s/pawl.lock", dir);
	if (len < 0 || (size_t)len >= sizeof path) {
		return err_set(err, E_INVALID, "invalid_data",
		               "the path of the data directory is too long");
	}
	if (make_dir(dir, err) != 0) {
		return err->number;
	}
	engine->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (engine->lock < 0) {
		return err_errno(err, errno, "%s cannot be opened", path);
	}
	if (flock(engine->lock, LOCK_EX | LOCK_NB) != 0) {
		return err_set(
		        err, E_BUSY, "data_locked",
		        "another pawl runs on %s; stop it, or give this one a directory of its own "
		        "(--data DIR)",
		        dir);
	}
	return 0;
}

/* ---- parts ---- */

static int64_t time_of_entry(struct span bytes)
{
	struct event event;
	return event_decode(1, bytes, &event, NULL) == 0 ? event.time_ms : 0;
}

static int open_store(struct engine *engine, struct err *err)
{
	const struct config *config = engine->config;
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
	return store_open(&engine->loop, &options, &engine->core.store, err);
}

static struct retry_policy retry_of(const struct config_retry *retry)
{
	return (struct retry_policy){
	        .max_attempts = (uint32_t)retry->max_attempts,
	        .initial_ms = retry->initial_ms,
	        .max_ms = retry->max_ms,
	        .multiplier = (double)retry->multiplier,
	        .jitter_percent = (uint32_t)retry->jitter,
	        .max_age_ms = retry->max_age,
	};
}

static int find_cause(void *ctx, struct span baggage, struct event_cause *cause, struct err *err)
{
	return causes_find(dispatch_causes(ctx), baggage, cause, err);
}

static void build_core(struct engine *engine)
{
	const struct config *config = engine->config;
	const struct config_delivery *delivery = &config->delivery;
	struct core *core = &engine->core;
	core->conditions = condition_env_new();
	core->functions = functions_new(core->alarms);
	core->dead = dead_new(core->store, (uint64_t)config->dead.max_bytes);
	const struct dispatch_options dispatch = {
	        .job_max = (uint32_t)delivery->job_max,
	        .only_false_means_no = config->compat.condition == CONFIG_CONDITION_III,
	        .conditions = core->conditions,
	};
	core->dispatch =
	        dispatch_new(core->store, core->functions, core->alarms, core->dead, &dispatch);
	const struct react_options react = {
	        .loop_depth = (uint32_t)delivery->loop_depth,
	        .park_max_ms = delivery->park_max,
	        .conditions = core->conditions,
	        .scans_all = !delivery->index,
	};
	core->react = react_new(core->store, core->dispatch, core->dead, core->alarms, &react);
	const struct retain_options retain = {
	        .max_age_ms = config->journal.max_age,
	        .max_bytes = (uint64_t)config->journal.max_bytes,
	        .refuse_when_full = config->journal.on_journal_full == CONFIG_JOURNAL_REFUSE_WRITES,
	};
	engine->retain = retain_new(core->store, core->react, core->alarms, &retain);
	const struct catalog_options catalog = {
	        .conditions = core->conditions,
	        .detach_grace_ms = config->workers.detach_grace,
	        .defaults = {.concurrency = (uint32_t)delivery->concurrency,
	                     .timeout_ms = delivery->timeout,
	                     .retry = retry_of(&delivery->retry)},
	};
	core->catalog = catalog_new(core->store, core->functions, core->alarms, core->dispatch,
	                            core->react, &catalog);
	const struct worker_options workers = {
	        .credit = (uint32_t)config->workers.credit,
	        .reattach_grace_ms = config->workers.reattach_grace,
	};
	core->workers = workers_new(core->functions, core->catalog, core->alarms, &workers);
	const struct state_limits limits = {
	        .value_bytes = (uint64_t)config->limits.max_value,
	        .reply_bytes = (uint64_t)config->limits.max_reply,
	        .transact_keys = (uint32_t)config->limits.transact_keys,
	        .transact_bytes = (uint64_t)config->limits.transact_bytes,
	};
	core->state = state_new(core->store, &limits);
	state_set_cause(core->state, find_cause, core->dispatch);
}

/* "NAME=value" for each of the map, NULL at the end; the caller frees all. */
static char **environment_of(const struct field_map *env)
{
	char **list = MEM_ARRAY(char *, env->count + 1);
	for (size_t i = 0; i < env->count; i++) {
		struct buf text = {0};
		buf_format(&text, "%s=%s", env->pairs[i].name, env->pairs[i].value);
		buf_byte(&text, '\0');
		list[i] = text.ptr;
	}
	return list;
}

static void add_process(struct engine *engine, const struct config_function *function)
{
	const struct config_exec *exec = &function->exec;
	char **environment = environment_of(&exec->env);
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
	        .max_output_bytes = (size_t)engine->config->limits.max_reply,
	};
	struct process *process =
	        process_new(&engine->loop, engine->core.alarms, engine->core.functions, &options);
	struct provider *provider = function_offered_by(process_executor(process),
	                                                options.namespace_, options.function_id);
	provider->timeout_ms = exec->timeout;
	engine->processes[engine->process_count++] = process;
	for (size_t i = 0; i < exec->env.count; i++) {
		mem_free(environment[i]);
	}
	mem_free(environment);
	mem_free(command);
}

static int add_endpoint(struct engine *engine, const struct config_function *function,
                        struct err *err)
{
	struct buf invocation = {0};
	struct provider *provider;
	config_write_invocation(function, &invocation);
	int status = webhook_offer(engine->webhook, span_of(function->namespace_),
	                           span_of(function->id), buf_view(&invocation), &provider, err);
	buf_free(&invocation);
	if (status == 0 && function->description != NULL) {
		provider->description = mem_span(span_of(function->description));
	}
	return status;
}

static int build_work(struct engine *engine, struct err *err)
{
	const struct config *config = engine->config;
	struct core *core = &engine->core;
	const struct webhook_options webhook = {
	        .allow_private = config->webhooks.allow_private,
	        .concurrency = (uint32_t)config->webhooks.max_concurrent,
	        .timeout_ms = config->webhooks.timeout,
	};
	engine->builtins = builtins_new(core);
	engine->webhook = webhook_new(&engine->loop, core->functions, &webhook);
	engine->processes = MEM_ARRAY(struct process *, config->function_count);
	for (size_t i = 0; i < config->function_count; i++) {
		const struct config_function *function = &config->functions[i];
		if (function->kind == CONFIG_FUNCTION_EXEC) {
			add_process(engine, function);
		} else if (add_endpoint(engine, function, err) != 0) {
			return err_wrap(err, "function \"%s\"", function->id);
		}
	}
	return 0;
}

static int listen_on(struct engine *engine, struct err *err)
{
	const struct config *config = engine->config;
	struct core *core = &engine->core;
	const struct session_options sessions = {
	        .registration_grace_ms = config->workers.registration_namespace_grace_ms,
	        .unique_names = config->workers.unique_names,
	};
	engine->sessions = sessions_new(core->functions, core->catalog, core->workers,
	                                engine->webhook, core->alarms, &sessions);
	engine->rest = rest_new(core->functions);
	struct server_options options = {
	        .listen = config->listen,
	        .handler = rest_handler(engine->rest),
	        .upgrade = sessions_upgrade(engine->sessions),
	        .allowed_origins = (const char *const *)config->http.allowed_origins.items,
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
	int status = server_open(&engine->loop, core->alarms, &options, &engine->server, err);
	if (status == 0) {
		(void)snprintf(core->address, sizeof core->address, "%s",
		               server_address(engine->server));
	}
	return status;
}

static void crowded(void *ctx, bool is)
{
	struct engine *engine = ctx;
	if (engine->server != NULL) {
		server_pause_reading(engine->server, is);
	}
}

/* ---- start ---- */

static void fail(struct engine *engine, int status, const struct err *err)
{
	engine->status = status;
	*engine->err = *err;
	stop(engine);
}

static void say_ready(const struct engine *engine)
{
	const struct core *core = &engine->core;
	struct adapter_head head;
	store_head(core->store, &head);
	log_info("engine", "pawl %s listens on http://%s (events up to %llu, %zu triggers)",
	         PAWL_VERSION, core->address, (unsigned long long)head.next_seq - 1,
	         catalog_count(core->catalog));
	if (head.volatile_data) {
		log_warn("engine", "state is kept in memory only: nothing survives this process "
		                   "(store_method: in_memory)");
	}
	if (head.cut_bytes != 0) {
		log_warn("engine",
		         "the last write before the crash was torn; %llu bytes that nobody was "
		         "told of "
		         "were cut off",
		         (unsigned long long)head.cut_bytes);
	}
}

static void take_config_triggers(struct engine *engine)
{
	const struct config *config = engine->config;
	struct trigger_spec *specs = MEM_ARRAY(struct trigger_spec, config->trigger_count);
	for (size_t i = 0; i < config->trigger_count; i++) {
		const struct config_trigger *from = &config->triggers[i];
		specs[i] = (struct trigger_spec){
		        .origin = BINDING_CONFIG,
		        .id = span_of(from->id),
		        .type = span_of(from->type),
		        .namespace_ = span_of(from->namespace_),
		        .function_id = span_of(from->function),
		        .config = span_of(from->config),
		        .metadata = span_of(from->metadata),
		};
	}
	struct err err;
	int status = catalog_sync_config(engine->core.catalog, specs, config->trigger_count, &err);
	mem_free(specs);
	if (status != 0) {
		fail(engine, status, &err);
	}
}

static void catalog_is_loaded(void *ctx, int status, const struct err *err)
{
	struct engine *engine = ctx;
	struct core *core = &engine->core;
	if (core->stopping) {
		return;
	}
	if (status != 0) {
		fail(engine, status, err);
		return;
	}
	take_config_triggers(engine);
	if (core->stopping) {
		return;
	}
	core->ready = true;
	say_ready(engine);
	react_start(core->react, engine->cursor);
	catalog_start(core->catalog);
}

static void dead_are_counted(void *ctx, int status, const struct err *err)
{
	struct engine *engine = ctx;
	if (engine->core.stopping) {
		return;
	}
	if (status != 0) {
		fail(engine, status, err);
		return;
	}
	catalog_load(engine->core.catalog, engine->core.store, engine->core.dispatch,
	             &engine->cursor, catalog_is_loaded, engine);
}

/* ---- stop ---- */

static void store_is_closed(void *ctx)
{
	struct engine *engine = ctx;
	engine->core.store = NULL;
	uv_close((uv_handle_t *)&engine->terminate, NULL);
	uv_close((uv_handle_t *)&engine->interrupt, NULL);
	alarms_close(engine->core.alarms, NULL, NULL);
}

/* Nothing calls and nothing is called any more. */
static void free_core(struct engine *engine)
{
	struct core *core = &engine->core;
	rest_free(engine->rest);
	sessions_free(engine->sessions);
	react_stop(core->react);
	catalog_free(core->catalog);
	retain_free(engine->retain);
	react_free(core->react);
	dispatch_free(core->dispatch);
	condition_env_free(core->conditions);
	builtins_free(engine->builtins);
	workers_free(core->workers);
	dead_free(core->dead);
	state_free(core->state);
	functions_free(core->functions);
	mem_free(engine->processes);
	store_close(core->store, store_is_closed, engine);
}

static void executor_is_gone(void *ctx)
{
	struct engine *engine = ctx;
	if (--engine->closing == 0) {
		free_core(engine);
	}
}

static void server_is_closed(void *ctx)
{
	struct engine *engine = ctx;
	engine->server = NULL;
	workers_close(engine->core.workers);
	engine->closing = engine->process_count + 1;
	for (size_t i = 0; i < engine->process_count; i++) {
		process_free(engine->processes[i], executor_is_gone, engine);
	}
	webhook_free(engine->webhook, executor_is_gone, engine);
}

static void drain_looks(struct alarm *alarm)
{
	struct engine *engine = MEM_CONTAINER(alarm, struct engine, drain);
	bool late = clock_mono_us() / 1000 >= engine->drain_until_ms;
	if (dispatch_running(engine->core.dispatch) == 0 || late) {
		if (late) {
			log_warn("engine",
			         "%zu deliveries were still running; they are done again at "
			         "the next start",
			         dispatch_running(engine->core.dispatch));
		}
		if (engine->server != NULL) {
			server_close(engine->server, CLOSE_GRACE_MS, server_is_closed, engine);
		} else {
			server_is_closed(engine);
		}
		return;
	}
	alarm_set_in(engine->core.alarms, &engine->drain, DRAIN_LOOK_MS);
}

static void stop(struct engine *engine)
{
	if (engine->core.stopping) {
		return;
	}
	engine->core.stopping = true;
	dispatch_stop(engine->core.dispatch);
	engine->drain_until_ms = clock_mono_us() / 1000 + DRAIN_MS;
	engine->drain.fn = drain_looks;
	alarm_set_in(engine->core.alarms, &engine->drain, 0);
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
	struct engine *engine = handle->data;
	log_info("engine", "stopping (%s)", signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
	stop(engine);
}

static void watch_signals(struct engine *engine)
{
	(void)signal(SIGPIPE, SIG_IGN);
	uv_signal_t *handles[] = {&engine->terminate, &engine->interrupt};
	const int numbers[] = {SIGTERM, SIGINT};
	for (size_t i = 0; i < 2; i++) {
		int failed = uv_signal_init(&engine->loop, handles[i]);
		POST(failed == 0);
		handles[i]->data = engine;
		failed = uv_signal_start(handles[i], on_signal, numbers[i]);
		POST(failed == 0);
	}
}

/* ---- the whole ---- */

int engine_run(const struct config *config, struct err *err)
{
	struct engine engine = {.config = config, .lock = -1, .err = err};
	struct core *core = &engine.core;
	mem_tune();
	core->service_name = config->service.name;
	core->started_ms = clock_wall_ms();
	int status = crash_arm(err);
	if (status == 0) {
		status = lock_data(&engine, err);
	}
	if (status != 0) {
		goto unlock;
	}
	status = uv_loop_init(&engine.loop);
	POST(status == 0);
	core->alarms = alarms_new(&engine.loop);
	status = open_store(&engine, err);
	if (status != 0) {
		alarms_close(core->alarms, NULL, NULL);
		goto close_loop;
	}
	watch_signals(&engine);
	build_core(&engine);
	store_on_crowd(core->store, crowded, &engine);
	status = build_work(&engine, err);
	if (status == 0) {
		status = listen_on(&engine, err);
	}
	if (status != 0) {
		const struct err why = *err;
		fail(&engine, status, &why);
	} else {
		dead_load(core->dead, dead_are_counted, &engine);
	}
	(void)uv_run(&engine.loop, UV_RUN_DEFAULT);
	status = engine.status;
close_loop:
	(void)uv_run(&engine.loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&engine.loop);
unlock:
	if (engine.lock >= 0) {
		(void)close(engine.lock);
	}
	return status;
}

/* ---- judging the config ---- */

/* The sentence, the line of the expression and a caret under the place, if that is not too much. */
static void show_place(const struct condition_fault *where, struct err *err)
{
	struct span text = buf_view(&where->text);
	while (text.len != 0 && text.ptr[text.len - 1] == '\n') {
		text.len--;
	}
	if (text.len < ERR_TEXT_MAX - 128) {
		(void)err_set(err, err->number, err->code, "'%s': %.*s", where->member,
		              SPAN_ARG(text));
	}
}

static int judge_trigger(void *ctx, const struct config_trigger *trigger, const char **out_member,
                         struct err *err)
{
	(void)ctx;
	struct condition_env *conditions = condition_env_new();
	struct condition_fault where = {0};
	const struct trigger_request request = {
	        .env = conditions,
	        .type = span_of(trigger->type),
	        .config = span_of(trigger->config),
	        .where = &where,
	};
	struct filter *filter = NULL;
	struct trigger_policy policy;
	int status = trigger_parse(&request, &filter, &policy, err);
	if (status != 0 && where.member != NULL) {
		*out_member = where.member;
		show_place(&where, err);
	}
	buf_free(&where.text);
	filter_free(filter);
	condition_env_free(conditions);
	return status;
}

struct config_judge engine_judge(void)
{
	return (struct config_judge){.trigger = judge_trigger};
}
