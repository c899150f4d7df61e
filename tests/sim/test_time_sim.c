/* This file lives random days of what is due later, made by a seed, and checks what must hold. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id.h"
#include "engine/core/alarm_book.h"
#include "engine/core/alarm_close.h"
#include "engine/core/expiry.h"
#include "engine/core/later.h"
#include "tests/sim/chance.h"
#include "tests/sim/days.h"
#include "tests/unit/core_world.h"

/*
 * DESIGN. A day puts calls for later into a queue, alarms on objects and records that expire, each
 * with a number, cancels some, lets time pass in steps and leaps, breaks the store, and restarts
 * the engine, cleanly or by a crash. At its end nothing fails any more and all times come. Then the
 * journal is read from its beginning, and must say of each number:
 *
 * 1. What was durable and not cancelled came: once.
 * 2. What was cancelled, or not known to be durable, came once or never.
 * 3. Nothing came before its time, nor without having been put.
 *
 * An alarm is one more wish to be told: its end, for nobody is for it, comes once behind it. Of all
 * that came no record is left but that of an alarm that has failed.
 *
 * SEED=n DAYS=1 lives one day again; ./dev test sim --seeds 1 --from n does.
 */
enum { TIME_DAYS = 150, TIME_STEPS = 120, WISHES_MAX = 1024 };

enum wish_kind { WISH_CALL, WISH_ALARM, WISH_EXPIRY, WISH_KINDS };

struct wish {
	struct store_waiter waiter;
	struct store_waiter cancelling;
	enum wish_kind kind;
	char name[64]; /* the id of a call, else the object's key */
	int64_t at_ms;
	bool is_durable;
	bool is_cancelled; /* or may be */
	int came, ended;
};

static struct wish wishes[WISHES_MAX];
static size_t wish_count;
static struct core core;
static struct alarm_book *book;
static struct expiry *expiry;

static void no_end(void *ctx, uint64_t seq, const struct dispatch_alarm_end *end)
{
	(void)ctx;
	(void)seq;
	(void)end;
}

static void no_match(void *ctx, const struct event *event, bool taken)
{
	(void)ctx;
	(void)event;
	(void)taken;
}

/* ---- lives ---- */

static void begin_life(void)
{
	world_up();
	offer("f0");
	core = (struct core){.store = world->store,
	                     .alarms = world->alarms,
	                     .catalog = world->catalog,
	                     .dispatch = world->dispatch,
	                     .react = world->react};
	book = alarm_book_new(&core);
	expiry = expiry_new(world->store, world->alarms);
	dispatch_on_alarm(world->dispatch, alarm_close_ended, alarm_book_closings(book));
	react_on_alarm(world->react, alarm_close_matched, alarm_book_closings(book));
	expiry_start(expiry);
	alarm_book_start(book);
	turn();
}

static void end_life(bool crash)
{
	react_on_alarm(world->react, no_match, NULL);
	dispatch_on_alarm(world->dispatch, no_end, NULL);
	alarm_book_free(book);
	expiry_free(expiry);
	world_down(crash);
}

static void heal(void)
{
	fault_plan(world->disk, FAULT_WRITE, FAULT_FAILS, 0, 0);
	while (!store_can_put(world->store)) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
	turn();
}

/* ---- wishes ---- */

static void is_durable(struct store_waiter *waiter, int status, const struct err *err)
{
	(void)err;
	MEM_CONTAINER(waiter, struct wish, waiter)->is_durable = status == 0;
}

static void is_cancelled(struct store_waiter *waiter, int status, const struct err *err)
{
	(void)waiter;
	(void)status;
	(void)err;
}

static void put_call(struct wish *wish, size_t number)
{
	char data[32];
	struct buf id = {0};
	(void)snprintf(data, sizeof data, "%zu", number);
	struct later later = {.at_ms = wish->at_ms,
	                      .queue = SPAN("q"),
	                      .call = SPAN("{\"function_id\":\"f0\"}"),
	                      .data = span_of(data)};
	laters_put(alarm_book_laters(book), &later, &id);
	assert_int_equal(id.len, LATER_ID_LEN);
	(void)snprintf(wish->name, sizeof wish->name, "%.*s", SPAN_ARG(buf_view(&id)));
	buf_free(&id);
}

static struct alarm_address address_of(const struct wish *wish)
{
	return (struct alarm_address){SPAN("a"), span_of(wish->name), SPAN("")};
}

static void put_alarm(struct wish *wish, size_t number)
{
	(void)snprintf(wish->name, sizeof wish->name, "%zu", number);
	const struct alarm_address address = address_of(wish);
	const struct alarm_record record = {.next_ms = wish->at_ms};
	alarm_store_put(alarm_book_store(book), &address, &record);
}

static void put_record(struct wish *wish, size_t number)
{
	(void)snprintf(wish->name, sizeof wish->name, "%zu", number);
	const struct record_key key = {SPACE_STATE, SPAN("s"), span_of(wish->name)};
	uint64_t seq = put((struct event){.key = key.key, .new_value = SPAN("1")});
	const struct record record = {.value = SPAN("1"), .rev = seq, .expires_at_ms = wish->at_ms};
	store_put(world->store, key, &record);
	expiry_note(expiry, key, wish->at_ms);
}

static void wish_some(void)
{
	static void (*const puts[WISH_KINDS])(struct wish * wish,
	                                      size_t number) = {put_call, put_alarm, put_record};
	for (int n = 1 + below(4); n > 0 && wish_count < WISHES_MAX; n--) {
		if (store_refuses(world->store, NULL) != 0) {
			return;
		}
		struct wish *wish = &wishes[wish_count];
		*wish = (struct wish){.kind = (enum wish_kind)below(WISH_KINDS)};
		wish->at_ms = store_time_ms(world->store) + below(20000) - 500;
		wish->waiter.done = is_durable;
		list_init(&wish->waiter.link);
		puts[wish->kind](wish, wish_count++);
		store_commit(world->store, &wish->waiter);
		if (below(2) == 0) {
			turn();
		}
	}
	turn();
}

/* What is said of it in memory is what will be on disk, unless that fails. */
static void cancel_one(void)
{
	struct wish *wish = wish_count != 0 ? &wishes[below((int)wish_count)] : NULL;
	if (wish == NULL || wish->is_cancelled || wish->kind == WISH_EXPIRY ||
	    store_refuses(world->store, NULL) != 0) {
		return;
	}
	wish->is_cancelled = true;
	wish->cancelling.done = is_cancelled;
	list_init(&wish->cancelling.link);
	if (wish->kind == WISH_CALL) {
		laters_remove(alarm_book_laters(book), span_of(wish->name));
	} else {
		const struct alarm_address address = address_of(wish);
		alarm_store_remove(alarm_book_store(book), &address);
	}
	store_commit(world->store, &wish->cancelling);
	if (below(2) == 0) {
		turn();
	}
}

static void answer_all(void)
{
	for (size_t i = 0; i < world->started_count; i++) {
		if (world->started[i].call != NULL) {
			end_call(&world->started[i], CALL_OK, "null");
		}
	}
	turn();
}

static void restart_somehow(void)
{
	heal();
	if (below(3) == 0) {
		flush();
	}
	end_life(below(2) == 0);
	if (below(3) == 0) {
		clock_advance(below(10000)); /* nobody is there when times come */
	}
	begin_life();
}

static void live_a_step(void)
{
	int dice = below(100);
	if (dice < 45) {
		wish_some();
	} else if (dice < 55) {
		cancel_one();
	} else if (dice < 65) {
		answer_all();
	} else if (dice < 85) {
		pass(50 + below(1500));
	} else if (dice < 90) {
		jump(below(5000));
	} else if (dice < 93) {
		enum fault_kind kind = below(2) ? FAULT_FAILS : FAULT_HAPPENS_AND_FAILS;
		fault_plan(world->disk, FAULT_WRITE, kind, 1, E_IO);
	} else if (dice < 95) {
		heal();
	} else {
		restart_somehow();
	}
}

/* ---- what came ---- */

struct reading {
	struct store_read read;
	bool is_done;
};

static struct wish *wish_of(enum wish_kind kind, struct span number)
{
	uint64_t at = UINT64_MAX;
	assert_true(id_parse_uint(number, &at) && at < wish_count);
	assert_int_equal(wishes[at].kind, kind);
	return &wishes[at];
}

static void meet(void *ctx, uint64_t seq, struct span bytes)
{
	(void)ctx;
	struct event event;
	assert_int_equal(event_decode(seq, bytes, &event, NULL), 0);
	struct wish *wish = NULL;
	if (event.kind == EVENT_QUEUED) {
		wish = wish_of(WISH_CALL, event.new_value);
	} else if (event.kind == EVENT_ALARM_DUE || event.kind == EVENT_ALARM_FAILED) {
		wish = wish_of(WISH_ALARM, event.key);
	} else if (event.kind == EVENT_DELETED) {
		assert_true(span_is(event.reason, "expired"));
		wish = wish_of(WISH_EXPIRY, event.key);
	}
	if (wish != NULL && event.kind == EVENT_ALARM_FAILED) {
		wish->ended++;
		assert_int_equal(wish->came, 1);
	} else if (wish != NULL) {
		wish->came++;
		assert_true(event.time_ms >= wish->at_ms);
	}
}

static void has_read(struct store_read *read, int status, const struct err *err)
{
	(void)err;
	assert_int_equal(status, 0);
	MEM_CONTAINER(read, struct reading, read)->is_done = true;
}

static void read_journal(void)
{
	struct reading reading = {
	        .read = {.from = 1, .count = UINT64_MAX, .entry = meet, .done = has_read}};
	store_read_start(world->store, &reading.read);
	while (!reading.is_done) {
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	}
}

static void check_day(void)
{
	size_t failed = 0;
	read_journal();
	for (size_t i = 0; i < wish_count; i++) {
		const struct wish *wish = &wishes[i];
		bool must_come = wish->is_durable && !wish->is_cancelled;
		assert_in_range(wish->came, must_come ? 1 : 0, 1);
		assert_int_equal(wish->ended <= wish->came, 1);
		if (wish->kind == WISH_ALARM && must_come) {
			assert_int_equal(wish->ended, 1);
		}
		failed += wish->kind == WISH_ALARM && wish->ended == 1;
	}
	assert_int_equal(fault_rows(world->disk, SPACE_ALARM, SPAN("")), 0);
	assert_int_equal(fault_rows(world->disk, SPACE_STATE, SPAN("s")), 0);
	assert_in_range(fault_rows(world->disk, SPACE_ALARM, SPAN("a")), 0, failed);
}

static void finish_day(void)
{
	heal();
	for (int i = 0; i < 30; i++) {
		pass(1000);
		answer_all();
	}
	flush();
}

static void live_a_day(uint64_t seed)
{
	void *state = NULL;
	random_state = seed;
	wish_count = 0;
	(void)world_set_up(&state);
	world->spec_count = 1;
	world->specs[0] = (struct trigger_spec){.origin = BINDING_CONFIG,
	                                        .id = SPAN("queue:q"),
	                                        .type = SPAN("queue"),
	                                        .namespace_ = SPAN("engine"),
	                                        .function_id = SPAN("engine::queue::run"),
	                                        .config = SPAN("{\"queue\":\"q\"}")};
	begin_life();
	for (int step = 0; step < TIME_STEPS; step++) {
		live_a_step();
	}
	finish_day();
	check_day();
	end_life(false);
	(void)world_tear_down(&state);
}

static void days_go_by(void **state)
{
	(void)state;
	days_live(live_a_day, 1, TIME_DAYS, BUILD_DIR "/test_time_sim_seed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(days_go_by)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
