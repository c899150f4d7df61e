/* This file lives random days of triggers that shape their events, and checks what must hold. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/chance.h"
#include "tests/sim/days.h"
#include "tests/unit/core_world.h"

#include "engine/core/window.h"

/*
 * DESIGN. As test_sim, with three triggers that want every event: one batches, one debounces, one
 * batches and is throttled. A day writes, answers, names events that failed, lets time pass, takes
 * a function away, edits, pauses and resumes triggers, breaks the store, and restarts the engine.
 * At its end all is answered with success, and then must hold:
 *
 * 1. Every durable event was in exactly one delivery of each trigger that batches; of the one that
 *    debounces, its windows have together taken as many events as there are, and the last (or
 *    first) event of each of them was delivered.
 * 2. No batch grew from one attempt to the next; what was done durably did not come again.
 * 3. Of one key the deliveries began in the order of their events.
 * 4. The throttled one never started more often than it may.
 * 5. No window, job or cursor of its own is left, and the cursors stand at the head.
 *
 * SEED=n DAYS=1 lives one day again.
 */
enum {
	DAYS = 80,
	STEPS = 120,
	KEYS = 3,
	EVENTS_MAX = 4096,
	TRIGGERS = 3,
	DEBOUNCES = 1,
	THROTTLED = 2,
	INTERVAL_MS = 400
};

struct lived {
	uint64_t seq;
	int key;
	bool done[TRIGGERS]; /* durably */
};

static struct lived lived[EVENTS_MAX];
static size_t lived_count;
static size_t restarts_at[STEPS]; /* calls that had been started by then */
static size_t restart_count;

static const char *const trigger_ids[TRIGGERS] = {"t0", "t1", "t2"};
static const char *const function_ids[TRIGGERS] = {"f0", "f1", "f2"};

/* ---- what happens ---- */

static void declare_randomly(int which)
{
	static char configs[TRIGGERS][400];
	static const char common[] =
	        "\"timeout_ms\":5000,\"retry\":{\"max_attempts\":1000,\"initial_ms\":%d,"
	        "\"max_age\":\"365d\"}}";
	char *out = configs[which];
	size_t size = sizeof configs[which];
	int len;
	if (which == DEBOUNCES) {
		int wait = 100 + below(1500);
		len = snprintf(out, size,
		               "{\"debounce\":{\"key\":\"key\",\"wait_ms\":%d,\"max_delay_ms\":%d,"
		               "\"keep\":\"%s\"},",
		               wait, wait + below(4000), below(2) ? "last" : "first");
	} else {
		len = snprintf(out, size,
		               "{\"batch\":{\"max_size\":%d,\"max_wait_ms\":%d,\"key\":\"key\"},",
		               1 + below(6), 50 + below(2500));
	}
	if (which == THROTTLED) {
		len += snprintf(out + len, size - (size_t)len,
		                "\"throttle\":{\"rate\":10,\"per_ms\":%d},", 10 * INTERVAL_MS);
	}
	(void)snprintf(out + len, size - (size_t)len, common, 100 + below(2000));
	declare(trigger_ids[which], function_ids[which], out);
}

static void write_some(void)
{
	for (int n = 1 + below(5); n > 0 && store_refuses(world->store, NULL) == 0; n--) {
		int key = below(KEYS);
		char name[4];
		(void)snprintf(name, sizeof name, "k%d", key);
		uint64_t seq = put_event(name);
		/* A lost group gives its seqs again. */
		while (lived_count > 0 && lived[lived_count - 1].seq >= seq) {
			lived_count--;
		}
		assert_true(lived_count < EVENTS_MAX);
		lived[lived_count++] = (struct lived){.seq = seq, .key = key};
		if (below(2) == 0) {
			turn();
		}
	}
	turn();
}

static struct started *any_open(void)
{
	size_t first = world->started_count ? (size_t)below((int)world->started_count) : 0;
	for (size_t i = 0; i < world->started_count; i++) {
		struct started *started = &world->started[(first + i) % world->started_count];
		if (started->call != NULL) {
			return started;
		}
	}
	return NULL;
}

static int which_of(const struct started *started)
{
	return started->function[1] - '0';
}

static struct span events_of(const struct started *started)
{
	struct span events;
	assert_true(json_get(started->json, SPAN("events"), &events));
	return events;
}

static void name_some(const struct started *started, struct buf *out)
{
	struct span item;
	struct span id;
	BUF_LITERAL(out, "{\"$pawl\":{\"failed\":[");
	for (struct json_iter iter = json_iter(events_of(started)); json_next_item(&iter, &item);) {
		if (below(2) == 0 && json_get(item, SPAN("id"), &id)) {
			json_write_comma(out);
			buf_span(out, id);
		}
	}
	BUF_LITERAL(out, "]}}");
	buf_byte(out, '\0');
}

static void end_some(void)
{
	for (int n = 1 + below(3); n > 0; n--) {
		struct started *started = any_open();
		if (started == NULL) {
			return;
		}
		struct buf answer_text = {0};
		int dice = below(10);
		if (dice < 4) {
			end_call(started, CALL_OK, "null");
		} else if (dice < 7 && which_of(started) != DEBOUNCES) {
			name_some(started, &answer_text);
			end_call(started, CALL_OK, answer_text.ptr);
		} else if (dice < 9) {
			end_call(started, CALL_FAILED, "it broke");
		} else {
			end_call(started, CALL_STOPPED, "it went");
		}
		buf_free(&answer_text);
	}
}

static void offer_all(void)
{
	for (int i = 0; i < TRIGGERS; i++) {
		offer(function_ids[i]);
	}
}

static void toggle_function(void)
{
	int which = below(TRIGGERS);
	struct span id = span_of(function_ids[which]);
	if (function_offered_by(&world->worker, SPAN("default"), id) != NULL) {
		withdraw(function_ids[which]);
	} else {
		offer(function_ids[which]);
	}
}

/* Not the throttled one: each version has paces of its own. */
static void edit_trigger(void)
{
	if (store_refuses(world->store, NULL) == 0) {
		flush();
		if (store_refuses(world->store, NULL) == 0) {
			declare_randomly(below(THROTTLED));
			world_sync();
		}
	}
}

static void pause_or_resume(bool resumes)
{
	struct span id = span_of(trigger_ids[below(TRIGGERS)]);
	enum trigger_pause hold = PAUSE_HOLD;
	struct err err;
	if (store_refuses(world->store, NULL) == 0) {
		if (resumes) {
			(void)catalog_resume(world->catalog, id, NULL, &err);
		} else {
			(void)catalog_pause(world->catalog, id, &hold, SPAN("sim"), NULL, &err);
		}
		turn();
	}
}

static void break_store(void)
{
	enum fault_kind kind = below(2) ? FAULT_FAILS : FAULT_HAPPENS_AND_FAILS;
	fault_plan(world->disk, FAULT_WRITE, kind, 1, E_IO);
}

static void heal(void)
{
	fault_plan(world->disk, FAULT_WRITE, FAULT_FAILS, 0, 0);
	while (!store_can_put(world->store)) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
	turn();
}

static void forget_lost(void)
{
	while (lived_count > 0 && lived[lived_count - 1].seq > store_durable_seq(world->store)) {
		lived_count--;
	}
}

/* ---- what must hold ---- */

static struct lived *lived_of(uint64_t seq)
{
	for (size_t i = 0; i < lived_count; i++) {
		if (lived[i].seq == seq) {
			return &lived[i];
		}
	}
	return NULL;
}

static bool has_event(const struct started *started, uint64_t seq)
{
	struct span item;
	for (struct json_iter iter = json_iter(events_of(started)); json_next_item(&iter, &item);) {
		if ((uint64_t)number_member(item, "seq") == seq) {
			return true;
		}
	}
	return false;
}

static bool is_held(int which, uint64_t seq)
{
	for (uint32_t version = 1; version < 100; version++) {
		const struct binding *binding =
		        catalog_find_version(world->catalog, span_of(trigger_ids[which]), version);
		if (binding != NULL && (dispatch_has_seq(binding, seq) ||
		                        (binding->lagging && seq >= binding->next_seq))) {
			return true;
		}
	}
	return false;
}

/* With everything flushed, an event of a batch that was started and is not held is done. */
static void note_done(void)
{
	for (size_t i = 0; i < world->started_count; i++) {
		const struct started *started = &world->started[i];
		int which = which_of(started);
		struct span item;
		if (which == DEBOUNCES) {
			struct lived *event = lived_of(started->seq);
			if (event != NULL && !is_held(which, started->seq)) {
				event->done[which] = true;
			}
			continue;
		}
		for (struct json_iter iter = json_iter(events_of(started));
		     json_next_item(&iter, &item);) {
			struct lived *event = lived_of((uint64_t)number_member(item, "seq"));
			if (event != NULL && !is_held(which, event->seq)) {
				event->done[which] = true;
			}
		}
	}
}

/* None of those that were done is in a call that was started since. */
static void check_done(size_t from)
{
	for (size_t i = from; i < world->started_count; i++) {
		const struct started *started = &world->started[i];
		int which = which_of(started);
		for (size_t j = 0; j < lived_count; j++) {
			bool has = which == DEBOUNCES ? started->seq == lived[j].seq
			                              : has_event(started, lived[j].seq);
			if (has && lived[j].done[which]) {
				fail_msg("event %llu was done and came again in %s",
				         (unsigned long long)lived[j].seq, started->delivery_id);
			}
		}
	}
}

static void restart_somehow(void)
{
	heal();
	if (below(3) == 0) {
		pass(2500);
		pass(300);
		note_done();
	}
	if (restart_count < STEPS) {
		restarts_at[restart_count++] = world->started_count;
	}
	size_t from = world->started_count;
	restart(below(2) == 0);
	forget_lost();
	offer_all();
	pass(500);
	check_done(from);
}

/* One delivery, whatever its attempts, has each event. */
static void check_batches(int which)
{
	for (size_t i = 0; i < lived_count; i++) {
		const char *id = NULL;
		bool left = false;
		for (size_t j = 0; j < world->started_count; j++) {
			const struct started *started = &world->started[j];
			if (which_of(started) != which) {
				continue;
			}
			bool has = has_event(started, lived[i].seq);
			if (has && id != NULL && strcmp(id, started->delivery_id) != 0) {
				fail_msg("event %llu is in %s and in %s",
				         (unsigned long long)lived[i].seq, id,
				         started->delivery_id);
			}
			if (has && left) {
				fail_msg("event %llu came again in %s",
				         (unsigned long long)lived[i].seq, id);
			}
			if (has) {
				id = started->delivery_id;
			}
		}
		if (id == NULL) {
			fail_msg("event %llu (k%d) is in no batch of t%d",
			         (unsigned long long)lived[i].seq, lived[i].key, which);
		}
	}
}

static bool is_first_call(size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (strcmp(world->started[i].function, world->started[at].function) == 0 &&
		    strcmp(world->started[i].delivery_id, world->started[at].delivery_id) == 0) {
			return false;
		}
	}
	return true;
}

static void check_windows_taken(void)
{
	for (int key = 0; key < KEYS; key++) {
		size_t came = 0;
		size_t taken = 0;
		for (size_t i = 0; i < lived_count; i++) {
			came += lived[i].key == key;
		}
		for (size_t i = 0; i < world->started_count; i++) {
			const struct started *started = &world->started[i];
			if (which_of(started) == DEBOUNCES && started->key[1] - '0' == key &&
			    is_first_call(i)) {
				taken += (size_t)number_member(started->json, "debounced");
			}
		}
		if (came != taken) {
			fail_msg("of k%d came %zu events, windows took %zu", key, came, taken);
		}
	}
}

static uint64_t first_seq_of(const struct started *started, int *out_key)
{
	struct span item = started->json;
	if (which_of(started) != DEBOUNCES) {
		struct json_iter iter = json_iter(events_of(started));
		assert_true(json_next_item(&iter, &item));
	}
	char key[8];
	text_member(item, "key", key, sizeof key);
	*out_key = key[1] - '0';
	return (uint64_t)number_member(item, "seq");
}

static void check_order(int which)
{
	uint64_t last[KEYS] = {0};
	for (size_t i = 0; i < world->started_count; i++) {
		if (which_of(&world->started[i]) != which || !is_first_call(i)) {
			continue;
		}
		int key;
		uint64_t seq = first_seq_of(&world->started[i], &key);
		if (seq <= last[key]) {
			fail_msg("%s (k%d) began behind %llu", world->started[i].delivery_id, key,
			         (unsigned long long)last[key]);
		}
		last[key] = seq;
	}
}

/* An interval below a second is not kept over a restart. */
static void check_pace(void)
{
	enum { MANY = 5, SLACK_MS = 100 };
	int64_t at[MANY];
	size_t count = 0;
	size_t restarts = 0;
	for (size_t i = 0; i < world->started_count; i++) {
		while (restarts < restart_count && restarts_at[restarts] <= i) {
			restarts++;
			count = 0;
		}
		if (which_of(&world->started[i]) != THROTTLED) {
			continue;
		}
		int64_t now = world->started[i].at_ms;
		if (count >= MANY && now - at[count % MANY] < MANY * INTERVAL_MS - SLACK_MS) {
			fail_msg("%d starts within %lld ms", MANY + 1,
			         (long long)(now - at[count % MANY]));
		}
		at[count++ % MANY] = now;
	}
}

static void check_rest(void)
{
	for (size_t i = 0; i < lived_count; i++) {
		for (int which = 0; which < TRIGGERS; which++) {
			struct space_key room;
			assert_false(has_job(trigger_ids[which], lived[i].seq));
			for (uint32_t version = 1; version < 20; version++) {
				assert_false(
				        fault_has(world->disk,
				                  space_window(&room, span_of(trigger_ids[which]),
				                               version, lived[i].seq)));
			}
		}
	}
	assert_int_equal(catalog_count(world->catalog), TRIGGERS);
	for (int which = 0; which < TRIGGERS; which++) {
		struct binding *binding = trigger(trigger_ids[which]);
		assert_int_equal(binding->held + binding->windows->count, 0);
		assert_int_equal(binding->windows->events, 0);
		assert_false(binding->lagging);
		assert_int_equal(react_cursor(world->react, binding),
		                 store_durable_seq(world->store));
	}
}

static void count_held(void *ctx, struct binding *binding)
{
	*(size_t *)ctx += binding->held + windows_count(binding->windows);
}

static void is_bounded(void *ctx, struct binding *binding)
{
	(void)ctx;
	assert_true(binding->held + windows_count(binding->windows) <= world->job_max);
	uint64_t needed = windows_first_needed(binding->windows);
	assert_true(needed == 0 || react_first_needed(world->react) <= needed);
}

static void finish_day(void)
{
	heal();
	forget_lost();
	for (int i = 0; i < TRIGGERS; i++) {
		struct err err;
		(void)catalog_resume(world->catalog, span_of(trigger_ids[i]), NULL, &err);
	}
	turn();
	offer_all();
	for (int quiet = 0; quiet < 4;) {
		struct started *started = any_open();
		if (started != NULL) {
			end_call(started, CALL_OK, "null");
			quiet = 0;
			continue;
		}
		pass(500);
		size_t held = 0;
		catalog_each(world->catalog, count_held, &held);
		quiet = held == 0 ? quiet + 1 : 0;
	}
	pass(500);
	restart(false);
	if (restart_count < STEPS) {
		restarts_at[restart_count++] = world->started_count;
	}
	offer_all();
	pass(1000);
	pass(300);
}

static void live_a_step(void)
{
	int dice = below(100);
	if (dice < 35) {
		write_some();
	} else if (dice < 60) {
		end_some();
	} else if (dice < 82) {
		pass(50 + below(1500));
	} else if (dice < 86) {
		toggle_function();
	} else if (dice < 89) {
		edit_trigger();
	} else if (dice < 92) {
		pause_or_resume(below(2) == 0);
	} else if (dice < 95) {
		break_store();
	} else if (dice < 96) {
		heal();
	} else {
		restart_somehow();
	}
	catalog_each(world->catalog, is_bounded, NULL);
}

static void live_a_day(uint64_t seed)
{
	random_state = seed;
	lived_count = 0;
	restart_count = 0;
	void *state = NULL;
	(void)world_set_up(&state);
	world->job_max = 3 + (uint32_t)below(20);
	for (int which = 0; which < TRIGGERS; which++) {
		declare_randomly(which);
	}
	world_up();
	offer_all();
	for (int step = 0; step < STEPS; step++) {
		live_a_step();
	}
	finish_day();
	for (int which = 0; which < TRIGGERS; which++) {
		if (which != DEBOUNCES) {
			check_batches(which);
		}
		check_order(which);
	}
	check_windows_taken();
	check_pace();
	check_rest();
	(void)world_tear_down(&state);
}

static void days_go_by(void **state)
{
	(void)state;
	days_live(live_a_day, 1, DAYS, BUILD_DIR "/test_shape_sim_seed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(days_go_by)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
