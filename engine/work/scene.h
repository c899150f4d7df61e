/* This file reads all figures of the engine at once. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_SCENE_H
#define ENGINE_WORK_SCENE_H

#include "base/usage.h"
#include "engine/core/core.h"
#include "engine/core/figures.h"
#include "engine/core/function.h"
#include "engine/durable/alarm.h"
#include "engine/durable/store.h"
#include "engine/work/otlp.h"
#include "engine/work/series.h"
#include <stdint.h>

/* Good until the loop is returned to. */
struct scene {
	struct usage usage;
	struct store_stats store;
	struct alarm_stats timers;
	struct series series;
	struct figures figures; /* of all triggers, those that have gone, too */
	struct function_figures calls;
	struct otlp_stats telemetry;
	struct watch_counts watching;
	uint64_t watchers;
	const struct histogram *commits, *timers_late, *alarms_late, *expiry_late, *cron_late;
	const struct histogram *deliveries_late, *attempts;
	uint64_t ok, started_ms;
	uint64_t connections, handshake_failures, certificate_until_ms, workers, functions,
	        triggers, unbound;
	uint64_t calls_running, calls_waiting;
	uint64_t running;
	uint64_t writable, last_seq, first_seq, cursor, journal_bytes;
	uint64_t cache_bytes, cache_records, ahead_bytes, queued_bytes;
	uint64_t dead_count, dead_bytes;
	uint64_t timers_pending, timers_overdue;
	uint64_t alarms_in_memory, alarms_fired, alarms_failed, alarms_closing, later_queued;
	uint64_t expiry_in_memory, expired, cron_fired;
};

void scene_read(struct scene *scene, const struct core *core);
void scene_close(struct scene *scene);

#endif
