/* This file steps a virtual clock from one due time to the next. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/clock_turn.h"

#include "base/clock.h"
#include "base/mem.h"
#include "engine/core/dispatch.h"
#include "engine/core/react.h"
#include "engine/core/retain.h"
#include "engine/durable/store.h"

/* Who is called behind us in the same round may still begin something: one calm look says little.
 */
enum { LOOK_MS = 1, CALM_LOOKS = 2 };

static void finish(struct clock_turn *turn, int status, const struct err *err)
{
	turn->core->turn = NULL;
	turn->done(turn, status, err);
}

static void finish_stopping(struct clock_turn *turn)
{
	struct err err;
	int status = err_set(&err, E_CANCELED, "shutting_down", "the engine is shutting down");
	finish(turn, status, &err);
}

/* Looks again when all that has been put is durable, and its events have been matched. */
static void look_soon(struct clock_turn *turn)
{
	store_commit(turn->core->store, &turn->waiter);
}

static void look_later(struct clock_turn *turn)
{
	turn->calm = 0;
	alarm_set_real(turn->core->alarms, &turn->look, LOOK_MS);
}

static void turn_to(struct clock_turn *turn, int64_t wall_ms)
{
	alarms_turn(turn->core->alarms, wall_ms - clock_wall_ms());
	turn->since_ms = turn->looked_ms = clock_real_ms();
	turn->calm = 0;
}

static void step(struct clock_turn *turn)
{
	int64_t next_ms = alarms_next_ms(turn->core->alarms);
	if (next_ms > turn->to_ms) {
		turn_to(turn, turn->to_ms);
		finish(turn, 0, NULL);
	} else if (turn->fired >= turn->fire_max) {
		turn->more = true;
		finish(turn, 0, NULL);
	} else {
		turn_to(turn, next_ms);
		look_soon(turn);
	}
}

static void fire_due(struct clock_turn *turn)
{
	struct alarm_stats stats;
	(void)alarms_run_due(turn->core->alarms);
	alarms_stats(turn->core->alarms, &stats);
	turn->fired = stats.fired - turn->fired_before;
	turn->calm = 0;
}

/* What is looked after by the way elsewhere; it may put something. */
static void look_after(struct clock_turn *turn)
{
	react_look_at_parked(turn->core->react);
	if (!turn->has_looked) {
		turn->has_looked = true;
		retain_look(turn->core->retain);
	}
}

static bool must_settle(struct clock_turn *turn, int64_t now)
{
	int64_t waited_ms = now - turn->looked_ms;
	turn->looked_ms = now;
	if (dispatch_running(turn->core->dispatch) == 0 || turn->settled_ms >= turn->settle_ms) {
		return false;
	}
	turn->settled_ms += waited_ms;
	return true;
}

static void look(struct clock_turn *turn)
{
	struct core *core = turn->core;
	if (core->stopping) {
		finish_stopping(turn);
		return;
	}
	int64_t now = clock_real_ms();
	bool is_due = alarms_next_ms(core->alarms) <= clock_wall_ms();
	turn->at_rest = core->ready && !is_due && store_is_at_rest(core->store);
	if (!turn->at_rest && now - turn->since_ms >= CLOCK_TURN_REST_MS) {
		turn->more = true;
		finish(turn, 0, NULL);
	} else if (is_due) {
		fire_due(turn);
		look_soon(turn);
	} else if (!turn->at_rest) {
		look_later(turn);
	} else if (++turn->calm < CALM_LOOKS) {
		look_after(turn);
		look_soon(turn);
	} else if (must_settle(turn, now)) {
		turn->since_ms = now;
		look_later(turn);
	} else {
		step(turn);
	}
}

static void has_waited(struct store_waiter *waiter, int status, const struct err *err)
{
	(void)status; /* a store that has failed is not at rest */
	(void)err;
	look(MEM_CONTAINER(waiter, struct clock_turn, waiter));
}

/* Not from here, where other alarms may be about to fire. */
static void look_is_due(struct alarm *alarm)
{
	look_soon(MEM_CONTAINER(alarm, struct clock_turn, look));
}

void clock_turn_start(struct clock_turn *turn)
{
	PRE(clock_is_virtual() && turn->core->turn == NULL && turn->to_ms >= clock_wall_ms());
	struct alarm_stats stats;
	alarms_stats(turn->core->alarms, &stats);
	turn->core->turn = turn;
	turn->fired_before = stats.fired;
	turn->waiter.done = has_waited;
	turn->look.fn = look_is_due;
	turn->since_ms = turn->looked_ms = clock_real_ms();
	look_soon(turn);
}

void clock_turn_stop(struct core *core)
{
	struct clock_turn *turn = core->turn;
	if (turn != NULL && alarm_is_set(&turn->look)) {
		alarm_clear(core->alarms, &turn->look);
		finish_stopping(turn);
	}
}
