/* This file answers why an event did, or did not, fire the triggers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/core/alarm_names.h"
#include "engine/core/catalog.h"
#include "engine/core/queue_names.h"
#include "engine/core/react.h"
#include "engine/durable/store.h"
#include "engine/work/builtin.h"
#include "engine/work/one_event.h"
#include "triggers/event_draft.h"
#include "triggers/ruling.h"

/*
 * DESIGN. All triggers are judged in one go, the cheap questions first; the conditions share the
 * budget of one event. There is no index here, since who was not asked wants a reason too: it is
 * about half a microsecond a trigger. Those whose turn comes when the budget is used up are counted
 * as not asked. Then those to be shown are explained, which compiles their conditions again; hence
 * the limits: so many, so long, so large. The rest is counted.
 *
 * An event of the journal is judged by the versions of then, where they still exist. An event from
 * outside is judged by the present ones.
 */
enum { EXPLAIN_LIMIT = 100, EXPLAIN_MOST = 1000, EXPLAIN_US = 50000, EXPLAIN_BYTES = 4 << 20 };

struct judged {
	const struct binding *binding;
	enum ruling ruling;
};

/* One question. */
struct explain_work {
	struct one_event one;
	struct work *work;
	struct buf trigger; /* the only one to be told of; empty: all */
	struct buf texts;   /* of an event from outside */
	uint64_t limit;
	uint64_t seq;    /* whose versions judge; 0: the present ones */
	bool is_foreign; /* the id of the only trigger is not known at all */
	struct matching matching;
	struct judged *judged;
	size_t count;
	size_t cap;
};

static void free_explain(struct explain_work *own)
{
	buf_free(&own->trigger);
	buf_free(&own->texts);
	mem_free(own->judged);
	mem_free(own);
}

/* ---- who judged ---- */

static bool judges(const struct binding *binding, uint64_t seq)
{
	return binding->from_seq <= seq && (binding->until_seq == 0 || seq < binding->until_seq);
}

static bool older_judges(const struct catalog *catalog, const struct binding *binding, uint64_t seq)
{
	for (uint32_t version = binding->version - 1; version != 0; version--) {
		const struct binding *older = catalog_find_version(catalog, binding->id, version);
		if (older != NULL && judges(older, seq)) {
			return true;
		}
	}
	return false;
}

/* False: another version speaks for the trigger. */
static bool speaks(const struct explain_work *own, const struct binding *binding,
                   enum ruling *out_unasked)
{
	const struct catalog *catalog = own->work->core->catalog;
	*out_unasked = RULING_COUNT;
	if (own->seq == 0) {
		return binding->until_seq == 0;
	}
	if (judges(binding, own->seq)) {
		return true;
	}
	if (binding->until_seq == 0) {
		*out_unasked = RULING_LATER;
		return !older_judges(catalog, binding, own->seq);
	}
	*out_unasked = RULING_ENDED;
	return catalog_find(catalog, binding->id) == NULL && own->seq >= binding->until_seq;
}

static enum ruling judge(struct explain_work *own, const struct binding *binding)
{
	struct value error;
	if (own->matching.budget <= 0) {
		return RULING_NOT_ASKED;
	}
	enum ruling ruling = ruling_of(binding->filter, &own->matching, &error);
	bool loops = react_is_loop(own->work->core->react, own->matching.event);
	return ruling_wakes(ruling) && loops ? RULING_LOOP : ruling;
}

/* The engine's own triggers never want other events, as everybody knows. */
static bool is_out_of_question(const struct binding *binding, const struct event *event)
{
	return (span_is(binding->type, QUEUE_TYPE) && event->kind != EVENT_QUEUED) ||
	       (span_is(binding->id, ALARM_TRIGGER) && event->kind != EVENT_ALARM_DUE);
}

static void judge_binding(void *ctx, struct binding *binding)
{
	struct explain_work *own = ctx;
	enum ruling ruling;
	if (own->trigger.len != 0 && !span_equal(binding->id, buf_view(&own->trigger))) {
		return;
	}
	if (own->trigger.len == 0 && is_out_of_question(binding, own->matching.event)) {
		return;
	}
	own->is_foreign = false;
	if (!speaks(own, binding, &ruling)) {
		return;
	}
	if (own->count == own->cap) {
		own->cap = own->cap * 2 + 16;
		own->judged = mem_grow(own->judged, own->cap * sizeof *own->judged);
	}
	own->judged[own->count++] =
	        (struct judged){binding, ruling == RULING_COUNT ? judge(own, binding) : ruling};
}

/* ---- telling ---- */

static void write_now(struct explain_work *own, const struct binding *binding, struct buf *out)
{
	struct value error;
	own->matching.budget = MATCHING_BUDGET;
	enum ruling ruling = ruling_of(binding->filter, &own->matching, &error);
	json_write_name(out, "now");
	buf_byte(out, '{');
	json_write_member_bool(out, "fires", ruling_wakes(ruling));
	ruling_write(binding->filter, &own->matching, ruling, out);
	buf_byte(out, '}');
}

static void write_reason(struct explain_work *own, const struct judged *judged, struct buf *out)
{
	const struct binding *binding = judged->binding;
	struct buf text = {0};
	switch (judged->ruling) {
	case RULING_LOOP:
		BUF_LITERAL(&text, "a dead letter: the chain of changes that led to this event is "
		                   "longer than delivery.loop_depth");
		break;
	case RULING_LATER:
		buf_format(&text, "its version %u judges events from seq %llu on", binding->version,
		           (unsigned long long)binding->from_seq);
		if (binding->version > 1) {
			BUF_LITERAL(&text, "; the one that judged this event is gone");
		}
		break;
	case RULING_ENDED:
		buf_format(&text, "it has ended and judges events below seq %llu",
		           (unsigned long long)binding->until_seq);
		break;
	case RULING_NOT_ASKED:
		BUF_LITERAL(&text, "not asked: the other conditions took all the time that one "
		                   "event may take; ask for this trigger alone");
		break;
	default:
		ruling_write(binding->filter, &own->matching, judged->ruling, out);
		return;
	}
	ruling_write_plain(judged->ruling, buf_view(&text), out);
	if (judged->ruling == RULING_LATER) {
		write_now(own, binding, out);
	}
	buf_free(&text);
}

static void write_judged(struct explain_work *own, const struct judged *judged, struct buf *out)
{
	const struct binding *binding = judged->binding;
	json_write_comma(out);
	buf_byte(out, '{');
	json_write_member_string(out, "id", binding->id);
	json_write_member_uint(out, "version", binding->version);
	json_write_member_string(out, "function_id", binding->function_id);
	json_write_member_bool(out, "fired", ruling_wakes(judged->ruling));
	write_reason(own, judged, out);
	buf_byte(out, '}');
}

static void write_counts(const char *name, const uint64_t counts[RULING_COUNT], struct buf *out)
{
	json_write_name(out, name);
	buf_byte(out, '{');
	for (size_t i = 0; i < RULING_COUNT; i++) {
		if (counts[i] != 0) {
			json_write_member_uint(out, ruling_word((enum ruling)i), counts[i]);
		}
	}
	buf_byte(out, '}');
}

static bool has_room(const struct explain_work *own, uint64_t shown, int64_t began_us,
                     const struct buf *out)
{
	return shown == 0 || (shown < own->limit && out->len < EXPLAIN_BYTES &&
	                      clock_mono_us() - began_us < EXPLAIN_US);
}

/* Those that are shown come by ruling, then by age. */
static void write_all(struct explain_work *own, struct buf *out)
{
	uint64_t counts[RULING_COUNT] = {0};
	uint64_t rest[RULING_COUNT] = {0};
	uint64_t shown = 0;
	int64_t began_us = clock_mono_us();
	for (size_t i = 0; i < own->count; i++) {
		counts[own->judged[i].ruling]++;
	}
	buf_byte(out, '{');
	json_write_name(out, "event");
	event_write_brief(own->matching.event, out);
	json_write_name(out, "triggers");
	buf_byte(out, '[');
	for (int ruling = 0; ruling < RULING_COUNT; ruling++) {
		uint64_t left = counts[ruling];
		rest[ruling] = left;
		for (size_t i = 0; left != 0 && has_room(own, shown, began_us, out); i++) {
			if (own->judged[i].ruling == (enum ruling)ruling) {
				write_judged(own, &own->judged[i], out);
				shown++;
				rest[ruling] = --left;
			}
		}
	}
	buf_byte(out, ']');
	write_counts("counts", counts, out);
	write_counts("rest", rest, out);
	buf_byte(out, '}');
}

static void explain(struct explain_work *own, const struct event *event)
{
	struct core *core = own->work->core;
	struct work *work = own->work;
	struct adapter_head head;
	store_head(core->store, &head);
	matching_init(&own->matching, core->conditions, span_of(head.log));
	matching_begin(&own->matching, event);
	own->is_foreign = own->trigger.len != 0;
	catalog_each(core->catalog, judge_binding, own);
	if (own->is_foreign) {
		work_refuse(work, "trigger_not_found",
		            "there is no trigger \"%.*s\"; `pawl triggers` lists them",
		            SPAN_ARG(buf_view(&own->trigger)));
	} else {
		write_all(own, &work->out);
		work_reply_out(work);
	}
	matching_close(&own->matching);
}

/* ---- an event of the journal ---- */

static void event_came(struct one_event *one, const struct event *event)
{
	struct explain_work *own = MEM_CONTAINER(one, struct explain_work, one);
	if (event != NULL) {
		own->seq = one->seq;
		explain(own, event);
	}
	free_explain(own);
}

static void explain_seq(struct explain_work *own, struct span seq)
{
	own->one.work = own->work;
	own->one.done = event_came;
	one_event_get(&own->one, seq);
}

/* ---- an event from outside ---- */

static void explain_draft(struct explain_work *own, struct span json)
{
	struct event event;
	struct err err;
	if (event_draft_read(json, &own->texts, &event, &err) != 0) {
		work_fail(own->work, &err);
	} else {
		explain(own, &event);
	}
	free_explain(own);
}

static void explain_event(struct work *work, struct span data)
{
	struct explain_work *own = MEM_NEW(struct explain_work);
	static const struct span names[] = {{"seq", 3}, {"event", 5}};
	struct span found[2];
	json_get_many(data, names, 2, found);
	own->work = work;
	own->limit = work_uint(data, "limit", EXPLAIN_LIMIT);
	(void)work_text(data, "trigger", &own->trigger);
	if (own->limit == 0 || own->limit > EXPLAIN_MOST) {
		work_refuse(work, "invalid_argument", "limit must be 1 to %d", EXPLAIN_MOST);
		free_explain(own);
	} else if (found[0].ptr != NULL) {
		explain_seq(own, found[0]);
	} else if (found[1].ptr != NULL) {
		explain_draft(own, found[1]);
	} else {
		work_refuse(work, "argument_required",
		            "name the event by its seq, or give it as 'event'");
		free_explain(own);
	}
}

const struct builtin_row builtin_explain_rows[] = {
        {"engine::events::explain", explain_event,
         "Tells which triggers an event fired, and why the others did not."},
        {NULL, NULL, NULL},
};
