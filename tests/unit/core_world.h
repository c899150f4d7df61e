/* This file is the delivery core over a faulty disk, with a handler and a clock under control. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_CORE_WORLD_H
#define TESTS_UNIT_CORE_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/catalog.h"
#include "engine/core/catalog_load.h"
#include "engine/core/dead.h"
#include "engine/core/dispatch.h"
#include "engine/core/function.h"
#include "engine/core/job_store.h"
#include "engine/core/react.h"
#include "engine/durable/alarm.h"
#include "engine/durable/space.h"
#include "engine/durable/store.h"
#include "tests/adapters/fault_adapter.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

/*
 * DESIGN. The adapter is INLINE, so nothing runs on another thread: a turn of the loop does the
 * same every time. A call that reaches the fake worker stays open until the test answers it. What
 * was started is remembered over restarts.
 */
enum { WORLD_TRIGGERS = 8, WORLD_EPOCH_MS = 1000000 };

/* One call that reached a handler. */
struct started {
	char function[24];
	char key[24];
	char delivery_id[160];
	uint64_t seq;
	int attempt;
	int life;    /* of the engine, counted from 1 */
	bool failed; /* in a way that uses up an attempt */
	int64_t ended_ms;
	int64_t at_ms;     /* wall clock */
	struct span json;  /* what it was given; owned */
	struct call *call; /* NULL once it has ended */
};

struct world {
	uv_loop_t loop;
	struct fault_disk *disk;
	const struct adapter_type *adapter; /* fault_inline, unless a test says otherwise */
	struct store *store;
	struct alarms *alarms;
	struct condition_env *conditions;
	bool scans_all; /* no index */
	struct functions *functions;
	struct dead *dead;
	struct dispatch *dispatch;
	struct react *react;
	struct catalog *catalog;
	struct executor worker;
	bool is_up;
	int life;
	uint64_t cursor; /* as the start found it */
	bool is_loaded;
	int closed;
	uint32_t job_max;
	uint64_t loop_rate; /* 0: no bound */
	uint64_t dead_max;
	int64_t park_max_ms;
	struct trigger_spec specs[WORLD_TRIGGERS];
	size_t spec_count;
	struct started *started;
	size_t started_count;
	struct buf write; /* what write_data wrote */
};

static struct world *world;

/* ---- the fake worker ---- */

static inline struct started *find_started(const struct call *call)
{
	for (size_t i = world->started_count; i-- > 0;) {
		if (world->started[i].call == call) {
			return &world->started[i];
		}
	}
	fail_msg("a call that never started");
	return NULL;
}

static inline void text_member(struct span json, const char *name, char *out, size_t size)
{
	struct span found;
	struct buf text = {0};
	out[0] = '\0';
	if (json_get(json, span_of(name), &found) && json_kind(found) == JSON_STRING) {
		json_string(found, &text);
		(void)snprintf(out, size, "%.*s", SPAN_ARG(buf_view(&text)));
	}
	buf_free(&text);
}

static inline int64_t number_member(struct span json, const char *name)
{
	struct span found;
	int64_t number = 0;
	if (json_get(json, span_of(name), &found)) {
		(void)json_int64(found, &number);
	}
	return number;
}

static inline void worker_starts(struct executor *executor, struct provider *provider,
                                 struct call *call)
{
	(void)executor;
	world->started =
	        mem_grow(world->started, (world->started_count + 1) * sizeof *world->started);
	struct started *started = &world->started[world->started_count++];
	memset(started, 0, sizeof *started);
	buf_clear(&world->write);
	call->write_data(call, &world->write);
	struct span json = buf_view(&world->write);
	(void)snprintf(started->function, sizeof started->function, "%.*s",
	               SPAN_ARG(provider->function->id));
	text_member(json, "key", started->key, sizeof started->key);
	text_member(json, "delivery_id", started->delivery_id, sizeof started->delivery_id);
	started->seq = (uint64_t)number_member(json, "seq");
	started->attempt = (int)number_member(json, "attempt");
	started->life = world->life;
	started->at_ms = clock_wall_ms();
	started->json = mem_span(json);
	started->call = call;
}

static inline void worker_forgets(struct executor *executor, struct call *call)
{
	(void)executor;
	struct started *started = find_started(call);
	started->failed = world->is_up; /* it took too long; else its engine goes */
	started->ended_ms = clock_mono_ms();
	started->call = NULL;
}

static const struct executor_ops fake_worker = {
        .kind = "worker",
        .start = worker_starts,
        .forget = worker_forgets,
};

/* ---- turning ---- */

static inline void turn(void)
{
	for (int i = 0; i < 6; i++) {
		(void)uv_run(&world->loop, UV_RUN_NOWAIT);
	}
}

/* What was put without hurry is written now. */
static inline void flush(void)
{
	if (store_can_put(world->store)) {
		store_commit(world->store, NULL);
	}
	turn();
}

/* In steps as small as the engine's own waits, so that everything comes in its order. */
static inline void pass(int64_t ms)
{
	while (ms > 0) {
		int64_t step = ms < 50 ? ms : 50;
		clock_advance(step);
		ms -= step;
		(void)alarms_run_due(world->alarms);
		turn();
	}
	flush();
}

/* At once: what has become due fires late. */
static inline void jump(int64_t ms)
{
	clock_advance(ms);
	(void)alarms_run_due(world->alarms);
	turn();
}

/* ---- life ---- */

static inline void nothing_came(void *ctx)
{
	(void)ctx;
}

static inline void all_is_loaded(void *ctx, int status, const struct err *err)
{
	(void)err;
	(void)ctx;
	assert_int_equal(status, 0);
	world->is_loaded = true;
}

static inline void dead_are_counted(void *ctx, int status, const struct err *err)
{
	(void)err;
	(void)ctx;
	assert_int_equal(status, 0);
	catalog_load(world->catalog, world->store, world->dispatch, &world->cursor, all_is_loaded,
	             NULL);
}

static inline void world_sync(void)
{
	struct err err = {0};
	int status =
	        catalog_sync_config(world->catalog, world->specs, world->spec_count, NULL, &err);
	assert_string_equal(err.text, "");
	assert_int_equal(status, 0);
	turn();
}

static inline void build_core(void)
{
	world->conditions = condition_env_new();
	world->functions = functions_new(world->alarms);
	world->dead = dead_new(world->store, world->dead_max);
	const struct dispatch_options dispatch = {.job_max = world->job_max,
	                                          .conditions = world->conditions};
	world->dispatch =
	        dispatch_new(world->store, world->functions, world->alarms, world->dead, &dispatch);
	const struct react_options react = {.loop_depth = 16,
	                                    .loop_rate = world->loop_rate,
	                                    .park_max_ms = world->park_max_ms,
	                                    .conditions = world->conditions,
	                                    .scans_all = world->scans_all};
	world->react = react_new(world->store, world->dispatch, world->dead, world->alarms, &react);
	react_on_events(world->react, nothing_came, NULL);
	const struct catalog_options catalog = {
	        .conditions = world->conditions,
	        .detach_grace_ms = 60000,
	        .defaults = {.concurrency = 10,
	                     .timeout_ms = 30000,
	                     .retry = {.max_attempts = 3,
	                               .initial_ms = 1000,
	                               .max_ms = 60000,
	                               .multiplier = 2,
	                               .max_age_ms = 86400000}},
	};
	world->catalog = catalog_new(world->store, world->functions, world->alarms, world->dispatch,
	                             world->react, &catalog);
	executor_init(&world->worker, world->functions, &fake_worker, SPAN("worker-1"), 0);
}

static inline void world_up(void)
{
	struct err err = {0};
	world->life++;
	world->alarms = alarms_new(&world->loop);
	const struct store_options options = {
	        .adapter = world->adapter,
	        .how = {.dir = "/nowhere", .config = fault_config(world->disk)},
	        .cache_max_bytes = 1024 * 1024,
	        .recent_max_bytes = 1024 * 1024,
	        .view_lag_max_bytes = 1024 * 1024,
	};
	assert_int_equal(store_open(&world->loop, &options, &world->store, &err), 0);
	build_core();
	world->is_loaded = false;
	dead_load(world->dead, dead_are_counted, NULL);
	while (!world->is_loaded) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
	world_sync();
	react_start(world->react, world->cursor);
	catalog_start(world->catalog);
	world->is_up = true;
	turn();
}

static inline void one_is_closed(void *ctx)
{
	(void)ctx;
	world->closed++;
}

/* A crash loses what is not durable yet. */
static inline void world_down(bool crash)
{
	world->is_up = false;
	dispatch_stop(world->dispatch);
	if (crash) {
		fault_plan(world->disk, FAULT_WRITE, FAULT_FAILS, 1000000, E_IO);
	} else {
		react_stop(world->react);
	}
	executor_close(&world->worker);
	catalog_free(world->catalog);
	react_free(world->react);
	dispatch_free(world->dispatch);
	condition_env_free(world->conditions);
	dead_free(world->dead);
	functions_free(world->functions);
	world->closed = 0;
	store_close(world->store, one_is_closed, NULL);
	while (world->closed == 0) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
	alarms_close(world->alarms, one_is_closed, NULL);
	while (world->closed == 1) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
	fault_plan(world->disk, FAULT_WRITE, FAULT_FAILS, 0, 0);
	for (size_t i = 0; i < world->started_count; i++) {
		world->started[i].call = NULL;
	}
}

static inline void restart(bool crash)
{
	world_down(crash);
	world_up();
}

static inline int world_set_up(void **state)
{
	(void)state;
	log_open((enum log_level)(LOG_ERROR + 1), false);
	clock_set_manual(WORLD_EPOCH_MS);
	world = MEM_NEW(struct world);
	world->disk = fault_disk_new();
	world->adapter = &fault_inline;
	world->job_max = 1000;
	world->dead_max = 1024 * 1024;
	world->park_max_ms = 3600000;
	assert_int_equal(uv_loop_init(&world->loop), 0);
	return 0;
}

static inline int world_tear_down(void **state)
{
	(void)state;
	if (world->is_up) {
		world_down(false);
	}
	assert_int_equal(uv_run(&world->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	fault_disk_free(world->disk);
	buf_free(&world->write);
	for (size_t i = 0; i < world->started_count; i++) {
		mem_free((char *)world->started[i].json.ptr);
	}
	mem_free(world->started);
	mem_free(world);
	return 0;
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

/* ---- what tests do ---- */

static inline void offer(const char *function)
{
	(void)function_offer(&world->worker, SPAN("default"), span_of(function));
	turn();
}

static inline void withdraw(const char *function)
{
	function_withdraw(function_offered_by(&world->worker, SPAN("default"), span_of(function)));
	turn();
}

/* Declares a trigger of the config; it is there when the world is up or synced. */
static inline void declare(const char *id, const char *function, const char *config)
{
	struct trigger_spec spec = {
	        .origin = BINDING_CONFIG,
	        .id = span_of(id),
	        .type = SPAN("state"),
	        .function_id = span_of(function),
	        .config = span_of(config),
	};
	for (size_t i = 0; i < world->spec_count; i++) {
		if (span_equal(world->specs[i].id, spec.id)) {
			world->specs[i] = spec;
			return;
		}
	}
	assert_true(world->spec_count < WORLD_TRIGGERS);
	world->specs[world->spec_count++] = spec;
}

/* Puts an event without waiting. What is left out of it is filled in. */
static inline uint64_t put(struct event event)
{
	uint64_t seq = store_next_seq(world->store);
	struct adapter_head head;
	store_head(world->store, &head);
	event.epoch = head.epoch;
	event.kind = event.new_value.ptr == NULL   ? EVENT_DELETED
	             : event.old_value.ptr == NULL ? EVENT_CREATED
	                                           : EVENT_UPDATED;
	event.scope = SPAN("s");
	event.rev = seq;
	event.time_ms = clock_wall_ms();
	uint32_t value_at;
	event_encode(&event, store_entry_begin(world->store), &value_at);
	(void)store_entry_end(world->store);
	store_commit(world->store, NULL);
	return seq;
}

static inline uint64_t put_change(const char *key, const char *old_value, const char *new_value)
{
	return put((struct event){.key = span_of(key),
	                          .old_value = span_of(old_value),
	                          .new_value = span_of(new_value)});
}

static inline uint64_t put_event_at(const char *key, uint32_t depth)
{
	return put((struct event){.key = span_of(key),
	                          .old_value = SPAN("0"),
	                          .new_value = SPAN("1"),
	                          .cause = {.depth = depth}});
}

static inline uint64_t put_event(const char *key)
{
	return put_event_at(key, 0);
}

static inline uint64_t event(const char *key)
{
	uint64_t seq = put_event(key);
	turn();
	return seq;
}

static inline uint64_t change(const char *key, const char *old_value, const char *new_value)
{
	uint64_t seq = put_change(key, old_value, new_value);
	turn();
	return seq;
}

static inline struct started *open_call(uint64_t seq)
{
	for (size_t i = world->started_count; i-- > 0;) {
		if (world->started[i].seq == seq && world->started[i].call != NULL) {
			return &world->started[i];
		}
	}
	return NULL;
}

static inline bool is_running(uint64_t seq)
{
	return open_call(seq) != NULL;
}

static inline size_t starts_of(uint64_t seq)
{
	size_t count = 0;
	for (size_t i = 0; i < world->started_count; i++) {
		count += world->started[i].seq == seq;
	}
	return count;
}

static inline void end_call(struct started *started, enum call_end end, const char *result)
{
	assert_non_null(started);
	struct call *call = started->call;
	started->call = NULL;
	started->ended_ms = clock_mono_ms();
	started->failed = end == CALL_FAILED || strstr(result, "$pawl") != NULL;
	const struct call_result answer = {
	        .end = end,
	        .result = end == CALL_OK ? span_of(result) : SPAN_NONE,
	        .code = end == CALL_OK ? SPAN_NONE : SPAN("invocation_failed"),
	        .message = end == CALL_OK ? SPAN_NONE : span_of(result),
	        .worker = SPAN("worker-1"),
	};
	call_finish(call, &answer);
	turn();
}

static inline void answer(uint64_t seq)
{
	end_call(open_call(seq), CALL_OK, "null");
}

static inline void fails(uint64_t seq)
{
	end_call(open_call(seq), CALL_FAILED, "it broke");
}

/* The writes that come next fail; the store then recovers by itself. */
static inline void lose_writes(int times)
{
	fault_plan(world->disk, FAULT_WRITE, FAULT_FAILS, times, E_IO);
}

static inline bool has_job(const char *trigger, uint64_t seq)
{
	struct space_key room;
	return fault_has(world->disk, space_job(&room, span_of(trigger), seq));
}

static inline bool has_own_cursor(const char *trigger, uint64_t version)
{
	struct space_key room;
	return fault_has(world->disk, space_cursor_of(&room, span_of(trigger), version));
}

static inline struct binding *trigger(const char *id)
{
	return catalog_find(world->catalog, span_of(id));
}

/* ---- dead letters ---- */

struct dead_text {
	struct dead_list list;
	char text[4096];
	size_t count;
	bool is_done;
};

static inline bool add_dead(struct dead_list *list, struct span json)
{
	struct dead_text *out = MEM_CONTAINER(list, struct dead_text, list);
	size_t len = strlen(out->text);
	out->count++;
	(void)snprintf(out->text + len, sizeof out->text - len, "%.*s\n", SPAN_ARG(json));
	return true;
}

static inline void dead_done(struct dead_list *list, int status, const struct err *err)
{
	(void)status;
	(void)err;
	MEM_CONTAINER(list, struct dead_text, list)->is_done = true;
}

/* All dead letters, one in a line. */
static inline const char *dead_letters(size_t *out_count)
{
	static struct dead_text out;
	out = (struct dead_text){.list = {.each = add_dead, .done = dead_done}};
	dead_list_start(world->dead, &out.list, false);
	while (!out.is_done) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
	*out_count = out.count;
	return out.text;
}

static inline size_t dead_letter_count(void)
{
	size_t count;
	(void)dead_letters(&count);
	return count;
}

#endif
