/* This file turns a dead letter into a job again, or throws it away. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/letter.h"

#include "base/json.h"
#include "base/json_splice.h"
#include "base/mem.h"
#include "engine/core/catalog.h"
#include "engine/core/delivery_name.h"
#include "engine/core/dispatch.h"
#include "engine/core/job_store.h"
#include "engine/core/parcel.h"
#include "engine/work/builtin.h"
#include "triggers/event.h"

/* The delivery that this dead letter is of, if it holds its lane. */
struct blocked_search {
	struct span trigger;
	uint64_t seq;
	uint32_t replay;
	struct delivery *found;
};

static void look_for_blocked(void *ctx, struct binding *binding)
{
	struct blocked_search *search = ctx;
	struct delivery *delivery = span_equal(binding->id, search->trigger)
	                                    ? dispatch_find(binding, search->seq, search->replay)
	                                    : NULL;
	if (delivery != NULL && delivery->state == DELIVERY_BLOCKED) {
		search->found = delivery;
	}
}

static struct delivery *blocked_by(const struct core *core, struct span delivery_id)
{
	struct delivery_name name;
	if (!delivery_parse_id(delivery_id, &name)) {
		return NULL;
	}
	struct blocked_search search = {name.trigger, name.seq, name.replay, NULL};
	catalog_each(core->catalog, look_for_blocked, &search);
	return search.found;
}

/* Of a batch; else it is the event itself. */
static struct span first_of(struct span event)
{
	struct span events = parcel_events(event);
	struct span first;
	struct json_iter iter = json_iter(events.ptr != NULL ? events : SPAN("[]"));
	return json_next_item(&iter, &first) ? first : event;
}

static bool read_seq(struct span event, const struct delivery_name *name, uint64_t *out)
{
	struct span seq;
	*out = name->seq;
	return parcel_events(event).ptr != NULL ||
	       (json_get(event, SPAN("seq"), &seq) && json_uint64(seq, out));
}

/* The job that takes a dead letter's place. False: it cannot be replayed, and `out_err` says why.
 */
static bool job_of(const struct core *core, struct span json, struct buf *text,
                   struct binding **out_binding, struct job *out, struct err *out_err)
{
	struct span found[6];
	static const struct span names[6] = {{"trigger", 7}, {"event", 5},    {"range", 5},
	                                     {"id", 2},      {"attempts", 8}, {"window", 6}};
	json_get_many(json, names, 6, found);
	if (found[2].ptr != NULL || json_is_null(found[1])) {
		(void)err_set(
		        out_err, E_UNSUPPORTED, "not_replayable",
		        "this dead letter stands for events that it does not hold; read them with "
		        "`pawl events` and write the state again");
		return false;
	}
	(void)buf_reserve(text, json.len * 4);
	struct span trigger = work_text(json, "trigger", text);
	struct delivery_name name = {0};
	uint64_t number = 0;
	(void)delivery_parse_id(work_text(json, "id", text), &name);
	if (!read_seq(found[1], &name, &number)) {
		(void)err_set(out_err, E_DAMAGED, "dead_letter_damaged",
		              "the event of this dead letter has no seq");
		return false;
	}
	struct binding *owner = catalog_find_owner(core->catalog, trigger, number);
	*out_binding = owner != NULL ? owner : catalog_find(core->catalog, trigger);
	if (*out_binding == NULL) {
		(void)err_set(
		        out_err, E_CONFLICT, "trigger_gone",
		        "trigger \"%.*s\" does not exist any more; register it again, then replay",
		        SPAN_ARG(trigger));
		return false;
	}
	if (owner != NULL && dispatch_has_seq(owner, number) &&
	    blocked_by(core, work_text(json, "id", text)) == NULL) {
		(void)err_set(out_err, E_CONFLICT, "still_owed",
		              "another delivery of this event to trigger \"%.*s\" is in hand; wait "
		              "for it or cancel it, then replay",
		              SPAN_ARG(trigger));
		return false;
	}
	struct event event;
	event_read_json(first_of(found[1]), text, &event); /* its place, whatever its type */
	*out = (struct job){
	        .version = (*out_binding)->version,
	        .seq = number,
	        .epoch = name.epoch,
	        .scope = event.scope,
	        .key = event.key,
	        .asked = true, /* it had been wanted */
	        .replay = name.replay,
	        .attempts = found[4],
	        .event = found[1],
	        .window = found[5].ptr != NULL ? work_text(json, "window", text) : SPAN_NONE,
	};
	return true;
}

/* What an event is known by, and what tells its order. */
static bool is_fixed(struct span escaped)
{
	static const char *const fixed[] = {"id",          "seq",     "rev",      "type",
	                                    "scope",       "key",     "trigger",  "count",
	                                    "delivery_id", "attempt", "debounced"};
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
		if (json_name_is(escaped, span_of(fixed[i]))) {
			return true;
		}
	}
	return false;
}

/* Of a batch the events are edited as a whole. */
static bool are_events(struct span list)
{
	struct span item;
	size_t count = 0;
	if (json_kind(list) != JSON_ARRAY) {
		return false;
	}
	for (struct json_iter iter = json_iter(list); json_next_item(&iter, &item);) {
		if (json_kind(item) != JSON_OBJECT || ++count > MEMBERS_MAX) {
			return false;
		}
	}
	return count != 0;
}

static int edit_members(struct span event, struct span changes, struct buf *out, struct err *err)
{
	struct span name;
	struct span value;
	buf_span(out, event);
	if (json_kind(changes) != JSON_OBJECT) {
		return err_set(err, E_INVALID, "invalid_event",
		               "the edited event must be an object of the members that change");
	}
	for (struct json_iter iter = json_iter(changes); json_next_member(&iter, &name, &value);) {
		if (is_fixed(name)) {
			return err_set(err, E_INVALID, "invalid_event",
			               "'%.*s' of an event cannot be edited; leave it out",
			               SPAN_ARG(name));
		}
		if (parcel_events(event).ptr != NULL && json_name_is(name, SPAN("events")) &&
		    !are_events(value)) {
			return err_set(err, E_INVALID, "invalid_event",
			               "'events' of a batch must be a list of 1 to %d events",
			               MEMBERS_MAX);
		}
		struct buf plain = {0};
		struct buf next = {0};
		json_string(span_make(name.ptr - 1, name.len + 2), &plain);
		json_set(buf_view(out), buf_view(&plain), value, &next);
		buf_free(&plain);
		buf_free(out);
		*out = next;
	}
	return 0;
}

/* Another event is another delivery: whoever has seen the id must not take it for the same. */
static void rename_delivery(struct span letter, const struct job *job, struct buf *event)
{
	struct buf id = {0};
	struct buf quoted = {0};
	struct buf next = {0};
	struct delivery_name old;
	(void)work_text(letter, "id", &id);
	if (delivery_parse_id(buf_view(&id), &old)) {
		id.len = (size_t)(old.trigger.ptr + old.trigger.len - id.ptr);
	}
	buf_format(&id, "/r%u", job->replay);
	json_write_string(&quoted, buf_view(&id));
	json_set(buf_view(event), SPAN("delivery_id"), buf_view(&quoted), &next);
	buf_free(&id);
	buf_free(&quoted);
	buf_free(event);
	*event = next;
}

int letter_replay(const struct core *core, struct dead_get *get, struct span json,
                  const struct letter_again *again, struct err *err)
{
	struct buf text = {0};
	struct buf event = {0};
	struct binding *binding = NULL;
	struct job job = {0};
	int status = job_of(core, json, &text, &binding, &job, err) ? 0 : err->number;
	if (status == 0 && again->event.len != 0) {
		status = edit_members(job.event, again->event, &event, err);
		job.replay++;
	}
	if (status == 0) {
		if (event.len != 0) {
			rename_delivery(json, &job, &event);
			job.event = buf_view(&event);
		}
		job.due_ms = again->due_ms;
		job_store_put(core->store, binding, &job);
		dispatch_adopt(core->dispatch, binding, &job);
		dead_remove(core->dead, get, json);
	}
	buf_free(&text);
	buf_free(&event);
	return status;
}

void letter_discard(const struct core *core, struct dead_get *get, struct span json, struct span id)
{
	dead_remove(core->dead, get, json);
	struct delivery *blocked = blocked_by(core, id);
	if (blocked != NULL) {
		dispatch_release(core->dispatch, blocked);
	}
}
