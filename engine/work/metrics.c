/* This file is the table of metrics: name, kind, meaning, and where each figure comes from. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/metrics.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/work/builtin.h"
#include "engine/work/scene.h"

/* ---- what has labels of its own ---- */

static void write_build(const struct metric *metric, const void *at, struct buf *out)
{
	const struct exposition_label label = {"version", SPAN(PAWL_VERSION)};
	(void)at;
	exposition_uint(out, metric->name, &label, 1, 1);
}

static void write_calls(const struct metric *metric, const void *at, struct buf *out)
{
	static const char *const ends[] = {"ok", "failed", "timeout", "stopped", "refused"};
	const struct scene *scene = at;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		const struct exposition_label label = {"end", span_of(ends[i])};
		exposition_uint(out, metric->name, &label, 1, scene->calls.ended[i]);
	}
}

static void write_deliveries(const struct metric *metric, const void *at, struct buf *out)
{
	const struct figures *figures = &((const struct scene *)at)->figures;
	const struct {
		struct span outcome;
		uint64_t count;
	} rows[] = {
	        {SPAN("delivered"), figures->delivered}, {SPAN("declined"), figures->declined},
	        {SPAN("dead"), figures->buried},         {SPAN("cancelled"), figures->cancelled},
	        {SPAN("dropped"), figures->dropped},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct exposition_label label = {"outcome", rows[i].outcome};
		exposition_uint(out, metric->name, &label, 1, rows[i].count);
	}
}

static void write_signals(const struct metric *metric, const uint64_t counts[OTLP_SIGNALS],
                          struct buf *out)
{
	static const char *const signals[OTLP_SIGNALS] = {"traces", "metrics", "logs"};
	for (size_t i = 0; i < OTLP_SIGNALS; i++) {
		const struct exposition_label label = {"signal", span_of(signals[i])};
		exposition_uint(out, metric->name, &label, 1, counts[i]);
	}
}

static void write_frames(const struct metric *metric, const void *at, struct buf *out)
{
	write_signals(metric, ((const struct scene *)at)->telemetry.taken, out);
}

static void write_sent(const struct metric *metric, const void *at, struct buf *out)
{
	write_signals(metric, ((const struct scene *)at)->telemetry.sent, out);
}

static void write_unsent(const struct metric *metric, const void *at, struct buf *out)
{
	write_signals(metric, ((const struct scene *)at)->telemetry.dropped, out);
}

/* No sample where there is no certificate: its end would be 1970. */
static void write_certificate(const struct metric *metric, const void *at, struct buf *out)
{
	const struct scene *scene = at;
	if (scene->certificate_until_ms != 0) {
		exposition_parts(out, metric->name, NULL, 0, scene->certificate_until_ms, 1000);
	}
}

static void write_trigger_deliveries(const struct metric *metric, const void *at, struct buf *out)
{
	series_write_deliveries(&((const struct scene *)at)->series, metric->name, out);
}

/* ---- the table ---- */

#define ROW(name, kind, source, member, help)                                                      \
	{                                                                                          \
		name, EXPOSITION_##kind, help, METRIC_##source, offsetof(struct scene, member),    \
		        NULL                                                                       \
	}
#define EACH(name, kind, member, help)                                                             \
	{                                                                                          \
		name, EXPOSITION_##kind, help, METRIC_SERIES,                                      \
		        offsetof(struct series_item, member), NULL                                 \
	}
#define OWN(name, kind, write, help)                                                               \
	{                                                                                          \
		name, EXPOSITION_##kind, help, METRIC_OWN, 0, write                                \
	}

static const struct metric metrics[] = {
        OWN("pawl_build_info", GAUGE, write_build, "1, with the version as its label."),
        ROW("pawl_ok", GAUGE, UINT, ok, "1 while the engine can do its work."),
        ROW("pawl_start_time_seconds", GAUGE, MS, started_ms,
            "When the engine was started, since 1970."),

        ROW("pawl_store_writable", GAUGE, UINT, writable, "1 while writes are taken."),
        ROW("pawl_events_total", COUNTER, UINT, store.entries,
            "Events that became durable: changes, alarms, messages."),
        ROW("pawl_commits_total", COUNTER, UINT, store.groups,
            "Groups of events and records that were written."),
        ROW("pawl_syncs_total", COUNTER, UINT, store.syncs,
            "Times that the journal was synced by itself, not in a commit."),
        ROW("pawl_commits_failed_total", COUNTER, UINT, store.failed_groups,
            "Groups that could not be written."),
        ROW("pawl_store_recoveries_total", COUNTER, UINT, store.recoveries,
            "Times that the store was opened anew after a failure."),
        ROW("pawl_commit_duration_seconds", HISTOGRAM, TIMES_US, commits,
            "From asking for a commit until it is durable."),
        ROW("pawl_store_looks_total", COUNTER, UINT, store.looks, "Records that were looked up."),
        ROW("pawl_store_fetches_total", COUNTER, UINT, store.fetches,
            "Look-ups that had to be read from the disk."),
        ROW("pawl_store_scans_total", COUNTER, UINT, store.scans, "Pages of lists that were read."),
        ROW("pawl_store_queued_bytes", GAUGE, UINT, queued_bytes,
            "Bytes that wait to be written to the journal."),
        ROW("pawl_journal_bytes", GAUGE, UINT, journal_bytes, "Size of the journal."),
        ROW("pawl_journal_first_seq", GAUGE, UINT, first_seq, "The first event in the journal."),
        ROW("pawl_journal_last_seq", GAUGE, UINT, last_seq, "The last durable event."),
        ROW("pawl_journal_matched_seq", GAUGE, UINT, cursor,
            "The last event that the triggers have been asked about."),
        ROW("pawl_view_behind_bytes", GAUGE, UINT, ahead_bytes,
            "Bytes that are in the journal and not yet in the database."),
        ROW("pawl_cache_bytes", GAUGE, UINT, cache_bytes, "Records in memory, in bytes."),
        ROW("pawl_cache_records", GAUGE, UINT, cache_records, "Records in memory."),

        ROW("pawl_connections", GAUGE, UINT, connections, "Open connections."),
        ROW("pawl_tls_handshake_failures_total", COUNTER, UINT, handshake_failures,
            "Connections whose TLS handshake failed, or was not done in time."),
        OWN("pawl_tls_certificate_end_seconds", GAUGE, write_certificate,
            "Until when the TLS certificate is good, since 1970; none without TLS."),
        ROW("pawl_watchers", GAUGE, UINT, watchers, "Watch streams that are open."),
        ROW("pawl_watch_sent_total", COUNTER, UINT, watching.sent,
            "Events that were sent to watchers."),
        ROW("pawl_watch_reread_total", COUNTER, UINT, watching.reread,
            "Events that single watchers got from the journal."),
        ROW("pawl_watch_cut_total", COUNTER, UINT, watching.cut,
            "Watchers that were cut off, as they did not read fast enough."),
        ROW("pawl_workers", GAUGE, UINT, workers, "Workers on the socket."),
        ROW("pawl_functions", GAUGE, UINT, functions, "Functions that somebody serves."),
        ROW("pawl_calls_running", GAUGE, UINT, calls_running, "Calls of functions that run."),
        ROW("pawl_calls_waiting", GAUGE, UINT, calls_waiting,
            "Calls that wait for somebody to have room."),
        OWN("pawl_calls_total", COUNTER, write_calls,
            "Calls of functions that were started and ended, by their end."),

        ROW("pawl_triggers", GAUGE, UINT, triggers, "Triggers, queues included."),
        ROW("pawl_triggers_unbound", GAUGE, UINT, unbound,
            "Triggers whose function nobody has offered yet."),
        ROW("pawl_matched_total", COUNTER, UINT, figures.matched,
            "Times that an event woke a trigger."),
        OWN("pawl_deliveries_total", COUNTER, write_deliveries,
            "Deliveries that have ended, by their outcome."),
        ROW("pawl_failed_attempts_total", COUNTER, UINT, figures.failed_attempts,
            "Attempts that the handler failed."),
        ROW("pawl_retries_total", COUNTER, UINT, figures.retries,
            "Attempts that were put off after a failure."),
        ROW("pawl_condition_errors_total", COUNTER, UINT, figures.condition_errors,
            "Conditions that came to no answer."),
        ROW("pawl_deliveries_running", GAUGE, UINT, running, "Attempts that run."),
        ROW("pawl_deliveries_waiting", GAUGE, UINT, series.all.waiting,
            "Deliveries in memory that wait: for room, for a function, for another try."),
        ROW("pawl_triggers_lagging", GAUGE, UINT, series.all.lagging,
            "Triggers that are served from the journal, as they owe too much."),
        ROW("pawl_triggers_paused", GAUGE, UINT, series.all.paused, "Triggers that are paused."),
        ROW("pawl_delivery_lateness_seconds", HISTOGRAM, TIMES_MS, deliveries_late,
            "From the event until its first attempt began."),
        ROW("pawl_attempt_duration_seconds", HISTOGRAM, TIMES_US, attempts,
            "How long attempts took."),
        ROW("pawl_dead_letters", GAUGE, UINT, dead_count, "Dead letters that nobody has seen to."),
        ROW("pawl_dead_letters_bytes", GAUGE, UINT, dead_bytes, "Their size."),

        ROW("pawl_timers_pending", GAUGE, UINT, timers_pending, "Waits of all kinds in memory."),
        ROW("pawl_timers_overdue", GAUGE, UINT, timers_overdue, "Of those: due and not over."),
        ROW("pawl_timer_lateness_seconds", HISTOGRAM, TIMES_MS, timers_late,
            "How long after its time a wait was over."),
        ROW("pawl_alarms_in_memory", GAUGE, UINT, alarms_in_memory, "Alarms that are due soon."),
        ROW("pawl_alarms_fired_total", COUNTER, UINT, alarms_fired, "Alarms that fired."),
        ROW("pawl_alarms_failed_total", COUNTER, UINT, alarms_failed,
            "Alarms whose handler was given up."),
        ROW("pawl_alarms_closing", GAUGE, UINT, alarms_closing,
            "Alarms whose end is being written."),
        ROW("pawl_alarm_lateness_seconds", HISTOGRAM, TIMES_MS, alarms_late,
            "How long after its time an alarm fired."),
        ROW("pawl_later_queued_total", COUNTER, UINT, later_queued,
            "Calls for later that were put into their queues."),
        ROW("pawl_records_expiring_in_memory", GAUGE, UINT, expiry_in_memory,
            "Records that expire soon."),
        ROW("pawl_records_expired_total", COUNTER, UINT, expired, "Records that have expired."),
        ROW("pawl_expiry_lateness_seconds", HISTOGRAM, TIMES_MS, expiry_late,
            "How long after its time a record was put away."),
        ROW("pawl_cron_fired_total", COUNTER, UINT, cron_fired, "Times at which cron fired."),
        ROW("pawl_cron_lateness_seconds", HISTOGRAM, TIMES_MS, cron_late,
            "How long after its time a cron trigger fired."),

        OWN("pawl_telemetry_frames_total", COUNTER, write_frames,
            "Frames of telemetry that workers sent."),
        OWN("pawl_telemetry_sent_total", COUNTER, write_sent,
            "Spans, log lines and frames that the collector took."),
        OWN("pawl_telemetry_dropped_total", COUNTER, write_unsent,
            "Those that it did not get: refused, too many, or no collector."),

        EACH("pawl_trigger_matched_total", COUNTER, figures.matched,
             "Times that an event woke the trigger."),
        OWN("pawl_trigger_deliveries_total", COUNTER, write_trigger_deliveries,
            "Deliveries of the trigger that have ended, by their outcome."),
        EACH("pawl_trigger_failed_attempts_total", COUNTER, figures.failed_attempts,
             "Attempts of the trigger that the handler failed."),
        EACH("pawl_trigger_retries_total", COUNTER, figures.retries,
             "Attempts of the trigger that were put off after a failure."),
        EACH("pawl_trigger_condition_errors_total", COUNTER, figures.condition_errors,
             "Times that the trigger's condition came to no answer."),
        EACH("pawl_trigger_running", GAUGE, running, "Attempts of the trigger that run."),
        EACH("pawl_trigger_waiting", GAUGE, waiting, "Deliveries of the trigger that wait."),
        EACH("pawl_trigger_paused_keys", GAUGE, paused_keys,
             "Keys that stand still behind a dead delivery."),
        EACH("pawl_trigger_lagging", GAUGE, lagging, "1 while it is served from the journal."),
        EACH("pawl_trigger_paused", GAUGE, paused, "1 while it is paused."),

        ROW("process_resident_memory_bytes", GAUGE, UINT, usage.resident_bytes,
            "Memory that the process occupies."),
        ROW("process_virtual_memory_bytes", GAUGE, UINT, usage.virtual_bytes,
            "Address space of the process."),
        ROW("process_cpu_seconds_total", COUNTER, US, usage.cpu_us,
            "Processor time, user and system."),
        ROW("process_open_fds", GAUGE, UINT, usage.open_fds, "Open file descriptors."),
        ROW("process_max_fds", GAUGE, UINT, usage.max_fds, "How many there may be."),
};

enum { METRIC_COUNT = sizeof metrics / sizeof *metrics };

const struct metric *metrics_table(size_t *out_count)
{
	*out_count = METRIC_COUNT;
	return metrics;
}

/* ---- writing ---- */

static uint64_t number_at(const struct scene *scene, const struct metric *metric)
{
	uint64_t value;
	memcpy(&value, (const char *)scene + metric->offset, sizeof value);
	return value;
}

static const struct histogram *times_at(const struct scene *scene, const struct metric *metric)
{
	const struct histogram *times;
	memcpy(&times, (const char *)scene + metric->offset, sizeof times);
	return times;
}

static void write_metric(const struct metric *metric, const struct scene *scene, struct buf *out)
{
	static const struct exposition_buckets in_ms = {.parts = 1000, .least = 1, .decades = 6};
	static const struct exposition_buckets in_us = {
	        .parts = 1000000, .least = 10, .decades = 7};
	exposition_begin(out, metric->name, metric->kind, metric->help);
	switch (metric->source) {
	case METRIC_UINT:
		exposition_uint(out, metric->name, NULL, 0, number_at(scene, metric));
		break;
	case METRIC_MS:
		exposition_parts(out, metric->name, NULL, 0, number_at(scene, metric), 1000);
		break;
	case METRIC_US:
		exposition_parts(out, metric->name, NULL, 0, number_at(scene, metric), 1000000);
		break;
	case METRIC_TIMES_MS:
		exposition_histogram(out, metric->name, times_at(scene, metric), &in_ms);
		break;
	case METRIC_TIMES_US:
		exposition_histogram(out, metric->name, times_at(scene, metric), &in_us);
		break;
	case METRIC_SERIES:
		series_write(&scene->series, metric->name, metric->offset, out);
		break;
	case METRIC_OWN:
		metric->write(metric, scene, out);
		break;
	}
}

void metrics_write(const struct core *core, struct buf *out)
{
	struct scene *scene = MEM_NEW(struct scene);
	scene_read(scene, core);
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		write_metric(&metrics[i], scene, out);
	}
	scene_close(scene);
	mem_free(scene);
}

/* ---- the function ---- */

static void tell_metrics(struct work *work, struct span data)
{
	struct buf text = {0};
	(void)data;
	metrics_write(work->core, &text);
	json_write_string(&work->out, buf_view(&text));
	buf_free(&text);
	work_reply_out(work);
}

const struct builtin_row builtin_metric_rows[] = {
        {"engine::metrics", tell_metrics, "All figures, as a text that Prometheus reads."},
        {NULL, NULL, NULL},
};
