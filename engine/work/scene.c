/* This file reads all figures of the engine at once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/scene.h"

#include "base/clock.h"
#include "engine/core/alarm_book.h"
#include "engine/core/catalog.h"
#include "engine/core/dead.h"
#include "engine/core/dispatch.h"
#include "engine/core/expiry.h"
#include "engine/core/health.h"
#include "engine/core/react.h"
#include "engine/core/timetable.h"
#include "engine/core/worker.h"

static void add_function(void *ctx, struct function *function)
{
	struct scene *scene = ctx;
	scene->functions++;
	scene->calls_running += function->running;
	LIST_EACH(&function->waiting, link)
	{
		scene->calls_waiting++;
	}
}

static void read_store(struct scene *scene, const struct core *core)
{
	struct adapter_head head;
	store_get_stats(core->store, &scene->store);
	store_head(core->store, &head);
	scene->writable = store_refuses(core->store, NULL) == 0;
	scene->last_seq = head.next_seq - 1;
	scene->first_seq = head.first_seq;
	scene->cursor = react_next_seq(core->react);
	scene->cursor -= scene->cursor > 0;
	scene->journal_bytes = store_journal_bytes(core->store);
	scene->cache_bytes = scene->store.cache_bytes;
	scene->cache_records = scene->store.cache_records;
	scene->ahead_bytes = scene->store.ahead_bytes;
	scene->queued_bytes = scene->store.queued_bytes;
	scene->commits = &scene->store.commit_us;
}

static void read_times(struct scene *scene, const struct core *core)
{
	struct alarm_book_stats alarms;
	struct expiry_stats expiry;
	const struct timetable_figures *cron = catalog_cron_figures(core->catalog);
	alarms_stats(core->alarms, &scene->timers);
	alarm_book_get_stats(core->alarm_book, &alarms);
	expiry_get_stats(core->expiry, &expiry);
	scene->timers_pending = scene->timers.pending;
	scene->timers_overdue = scene->timers.overdue;
	scene->timers_late = &scene->timers.late;
	scene->alarms_in_memory = alarms.agenda.in_memory;
	scene->alarms_fired = alarms.fired;
	scene->alarms_failed = alarms.failed;
	scene->alarms_closing = alarms.closing;
	scene->alarms_late = alarms.late;
	scene->later_queued = alarms.made_later;
	scene->expiry_in_memory = expiry.agenda.in_memory;
	scene->expired = expiry.expired;
	scene->expiry_late = expiry.late;
	scene->cron_fired = cron->fired;
	scene->cron_late = &cron->late;
}

static void read_deliveries(struct scene *scene, const struct core *core)
{
	series_gather(&scene->series, core->catalog);
	scene->figures = *dispatch_gone(core->dispatch);
	figures_add(&scene->figures, &scene->series.all.figures);
	scene->running = dispatch_running(core->dispatch);
	scene->deliveries_late = &dispatch_attempts(core->dispatch)->late_ms;
	scene->attempts = &dispatch_attempts(core->dispatch)->duration_us;
	scene->triggers = catalog_count(core->catalog);
	scene->unbound = catalog_unbound(core->catalog);
	scene->dead_count = dead_count(core->dead);
	scene->dead_bytes = dead_bytes(core->dead);
}

void scene_read(struct scene *scene, const struct core *core)
{
	*scene = (struct scene){
	        .ok = strcmp(health_word(core), "ok") == 0,
	        .started_ms = (uint64_t)core->started_ms,
	        .connections = core->peers.connections(core->peers.ctx),
	        .handshake_failures = core->peers.handshake_failures(core->peers.ctx),
	        .certificate_until_ms = (uint64_t)core->peers.certificate_until_ms(core->peers.ctx),
	        .workers = workers_count(core->workers),
	        .calls = *functions_figures(core->functions),
	        .watching = core->watching,
	        .watchers = core->watching.watchers,
	};
	usage_read(&scene->usage);
	otlp_get_stats(core->otlp, &scene->telemetry);
	functions_each(core->functions, add_function, scene);
	read_store(scene, core);
	read_times(scene, core);
	read_deliveries(scene, core);
}

void scene_close(struct scene *scene)
{
	series_close(&scene->series);
}
