/* This file takes events from outside into the journal. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "engine/core/cause.h"
#include "engine/core/dispatch.h"
#include "engine/core/react.h"
#include "engine/durable/store.h"
#include "engine/work/builtin.h"
#include "triggers/event.h"
#include "wire/cloudevent.h"

enum { EVENTS_MOST = 1000, EVENT_BYTES = 2 << 20 };

/* What all events of one call share. */
struct publishing {
	struct store *store;
	struct event_cause cause;
	struct span traceparent;
	struct span caller; /* as call.caller */
	struct feedback *feedback;
	int64_t time_ms;
	char log[ADAPTER_LOG_LEN + 1];
	uint64_t epoch;
};

/* All of them, before the first is put: none is taken when one is wrong. */
static int check_all(struct span list, struct err *err)
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
	return status != 0 || count != 0
	               ? status
	               : err_set(err, E_INVALID, "invalid_cloudevent", "there is no event in it");
}

static void put(const struct publishing *publishing, struct span item, struct buf *out)
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
	event_encode(&event, store_entry_begin(publishing->store), &value_at);
	(void)store_entry_end(publishing->store);
	json_write_comma(out);
	buf_byte(out, '"');
	event_write_id(span_of(publishing->log), publishing->epoch, event.seq, out);
	buf_byte(out, '"');
	buf_free(&texts);
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
	                           .traceparent = work->call->traceparent,
	                           .caller = work->call->caller,
	                           .feedback = react_feedback(core->react),
	                           .time_ms = store_time_ms(core->store),
	                           .epoch = head.epoch};
	memcpy(out->log, head.log, sizeof out->log);
	return work->call->baggage.ptr != NULL ? causes_find(dispatch_causes(core->dispatch),
	                                                     work->call->baggage, &out->cause, err)
	                                       : 0;
}

/* Answered when they are durable: whoever hears of it need not send them again. */
static void publish(struct work *work, struct span data)
{
	struct span list;
	struct err err = {0};
	struct publishing publishing;
	if (!json_get(data, SPAN("events"), &list) || json_kind(list) != JSON_ARRAY) {
		work_refuse(work, "invalid_cloudevent",
		            "engine::events::publish takes {\"events\": [CloudEvents]}");
		return;
	}
	if (check_all(list, &err) != 0 || begin(work, &publishing, &err) != 0) {
		work_fail(work, &err);
		return;
	}
	struct json_iter iter = json_iter(list);
	struct span item;
	BUF_LITERAL(&work->out, "{\"ids\":[");
	while (json_next_item(&iter, &item)) {
		put(&publishing, item, &work->out);
	}
	BUF_LITERAL(&work->out, "]}");
	store_commit(work->core->store, work_waiter(work));
}

const struct builtin_row builtin_publish_rows[] = {
        {"engine::events::publish", publish, "Takes CloudEvents, for triggers of type event."},
        {NULL, NULL, NULL},
};
