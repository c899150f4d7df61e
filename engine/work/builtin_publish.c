/* This file takes events from outside into the journal. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/mem.h"
#include "engine/core/cause.h"
#include "engine/core/dispatch.h"
#include "engine/core/footprint.h"
#include "engine/core/react.h"
#include "engine/durable/store.h"
#include "engine/work/builtin.h"
#include "engine/work/once.h"
#include "triggers/event.h"
#include "wire/cloudevent.h"

enum { EVENTS_MOST = 1000, EVENT_BYTES = 2 << 20 };

/* What all events of one call share. */
struct publishing {
	struct store *store;
	struct event_cause cause;
	struct binding *by; /* whose handler it is; NULL: not known */
	struct span traceparent;
	struct span caller; /* as call.caller */
	struct feedback *feedback;
	int64_t time_ms;
	char log[ADAPTER_LOG_LEN + 1];
	uint64_t epoch;
	struct idem *idem;
	size_t count;   /* of those that were put */
	uint64_t group; /* that tells of the others, as in store_look */
};

/* All of them, before the first is put: none is taken when one is wrong. */
static int check_all(struct span list, size_t *out_count, struct err *err)
{
	struct json_iter iter = json_iter(list);
	struct span item;
	struct span type;
	struct span subject;
	struct buf texts = {0};
	size_t count = 0;
	int status = 0;
	while (status == 0 && json_next_item(&iter, &item)) {
		buf_clear(&texts);
		if (++count > EVENTS_MOST || item.len > EVENT_BYTES) {
			status = err_set(err, E_LIMIT, "payload_too_large",
			                 "at most %d events are taken at once, each of at most "
			                 "%d MiB",
			                 EVENTS_MOST, EVENT_BYTES >> 20);
		} else {
			status = cloudevent_check(item, &texts, &type, &subject, err);
		}
	}
	buf_free(&texts);
	*out_count = count;
	return status != 0 || count != 0
	               ? status
	               : err_set(err, E_INVALID, "invalid_cloudevent", "there is no event in it");
}

static uint64_t put(const struct publishing *publishing, struct span item)
{
	struct buf texts = {0};
	struct event event = {
	        .kind = EVENT_CUSTOM,
	        .seq = store_next_seq(publishing->store),
	        .epoch = publishing->epoch,
	        .new_value = item,
	        .time_ms = publishing->time_ms,
	        .cause = publishing->cause,
	        .traceparent = publishing->traceparent,
	};
	int status = cloudevent_check(item, &texts, &event.scope, &event.key, NULL);
	POST(status == 0); /* checked before */
	uint32_t value_at;
	if (publishing->caller.ptr != NULL && feedback_is_on(publishing->feedback)) {
		feedback_wrote(publishing->feedback, publishing->caller, &event);
	}
	if (publishing->by != NULL) {
		footprint_note(publishing->by, &event);
	}
	event_encode(&event, store_entry_begin(publishing->store), &value_at);
	(void)store_entry_end(publishing->store);
	buf_free(&texts);
	return event.seq;
}

/* Puts it unless it has come before (`name` NULL: who knows), and writes its id. */
static void put_once(struct publishing *publishing, struct span item, const struct idem_name *name,
                     struct buf *out)
{
	struct idem *idem = publishing->idem;
	struct idem_found found = {0};
	struct buf id = {0};
	json_write_comma(out);
	if (name != NULL && idem_look(idem, name, &found) == IDEM_SAME) {
		buf_span(out, found.answer);
		publishing->group =
		        found.group > publishing->group ? found.group : publishing->group;
		return;
	}
	buf_byte(&id, '"');
	event_write_id(span_of(publishing->log), publishing->epoch, put(publishing, item), &id);
	buf_byte(&id, '"');
	if (name != NULL) {
		idem_put(idem, name, buf_view(&id));
	}
	buf_span(out, buf_view(&id));
	publishing->count++;
	buf_free(&id);
}

static int begin(const struct work *work, struct publishing *out, struct err *err)
{
	const struct core *core = work->core;
	int status = store_refuses(core->store, err);
	if (status != 0) {
		return status;
	}
	struct adapter_head head;
	store_head(core->store, &head);
	*out = (struct publishing){.store = core->store,
	                           .idem = core->idem,
	                           .traceparent = work->call->traceparent,
	                           .caller = work->call->caller,
	                           .feedback = react_feedback(core->react),
	                           .time_ms = store_time_ms(core->store),
	                           .epoch = head.epoch};
	memcpy(out->log, head.log, sizeof out->log);
	return work->call->baggage.ptr != NULL
	               ? causes_find(dispatch_causes(core->dispatch), work->call->baggage,
	                             &out->cause, &out->by, err)
	               : 0;
}

/* Answered when they are durable: whoever hears of it need not send them again. */
static void publish_once(struct once *once)
{
	struct work *work = once->work;
	struct err err = {0};
	struct publishing publishing;
	struct span list;
	struct span item;
	if (once_is_answered(once)) {
		return;
	}
	if (begin(work, &publishing, &err) != 0) {
		work_fail(work, &err);
		return;
	}
	bool is_list = json_get(once->data, SPAN("events"), &list);
	POST(is_list); /* checked before */
	struct json_iter iter = json_iter(list);
	BUF_LITERAL(&work->out, "{\"ids\":[");
	for (size_t i = 0; json_next_item(&iter, &item); i++) {
		put_once(&publishing, item, i < once->count ? &once->names[i] : NULL, &work->out);
	}
	BUF_LITERAL(&work->out, "]}");
	work->replayed = publishing.count == 0;
	if (work->replayed && once->key == NULL) {
		once_answer(once, publishing.group);
	} else {
		once_commit(once);
	}
}

/* By source and id, as CloudEvents are told apart. */
static struct idem_name *names_of(struct span list, size_t count)
{
	struct idem_name *names = MEM_ARRAY(struct idem_name, count);
	struct json_iter iter = json_iter(list);
	struct span item;
	struct buf text = {0};
	for (size_t i = 0; i < count && json_next_item(&iter, &item); i++) {
		buf_clear(&text);
		(void)buf_reserve(&text, item.len * 2); /* the texts must not move */
		struct span source = work_text(item, "source", &text);
		idem_name_thing(&names[i], source, work_text(item, "id", &text));
	}
	buf_free(&text);
	return names;
}

static void publish(struct work *work, struct span data)
{
	struct span list;
	struct err err = {0};
	struct idem_name *names = NULL;
	size_t count = 0;
	if (!json_get(data, SPAN("events"), &list) || json_kind(list) != JSON_ARRAY) {
		work_refuse(work, "invalid_cloudevent",
		            "engine::events::publish takes {\"events\": [CloudEvents]}");
		return;
	}
	if (check_all(list, &count, &err) != 0) {
		work_fail(work, &err);
		return;
	}
	if (work->core->once_cloudevents) {
		names = names_of(list, count);
	}
	once_run(work, data, names, names != NULL ? count : 0, publish_once);
}

const struct builtin_row builtin_publish_rows[] = {
        {"engine::events::publish", publish, "Takes CloudEvents, for triggers of type event."},
        {NULL, NULL, NULL},
};
