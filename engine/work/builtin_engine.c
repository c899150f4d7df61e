/* This file answers questions about the engine: functions, status, log. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/core/alarm_book.h"
#include "engine/core/catalog.h"
#include "engine/core/dead.h"
#include "engine/core/expiry.h"
#include "engine/core/health.h"
#include "engine/core/react.h"
#include "engine/core/timetable.h"
#include "engine/core/worker.h"
#include "engine/durable/alarm.h"
#include "engine/durable/store.h"
#include "engine/work/builtin.h"
#include "engine/work/queues.h"
#include "wire/traceparent.h"

static void write_time(struct buf *out, const char *name, int64_t wall_ms)
{
	char text[CLOCK_TEXT_LEN + 1];
	clock_format(wall_ms, text);
	json_write_member_string(out, name, span_of(text));
}

/* ---- functions ---- */

static void write_optional(struct buf *out, const char *name, struct span json)
{
	if (json.len != 0) {
		json_write_member_raw(out, name, json);
	}
}

static void write_function(struct function *function, struct buf *out)
{
	struct provider *first = LIST_FIRST(&function->providers, struct provider, in_function);
	size_t count = 0;
	size_t running = 0;
	LIST_EACH(&function->providers, link)
	{
		count++;
		running += MEM_CONTAINER(link, struct provider, in_function)->executor->running;
	}
	buf_byte(out, '{');
	json_write_member_string(out, "function_id", function->id);
	json_write_member_string(out, "namespace", function->namespace_);
	json_write_member_string(out, "kind", span_of(first->executor->ops->kind));
	json_write_member_string(out, "worker_id", first->executor->name);
	json_write_member_uint(out, "providers", count);
	json_write_member_uint(out, "running", running);
	json_write_member_string(out, "description", first->description);
	if (function_disabled(function).ptr != NULL) {
		json_write_member_string(out, "disabled", function_disabled(function));
	}
	write_optional(out, "request_format", first->request_format);
	write_optional(out, "response_format", first->response_format);
	write_optional(out, "metadata", first->metadata);
	buf_byte(out, '}');
}

struct function_list {
	struct work *work;
	bool internal;
};

static void add_function(void *ctx, struct function *function)
{
	struct function_list *list = ctx;
	if (list->internal || !span_is(function->namespace_, "engine")) {
		json_write_comma(&list->work->out);
		write_function(function, &list->work->out);
	}
}

static void list_functions(struct work *work, struct span data)
{
	struct function_list list = {work, work_bool(data, "include_internal")};
	BUF_LITERAL(&work->out, "{\"functions\":[");
	functions_each(work->core->functions, add_function, &list);
	BUF_LITERAL(&work->out, "]}");
	work_reply_out(work);
}

static void show_function(struct work *work, struct span data)
{
	struct span id = work_text(data, "function_id", &work->data);
	struct span namespace_ = work_text(data, "namespace", &work->data);
	struct function *function = function_find(work->core->functions, namespace_, id);
	if (function == NULL) {
		work_refuse(work, "function_not_found",
		            "no worker serves \"%.*s\"; `pawl functions` lists what is served",
		            SPAN_ARG(id));
		return;
	}
	write_function(function, &work->out);
	work_reply_out(work);
}

static void enable_function(struct work *work, struct span data)
{
	struct span id = work_text(data, "function_id", &work->data);
	struct buf text = {0};
	struct function *function =
	        function_find(work->core->functions, work_text(data, "namespace", &text), id);
	buf_free(&text);
	if (function == NULL) {
		work_refuse(work, "function_not_found",
		            "no worker serves \"%.*s\"; `pawl functions` lists what is served",
		            SPAN_ARG(id));
		return;
	}
	bool was_disabled = function_disabled(function).ptr != NULL;
	function_enable(function);
	buf_byte(&work->out, '{');
	json_write_member_bool(&work->out, "was_disabled", was_disabled);
	buf_byte(&work->out, '}');
	work_reply_out(work);
}

/* ---- status ---- */

static void write_quantiles(const char *name, const struct histogram *times, struct buf *out)
{
	json_write_name(out, name);
	buf_byte(out, '{');
	json_write_member_int(out, "p50", histogram_quantile(times, 500));
	json_write_member_int(out, "p99", histogram_quantile(times, 990));
	json_write_member_int(out, "max", times->max);
	buf_byte(out, '}');
}

/* How long after its time something was done. */
static void write_lateness(const struct histogram *late, struct buf *out)
{
	write_quantiles("lateness_ms", late, out);
}

static void write_store(const struct core *core, struct buf *out)
{
	struct adapter_head head;
	struct store_stats stats;
	struct err why;
	store_head(core->store, &head);
	store_get_stats(core->store, &stats);
	bool refuses = store_refuses(core->store, &why) != 0;
	json_write_name(out, "store");
	buf_byte(out, '{');
	json_write_member_string(out, "log", span_of(head.log));
	json_write_member_uint(out, "epoch", head.epoch);
	json_write_member_uint(out, "first_seq", head.first_seq);
	json_write_member_uint(out, "last_seq", head.next_seq - 1);
	json_write_member_bool(out, "volatile", head.volatile_data);
	json_write_member_bool(out, "writable", !refuses);
	if (refuses) {
		json_write_member_string(out, "reason", span_of(why.code));
		json_write_member_string(out, "message", span_of(why.text));
	}
	json_write_member_uint(out, "journal_bytes", store_journal_bytes(core->store));
	json_write_member_uint(out, "groups", stats.groups);
	json_write_member_uint(out, "syncs", stats.syncs);
	json_write_member_uint(out, "entries", stats.entries);
	json_write_member_uint(out, "recoveries", stats.recoveries);
	json_write_member_uint(out, "cache_bytes", stats.cache_bytes);
	json_write_member_uint(out, "cache_records", stats.cache_records);
	json_write_member_uint(out, "view_behind_bytes", stats.ahead_bytes);
	write_quantiles("commit_us", &stats.commit_us, out);
	buf_byte(out, '}');
}

static void write_expiry(const struct core *core, struct buf *out)
{
	struct expiry_stats stats;
	expiry_get_stats(core->expiry, &stats);
	json_write_name(out, "expiry");
	buf_byte(out, '{');
	json_write_member_uint(out, "in_memory", stats.agenda.in_memory);
	if (stats.agenda.next_ms != 0) {
		write_time(out, "next", stats.agenda.next_ms);
	}
	json_write_member_bool(out, "all_in_memory", stats.agenda.horizon_ms == INT64_MAX);
	json_write_member_uint(out, "expired", stats.expired);
	write_lateness(stats.late, out);
	buf_byte(out, '}');
}

static void write_timers(const struct core *core, struct buf *out)
{
	struct alarm_stats stats;
	int64_t next_ms = alarms_next_ms(core->alarms);
	alarms_stats(core->alarms, &stats);
	json_write_name(out, "timers");
	buf_byte(out, '{');
	json_write_member_uint(out, "pending", stats.pending);
	json_write_member_uint(out, "overdue", stats.overdue);
	if (next_ms < CLOCK_MOST_MS) {
		write_time(out, "next_due", next_ms);
	}
	json_write_member_uint(out, "fired", stats.fired);
	write_lateness(&stats.late, out);
	buf_byte(out, '}');
}

static void write_alarms(const struct core *core, struct buf *out)
{
	struct alarm_book_stats stats;
	alarm_book_get_stats(core->alarm_book, &stats);
	json_write_name(out, "alarms");
	buf_byte(out, '{');
	json_write_member_uint(out, "in_memory", stats.agenda.in_memory);
	if (stats.agenda.next_ms != 0) {
		write_time(out, "next_due", stats.agenda.next_ms);
	}
	bool is_late = stats.agenda.next_ms != 0 && stats.agenda.next_ms <= clock_wall_ms();
	json_write_member_bool(out, "overdue", is_late);
	json_write_member_uint(out, "fired", stats.fired);
	json_write_member_uint(out, "failed", stats.failed);
	json_write_member_uint(out, "closing", stats.closing);
	write_lateness(stats.late, out);
	buf_byte(out, '}');
	json_write_name(out, "scheduled");
	buf_byte(out, '{');
	json_write_member_uint(out, "put_in_queues", stats.made_later);
	buf_byte(out, '}');
}

static void write_cron(const struct core *core, struct buf *out)
{
	const struct timetable_figures *figures = catalog_cron_figures(core->catalog);
	json_write_name(out, "cron");
	buf_byte(out, '{');
	json_write_member_uint(out, "fired", figures->fired);
	write_lateness(&figures->late, out);
	buf_byte(out, '}');
}

static void write_addresses(const struct core *core, struct buf *out)
{
	const struct {
		const char *name;
		const char *address;
	} rows[] = {{"listen", core->address},
	            {"tls_listen", core->tls_address},
	            {"unix_path", core->socket_path},
	            {"http_listen", core->front}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].address[0] != '\0') {
			json_write_member_string(out, rows[i].name, span_of(rows[i].address));
		}
	}
}

static void write_watching(const struct core *core, struct buf *out)
{
	const struct watch_counts *watching = &core->watching;
	json_write_member_uint(out, "watchers", watching->watchers);
	json_write_name(out, "watch");
	buf_byte(out, '{');
	json_write_member_uint(out, "interests", watching->interests);
	json_write_member_uint(out, "events", watching->events);
	json_write_member_uint(out, "sent", watching->sent);
	json_write_member_uint(out, "reread", watching->reread);
	json_write_member_uint(out, "cut", watching->cut);
	buf_byte(out, '}');
}

static void status(struct work *work, struct span data)
{
	(void)data;
	const struct core *core = work->core;
	struct buf *out = &work->out;
	buf_byte(out, '{');
	json_write_member_string(out, "status", span_of(health_word(core)));
	json_write_member_string(out, "version", SPAN(PAWL_VERSION));
	json_write_member_string(out, "service", span_of(core->service_name));
	write_addresses(core, out);
	write_time(out, "started_at", core->started_ms);
	json_write_member_uint(out, "workers", workers_count(core->workers));
	write_watching(core, out);
	size_t queues = queues_count(core->catalog);
	json_write_member_uint(out, "triggers", catalog_count(core->catalog) - queues);
	json_write_member_uint(out, "queues", queues);
	json_write_member_uint(out, "unbound_triggers", catalog_unbound(core->catalog));
	json_write_member_uint(out, "dead_letters", dead_count(core->dead));
	json_write_member_string(out, "clock", clock_is_virtual() ? SPAN("manual") : SPAN("real"));
	write_time(out, "now", clock_wall_ms());
	write_timers(core, out);
	write_store(core, out);
	write_alarms(core, out);
	write_expiry(core, out);
	write_cron(core, out);
	if (core->config.tell != NULL) {
		json_write_name(out, "config");
		buf_byte(out, '{');
		core->config.tell(core->config.ctx, out);
		buf_byte(out, '}');
	}
	buf_byte(out, '}');
	work_reply_out(work);
}

/* ---- log, and what is not there ---- */

/* Of a line that a handler writes it is known where in a trace that is. */
static void log_at(struct work *work, struct span data, enum log_level level)
{
	struct span message = work_text(data, "message", &work->data);
	struct traceparent at;
	char text[TRACEPARENT_ROOM];
	const char *before = log_set_trace(NULL);
	if (traceparent_read(work->call->traceparent, &at)) {
		traceparent_write(&at, text);
		(void)log_set_trace(text);
	}
	log_say(level, "worker", "%.*s", SPAN_ARG(message.len ? message : data));
	(void)log_set_trace(before);
	work_reply(work, SPAN_NONE);
}

static void log_at_info(struct work *work, struct span data)
{
	log_at(work, data, LOG_INFO);
}

static void log_at_warn(struct work *work, struct span data)
{
	log_at(work, data, LOG_WARN);
}

static void log_at_error(struct work *work, struct span data)
{
	log_at(work, data, LOG_ERROR);
}

static void log_at_debug(struct work *work, struct span data)
{
	log_at(work, data, LOG_DEBUG);
}

static void not_available(struct work *work, struct span data)
{
	(void)data;
	work_refuse(work, "not_available", "%.*s is not available in this version of pawl",
	            SPAN_ARG(work->call->function_id));
}

const struct builtin_row builtin_engine_rows[] = {
        {"engine::functions::list", list_functions, "Lists the functions that somebody serves."},
        {"engine::functions::info", show_function, "Shows one function."},
        {"engine::functions::enable", enable_function,
         "Lets a function that was disabled be called again."},
        {"engine::status", status, "Tells how the engine is."},
        {"engine::health::check", status, "Tells how the engine is."},
        {"engine::log::info", log_at_info, "Writes a line to the engine's log."},
        {"engine::log::warn", log_at_warn, "Writes a line to the engine's log."},
        {"engine::log::error", log_at_error, "Writes a line to the engine's log."},
        {"engine::log::debug", log_at_debug, "Writes a line to the engine's log."},
        {"engine::channels::create", not_available, "Channels are not available yet."},
        {"publish", not_available, "Topics are not available yet."},
        {"iii::durable::publish", not_available, "Topics are not available yet."},
        {NULL, NULL, NULL},
};
