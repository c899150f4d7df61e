/* This file lives random days of the delivery core, made by a seed, and checks what must hold. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/retain.h"
#include "tests/sim/days.h"
#include "tests/sim/rules.h"

/*
 * DESIGN. A day is a world of its own: a few triggers over a few keys, and a hundred steps of which
 * each writes, answers, fails, lets time pass, takes a function away, edits, pauses or resumes a
 * trigger, cancels, hurries or replays a delivery, breaks the store, or restarts the engine,
 * cleanly or by a crash. Meanwhile the journal forgets what is old or too much. At its end the
 * faults stop, all goes on, everything is answered with success.
 *
 * Behind every step must hold:
 * 1. What was durable once is durable.
 * 2. A cursor is before all that is owed without a record.
 * 3. The journal begins before all that somebody has still to read.
 * 4. A trigger has no more deliveries in memory, nor records on disk, than it may.
 *
 * At the end, or behind every restart:
 * 5. Every durable event that a version of a trigger wanted was handed to its handler, or is in a
 *    dead letter; one that came while the trigger was paused, dropping, was not; one that was
 *    cancelled may not have been.
 * 6. Of one (trigger, key) no event was started for the first time before an older one had been.
 * 7. Whatever was settled durably did not run again.
 * 8. The number of each attempt is one more than the failures before it; what failed last is dead,
 *    with as many attempts.
 * 9. Nothing is owed any more, no record is left, and the cursors stand at the head.
 *
 * SEED=n DAYS=1 lives one day again; ./dev test sim --seeds 1 --from n does.
 */
enum { DAYS = 200, STEPS = 120, DEFAULT_SEED = 1, SMALL_JOURNAL = 2000 };

static int wants_key[TRIGGERS]; /* which key a trigger wants; -1 any */
static struct retain *retain;
static struct retain_options retain_options;

/* ---- what happens ---- */

static void declare_randomly(int which)
{
	static char configs[TRIGGERS][256];
	char key[32] = "";
	wants_key[which] = below(3) == 0 ? below(KEYS) : -1;
	if (wants_key[which] >= 0) {
		(void)snprintf(key, sizeof key, "\"key\":\"k%d\",", wants_key[which]);
	}
	(void)snprintf(configs[which], sizeof configs[which],
	               "{%s%s%s\"concurrency\":%d,\"timeout_ms\":%d,"
	               "\"retry\":{\"max_attempts\":%d,\"initial_ms\":%d}}",
	               key, below(3) == 0 ? "\"concurrency_key\":\"key\"," : "",
	               below(3) == 0 ? "\"on_exhausted\":\"pause_key\"," : "", 1 + below(3),
	               500 + below(5000), 1 + below(4), 100 + below(3000));
	declare(trigger_ids[which], function_ids[which], configs[which]);
}

static void write_some(void)
{
	for (int n = 1 + below(4); n > 0 && store_refuses(world->store, NULL) == 0; n--) {
		char key[4];
		(void)snprintf(key, sizeof key, "k%d", below(KEYS));
		uint64_t seq = put_event(key);
		struct lived *now = note_event(seq, key);
		for (int i = 0; i < TRIGGERS; i++) {
			bool drops = pause_drops(&trigger(trigger_ids[i])->pause, seq);
			now->wanted[i] =
			        !drops && (wants_key[i] < 0 || wants_key[i] == key[1] - '0');
		}
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

static void end_some(void)
{
	static const char *const verbs[] = {"null", "null", "null",
	                                    "{\"$pawl\":{\"retry_after_ms\":700}}",
	                                    "{\"$pawl\":{\"fail\":true}}"};
	for (int n = 1 + below(4); n > 0; n--) {
		struct started *started = any_open();
		if (started == NULL) {
			return;
		}
		int dice = below(10);
		if (dice < 6) {
			end_call(started, CALL_OK, verbs[below(5)]);
		} else if (dice < 9) {
			end_call(started, CALL_FAILED, "it broke");
		} else {
			end_call(started, CALL_STOPPED, "it went");
		}
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

static void break_store(void)
{
	enum fault_kind kind = below(2) ? FAULT_FAILS : FAULT_HAPPENS_AND_FAILS;
	fault_plan(world->disk, FAULT_WRITE, kind, 1, E_IO);
}

static void edit_trigger(void)
{
	if (store_refuses(world->store, NULL) == 0) {
		flush(); /* what is open belongs to the old version for certain */
		if (store_refuses(world->store, NULL) == 0) {
			declare_randomly(below(TRIGGERS));
			world_sync();
		}
	}
}

/* Flushed before and after, so that the test knows from which event on it counts. */
static void pause_or_resume(void)
{
	struct span id = span_of(trigger_ids[below(TRIGGERS)]);
	enum trigger_pause mode = below(2) == 0 ? PAUSE_HOLD : PAUSE_DROP;
	bool resumes = below(3) == 0;
	flush();
	if (store_refuses(world->store, NULL) != 0) {
		return;
	}
	if (resumes) {
		(void)catalog_resume(world->catalog, id, NULL, NULL);
	} else {
		(void)catalog_pause(world->catalog, id, &mode, SPAN("sim"), NULL, NULL);
	}
	turn();
}

static void resume_everything(void)
{
	for (int i = 0; i < TRIGGERS; i++) {
		struct err err = {0};
		(void)catalog_resume(world->catalog, span_of(trigger_ids[i]), NULL, &err);
	}
	turn();
}

static struct delivery *any_delivery(const struct binding *binding)
{
	int skip = binding->held != 0 ? below((int)binding->held) : 0;
	LIST_EACH(&binding->deliveries, link)
	{
		if (skip-- == 0) {
			return MEM_CONTAINER(link, struct delivery, in_binding);
		}
	}
	return NULL;
}

/* Flushed before and after: durable unless the store is in trouble then. */
static void cancel_or_hurry(void)
{
	int which = below(TRIGGERS);
	flush();
	struct delivery *delivery = any_delivery(trigger(trigger_ids[which]));
	if (delivery == NULL || store_refuses(world->store, NULL) != 0) {
		return;
	}
	if (delivery->state == DELIVERY_SLEEPING && below(2) == 0) {
		dispatch_retry_now(world->dispatch, delivery);
	} else if (delivery->state != DELIVERY_BURYING) {
		uint64_t seq = delivery->seq;
		dispatch_cancel(world->dispatch, delivery);
		lived_of(seq)->cancelled[which] = true;
	}
	flush();
}

/* A past event that its trigger has done with, as a job of its own. */
static void replay_one(void)
{
	int which = below(TRIGGERS);
	struct binding *binding = trigger(trigger_ids[which]);
	struct lived *past = lived_count != 0 ? &lived[below((int)lived_count)] : NULL;
	flush();
	if (past == NULL || store_refuses(world->store, NULL) != 0 ||
	    past->seq > react_cursor(world->react, binding) || starts_by(which, past->seq) == 0 ||
	    catalog_find_owner(world->catalog, binding->id, past->seq) != NULL) {
		return;
	}
	char json[128];
	replays++;
	(void)snprintf(json, sizeof json,
	               "{\"key\":\"%s\",\"seq\":%llu,\"delivery_id\":\"faultlog-1-%llu/%s/r%u\"}",
	               past->key, (unsigned long long)past->seq, (unsigned long long)past->seq,
	               trigger_ids[which], replays);
	const struct job job = {.version = binding->version,
	                        .seq = past->seq,
	                        .scope = SPAN("s"),
	                        .key = span_of(past->key),
	                        .due_ms = clock_wall_ms() + below(3) * 500,
	                        .replay = replays,
	                        .event = span_of(json)};
	past->replayed[which] = true;
	job_store_put(world->store, binding, &job);
	dispatch_adopt(world->dispatch, binding, &job);
	flush();
}

static void heal(void)
{
	fault_plan(world->disk, FAULT_WRITE, FAULT_FAILS, 0, 0);
	while (!store_can_put(world->store)) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
	turn();
}

/* ---- lives of the engine ---- */

static void begin_life(void)
{
	world_up();
	retain = retain_new(world->store, world->react, world->alarms, &retain_options);
	offer_all();
}

static void end_life(bool crash)
{
	react_on_events(world->react, nothing_came, NULL);
	retain_free(retain);
	assert_true(world->life < LIVES_MAX);
	ends[world->life] = clock_mono_ms();
	world_down(crash);
}

static void restart_somehow(void)
{
	heal();
	if (below(3) == 0) {
		/* Long enough for every cursor and record to be on disk. */
		pass(2500);
		pass(300);
		forget_replaced();
		note_settled();
	}
	forget_replaced();
	end_life(below(2) == 0);
	begin_life();
	forget_lost();
	check_settled();
}

/* By whatever version. */
static void count_held(void *ctx, struct binding *binding)
{
	*(size_t *)ctx += binding->held;
}

/* Every key that waits for a person goes on. */
static void release_all(void *ctx, struct binding *binding)
{
	(void)ctx;
	LIST_EACH(&binding->deliveries, link)
	{
		struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_binding);
		if (delivery->state == DELIVERY_BLOCKED) {
			dispatch_release(world->dispatch, delivery);
			break; /* others may have gone with it */
		}
	}
}

/* Everything is answered; nothing fails any more. */
static void finish_day(void)
{
	heal();
	forget_lost();
	resume_everything();
	offer_all();
	for (int quiet = 0; quiet < 4;) {
		struct started *started = any_open();
		if (started != NULL) {
			end_call(started, CALL_OK, "null");
			quiet = 0;
			continue;
		}
		catalog_each(world->catalog, release_all, NULL);
		pass(500);
		jump(5000);
		size_t held = 0;
		catalog_each(world->catalog, count_held, &held);
		quiet = held == 0 ? quiet + 1 : 0;
	}
}

/* A version that ended, but whose removal was lost, is removed by the next start. */
static void sleep_over(void)
{
	pass(500);
	end_life(false);
	begin_life();
	pass(1000);
	pass(300);
}

static void live_a_step(void)
{
	int dice = below(100);
	if (dice < 35) {
		write_some();
	} else if (dice < 65) {
		end_some();
	} else if (dice < 67) {
		cancel_or_hurry();
	} else if (dice < 69) {
		replay_one();
	} else if (dice < 84) {
		pass(50 + below(1500));
	} else if (dice < 85) {
		pass(12000); /* the journal is looked at */
	} else if (dice < 89) {
		toggle_function();
	} else if (dice < 91) {
		edit_trigger();
	} else if (dice < 93) {
		pause_or_resume();
	} else if (dice < 96) {
		break_store();
	} else if (dice < 97) {
		heal();
	} else {
		restart_somehow();
	}
	forget_replaced();
	check_now();
}

static void choose_limits(void)
{
	world->job_max = 2 + (uint32_t)below(20);
	retain_options = (struct retain_options){
	        .max_age_ms = 5000 + below(60000),
	        .max_bytes = below(2) == 0 ? (uint64_t)SMALL_JOURNAL + (uint64_t)below(8000)
	                                   : UINT64_MAX,
	        .refuse_when_full = below(2) == 0,
	};
	fault_trim_by(world->disk, 1 + (uint64_t)below(10));
}

static void check_day(void)
{
	struct letters letters;
	letters_read(&letters);
	check_settled();
	check_deliveries(&letters);
	for (int which = 0; which < TRIGGERS; which++) {
		check_order(which);
	}
	check_attempts();
	check_outcomes(&letters);
	check_rest();
	mem_free(letters.all);
}

static void live_a_day(uint64_t seed)
{
	open_diary(seed);
	void *state = NULL;
	(void)world_set_up(&state);
	choose_limits();
	for (int which = 0; which < TRIGGERS; which++) {
		declare_randomly(which);
	}
	begin_life();
	for (int step = 0; step < STEPS; step++) {
		live_a_step();
	}
	finish_day();
	sleep_over();
	check_day();
	end_life(false);
	(void)world_tear_down(&state);
}

static void days_go_by(void **state)
{
	(void)state;
	days_live(live_a_day, DEFAULT_SEED, DAYS, BUILD_DIR "/test_sim_seed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(days_go_by)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
