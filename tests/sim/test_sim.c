/* This file lives random days of the delivery core, made by a seed, and checks what must hold. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core_world.h"

/*
 * DESIGN. A day is a world of its own: a few triggers over a few keys, and a hundred steps of which
 * each writes, answers, fails, lets time pass, takes a function away, edits, pauses or resumes a
 * trigger, cancels, hurries or replays a delivery, breaks the store, or restarts the engine,
 * cleanly or by a crash. At its end the faults stop, all goes on, everything is answered with
 * success, and then must hold:
 *
 * 1. Every durable event that a version of a trigger wanted was handed to its handler, or is dead;
 *    one that came while the trigger was paused, dropping, was not; one that was cancelled may not
 *    have been.
 * 2. Of one (trigger, key) no event was started for the first time before an older one had been.
 * 3. Whatever was settled durably did not run again.
 * 4. Nothing is owed any more, no record is left, and the cursors stand at the head.
 *
 * At any time: a cursor on disk is before all that is owed without a record.
 *
 * SEED=n DAYS=1 lives one day again.
 */
enum { DAYS = 300, STEPS = 120, KEYS = 4, EVENTS_MAX = 4096, DEFAULT_SEED = 1 };

struct lived {
	uint64_t seq;
	char key[4];
	bool wanted[WORLD_TRIGGERS]; /* by the version of then */
	bool cancelled[WORLD_TRIGGERS];
	bool replayed[WORLD_TRIGGERS];
	bool settled[WORLD_TRIGGERS]; /* durably: its job record went, or the cursor passed it */
	size_t starts_then[WORLD_TRIGGERS];
};

static uint64_t random_state;
static struct lived lived[EVENTS_MAX];
static size_t lived_count;
static int wants_key[WORLD_TRIGGERS]; /* which key a trigger wants; -1 any */

static uint64_t next_random(void)
{
	random_state += 0x9e3779b97f4a7c15u;
	uint64_t mixed = random_state;
	mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
	mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
	return mixed ^ (mixed >> 31);
}

static int below(int bound)
{
	return (int)(next_random() % (uint64_t)bound);
}

static const char *const trigger_ids[] = {"t0", "t1", "t2"};
static const char *const function_ids[] = {"f0", "f1", "f2"};
enum { TRIGGERS = 3 };

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
		/* A lost group gives its seqs again. */
		while (lived_count > 0 && lived[lived_count - 1].seq >= seq) {
			lived_count--;
		}
		assert_true(lived_count < EVENTS_MAX);
		struct lived *now = &lived[lived_count++];
		*now = (struct lived){.seq = seq};
		memcpy(now->key, key, sizeof key);
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

static struct lived *lived_of(uint64_t seq)
{
	for (size_t i = 0; i < lived_count; i++) {
		if (lived[i].seq == seq) {
			return &lived[i];
		}
	}
	fail_msg("event %llu never was", (unsigned long long)seq);
	return NULL;
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

static size_t starts_by(int which, uint64_t seq);

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
	char json[64];
	(void)snprintf(json, sizeof json, "{\"key\":\"%s\",\"seq\":%llu}", past->key,
	               (unsigned long long)past->seq);
	const struct job job = {.version = binding->version,
	                        .seq = past->seq,
	                        .scope = SPAN("s"),
	                        .key = span_of(past->key),
	                        .due_ms = clock_wall_ms() + below(3) * 500,
	                        .replay = 1000,
	                        .event = span_of(json)};
	past->replayed[which] = true;
	job_store_put(world->store, binding, &job);
	dispatch_adopt(world->dispatch, binding, &job);
	flush();
}

/* A seq that was lost may have become that of an event which tells of a dead letter. */
static void forget_replaced(void)
{
	size_t kept = 0;
	for (size_t i = 0; i < lived_count; i++) {
		struct span bytes;
		struct event event;
		bool is_other = store_recent(world->store, lived[i].seq, &bytes) &&
		                event_decode(lived[i].seq, bytes, &event, NULL) == 0 &&
		                event.kind == EVENT_DEAD;
		if (!is_other) {
			lived[kept++] = lived[i];
		}
	}
	lived_count = kept;
}

static void heal(void)
{
	fault_plan(world->disk, FAULT_WRITE, FAULT_FAILS, 0, 0);
	while (!store_can_put(world->store)) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
	turn();
}

/* ---- what must hold ---- */

static size_t starts_by(int which, uint64_t seq)
{
	size_t count = 0;
	for (size_t i = 0; i < world->started_count; i++) {
		const struct started *started = &world->started[i];
		count += started->seq == seq && strcmp(started->function, function_ids[which]) == 0;
	}
	return count;
}

static void cursors_are_before_what_is_owed(void *ctx, struct binding *binding)
{
	(void)ctx;
	uint64_t owed = dispatch_first_owed_by(binding);
	assert_true(owed == 0 || react_cursor(world->react, binding) < owed);
}

static bool is_owed(int which, uint64_t seq)
{
	for (uint32_t version = 1; version < 100; version++) {
		struct binding *binding =
		        catalog_find_version(world->catalog, span_of(trigger_ids[which]), version);
		if (binding == NULL) {
			continue;
		}
		if (binding->lagging && seq >= binding->next_seq) {
			return true; /* it is to be read again */
		}
		LIST_EACH(&binding->deliveries, link)
		{
			if (MEM_CONTAINER(link, struct delivery, in_binding)->seq == seq) {
				return true;
			}
		}
	}
	return false;
}

/* With everything flushed, what was started and is not owed any more is settled for good. */
static void note_settled(void)
{
	uint64_t durable = store_durable_seq(world->store);
	for (size_t i = 0; i < lived_count && lived[i].seq <= durable; i++) {
		for (int which = 0; which < TRIGGERS; which++) {
			size_t starts = starts_by(which, lived[i].seq);
			if (!lived[i].settled[which] &&
			    (starts != 0 || lived[i].cancelled[which]) &&
			    !is_owed(which, lived[i].seq)) {
				lived[i].settled[which] = true;
				lived[i].starts_then[which] = starts;
			}
		}
	}
}

static void check_settled(void)
{
	for (size_t i = 0; i < lived_count; i++) {
		for (int which = 0; which < TRIGGERS; which++) {
			size_t starts = starts_by(which, lived[i].seq);
			if (lived[i].settled[which] && !lived[i].replayed[which] &&
			    starts != lived[i].starts_then[which]) {
				fail_msg("event %llu ran again for trigger %d: %zu starts, %zu "
				         "when it was settled",
				         (unsigned long long)lived[i].seq, which, starts,
				         lived[i].starts_then[which]);
			}
		}
	}
}

static void forget_lost(void)
{
	while (lived_count > 0 && lived[lived_count - 1].seq > store_durable_seq(world->store)) {
		lived_count--;
	}
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
	restart(below(2) == 0);
	forget_lost();
	offer_all();
	check_settled();
}

static void check_order(int which)
{
	uint64_t last[KEYS] = {0};
	for (size_t i = 0; i < world->started_count; i++) {
		const struct started *started = &world->started[i];
		if (strcmp(started->function, function_ids[which]) != 0) {
			continue;
		}
		int key = started->key[1] - '0';
		bool is_first = true;
		for (size_t j = 0; j < i; j++) {
			is_first &= world->started[j].seq != started->seq ||
			            strcmp(world->started[j].function, started->function) != 0;
		}
		if (is_first) {
			if (started->seq <= last[key]) {
				fail_msg("%s: event %llu (%s) began behind %llu",
				         started->delivery_id, (unsigned long long)started->seq,
				         started->key, (unsigned long long)last[key]);
			}
			last[key] = started->seq;
		}
	}
}

static void check_deliveries(void)
{
	for (size_t i = 0; i < lived_count; i++) {
		for (int which = 0; which < TRIGGERS; which++) {
			size_t starts = starts_by(which, lived[i].seq);
			if (lived[i].wanted[which] != (starts != 0) && !lived[i].cancelled[which]) {
				fail_msg("event %llu (%s): trigger %d wanted it: %d, starts: %zu",
				         (unsigned long long)lived[i].seq, lived[i].key, which,
				         lived[i].wanted[which], starts);
			}
		}
	}
}

static void check_rest(void)
{
	for (size_t i = 0; i < lived_count; i++) {
		for (int which = 0; which < TRIGGERS; which++) {
			assert_false(has_job(trigger_ids[which], lived[i].seq));
		}
	}
	assert_int_equal(catalog_count(world->catalog), TRIGGERS);
	for (int which = 0; which < TRIGGERS; which++) {
		struct binding *binding = trigger(trigger_ids[which]);
		assert_int_equal(binding->held, 0);
		assert_false(binding->lagging);
		assert_int_equal(react_cursor(world->react, binding),
		                 store_durable_seq(world->store));
	}
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
	restart(false);
	offer_all();
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
	} else if (dice < 85) {
		pass(50 + below(1500));
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
	catalog_each(world->catalog, cursors_are_before_what_is_owed, NULL);
}

static void live_a_day(uint64_t seed)
{
	random_state = seed;
	lived_count = 0;
	void *state = NULL;
	(void)world_set_up(&state);
	world->job_max = 2 + (uint32_t)below(20);
	for (int which = 0; which < TRIGGERS; which++) {
		declare_randomly(which);
	}
	world_up();
	offer_all();
	for (int step = 0; step < STEPS; step++) {
		live_a_step();
	}
	finish_day();
	sleep_over();
	check_settled();
	check_deliveries();
	for (int which = 0; which < TRIGGERS; which++) {
		check_order(which);
	}
	check_rest();
	(void)world_tear_down(&state);
}

static long number_of(const char *name, long otherwise)
{
	const char *text = getenv(name);
	return text != NULL ? strtol(text, NULL, 10) : otherwise;
}

static void days_go_by(void **state)
{
	(void)state;
	long seed = number_of("SEED", DEFAULT_SEED);
	long days = number_of("DAYS", DAYS);
	for (long day = 0; day < days; day++) {
		/* What cmocka says of a failure does not name the day. */
		FILE *note = fopen(BUILD_DIR "/sim_seed", "w");
		if (note != NULL) {
			(void)fprintf(note, "SEED=%ld DAYS=1\n", seed + day);
			(void)fclose(note);
		}
		live_a_day((uint64_t)(seed + day));
	}
	print_message("%ld days from SEED=%ld\n", days, seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(days_go_by)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
