/* This file tells the time, and turns the clock of an engine that was started with a manual one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/field_json.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/core/catalog.h"
#include "engine/core/clock_turn.h"
#include "engine/core/dispatch.h"
#include "engine/work/builtin.h"
#include "triggers/expr/moment_read.h"

struct advance {
	struct clock_turn turn;
	struct work *work;
};

struct advance_ask {
	int64_t ms; /* -1: it says `to` */
	struct span to;
	int64_t limit;
	int64_t settle_ms;
};

/* 1e12 ms are 31 years. */
static const struct field advance_fields[] = {
        {.name = "ms",
         .kind = FIELD_INT,
         .offset = offsetof(struct advance_ask, ms),
         .max = 1000000000000,
         .help = "How far."},
        {.name = "to",
         .kind = FIELD_JSON,
         .offset = offsetof(struct advance_ask, to),
         .help = "Or until when: ms since 1970, or RFC 3339."},
        {.name = "limit",
         .kind = FIELD_INT,
         .offset = offsetof(struct advance_ask, limit),
         .otherwise = "10000",
         .min = 1,
         .max = 1000000,
         .help = "Stop when so many alarms have fired."},
        {.name = "settle_ms",
         .kind = FIELD_INT,
         .offset = offsetof(struct advance_ask, settle_ms),
         .otherwise = "1000",
         .max = 60000,
         .help = "How long, in real time and in all, the clock stands still for deliveries that "
                 "run."},
        {.name = NULL},
};

/* ---- telling ---- */

static void write_moment(struct buf *out, const char *name, const char *name_ms, int64_t wall_ms)
{
	char text[CLOCK_TEXT_LEN + 1];
	clock_format(wall_ms, text);
	json_write_member_string(out, name, span_of(text));
	json_write_member_int(out, name_ms, wall_ms);
}

static void count_held(void *ctx, struct binding *binding)
{
	size_t *held = ctx;
	*held += binding->held;
}

static void write_clock(const struct core *core, struct buf *out)
{
	size_t held = 0;
	size_t running = dispatch_running(core->dispatch);
	int64_t next_ms = alarms_next_ms(core->alarms);
	catalog_each(core->catalog, count_held, &held);
	json_write_member_string(out, "clock", clock_is_virtual() ? SPAN("manual") : SPAN("real"));
	write_moment(out, "now", "now_ms", clock_wall_ms());
	if (next_ms < CLOCK_MOST_MS) {
		write_moment(out, "next_due", "next_due_ms", next_ms);
	}
	json_write_member_uint(out, "running", running);
	json_write_member_uint(out, "waiting", held - running);
}

static void tell(struct work *work, struct span data)
{
	(void)data;
	buf_byte(&work->out, '{');
	write_clock(work->core, &work->out);
	buf_byte(&work->out, '}');
	work_reply_out(work);
}

/* ---- turning ---- */

static void has_turned(struct clock_turn *turn, int status, const struct err *err)
{
	struct advance *advance = MEM_CONTAINER(turn, struct advance, turn);
	struct work *work = advance->work;
	if (status != 0) {
		work_fail(work, err);
	} else {
		buf_byte(&work->out, '{');
		write_moment(&work->out, "reached", "reached_ms", clock_wall_ms());
		json_write_member_uint(&work->out, "fired", turn->fired);
		json_write_member_bool(&work->out, "more", turn->more);
		json_write_member_bool(&work->out, "at_rest", turn->at_rest);
		write_clock(work->core, &work->out);
		buf_byte(&work->out, '}');
		work_reply_out(work);
	}
	mem_free(advance);
}

static int read_moment(struct span to, int64_t *out_ms, struct err *err)
{
	int64_t seconds;
	uint32_t nanos;
	struct buf text = {0};
	bool good = json_kind(to) == JSON_NUMBER && json_int64(to, out_ms);
	if (json_kind(to) == JSON_STRING) {
		json_string(to, &text);
		good = moment_read_timestamp(buf_view(&text), &seconds, &nanos) == 0;
		/* A part of a millisecond counts: what is due then is to fire. */
		*out_ms = good ? seconds * 1000 + (nanos + 999999) / 1000000 : 0;
		buf_free(&text);
	}
	return good ? 0
	            : err_set(err, E_INVALID, "invalid_data",
	                      "'to' must be a time: ms since 1970, or RFC 3339 such as "
	                      "2026-01-02T03:04:05Z");
}

/* Where the clock is to go. */
static int read_target(const struct advance_ask *ask, int64_t *out_ms, struct err *err)
{
	int64_t now = clock_wall_ms();
	bool has_to = ask->to.ptr != NULL;
	if (has_to == (ask->ms >= 0)) {
		return err_set(err, E_INVALID, "invalid_data",
		               "say either 'ms', how far, or 'to', until when");
	}
	*out_ms = now + ask->ms;
	if (has_to && read_moment(ask->to, out_ms, err) != 0) {
		return err->number;
	}
	char text[CLOCK_TEXT_LEN + 1];
	clock_format(*out_ms < now ? now : CLOCK_MOST_MS, text);
	if (*out_ms < now) {
		return err_set(err, E_INVALID, "clock_goes_forward",
		               "the clock stands at %s already, and does not go back", text);
	}
	if (*out_ms > CLOCK_MOST_MS) {
		return err_set(err, E_INVALID, "invalid_data", "the clock goes to %s at most",
		               text);
	}
	return 0;
}

static int read_ask(struct span data, struct clock_turn *turn, struct err *err)
{
	struct advance_ask ask = {.ms = -1};
	int status = field_read_json(advance_fields, data, "invalid_data", &ask, err);
	if (status == 0) {
		status = read_target(&ask, &turn->to_ms, err);
	}
	turn->fire_max = (uint64_t)ask.limit;
	turn->settle_ms = ask.settle_ms;
	field_free(advance_fields, &ask);
	return status;
}

static void advance(struct work *work, struct span data)
{
	struct err err;
	if (!clock_is_virtual()) {
		work_refuse(work, "clock_is_real",
		            "this engine goes by the real clock; `pawl run --clock manual` starts "
		            "one whose clock is turned by hand");
		return;
	}
	if (work->core->turn != NULL) {
		work_refuse(work, "clock_is_turning",
		            "somebody else turns the clock now, up to a time that he has said");
		return;
	}
	struct advance *own = MEM_NEW(struct advance);
	own->work = work;
	own->turn.core = work->core;
	own->turn.done = has_turned;
	if (read_ask(data, &own->turn, &err) != 0) {
		mem_free(own);
		work_fail(work, &err);
		return;
	}
	clock_turn_start(&own->turn);
}

const struct builtin_row builtin_clock_rows[] = {
        {"engine::clock::now", tell, "Tells the time, and what kind of clock it is."},
        {"engine::clock::advance", advance,
         "Turns a manual clock by `ms` or up to `to`; what is due on the way fires on the way."},
        {NULL, NULL, NULL},
};
