/* This file judges changes of state records and writes them with their events. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/change.h"

#include "base/id.h"
#include "base/json.h"
#include "engine/core/feedback.h"
#include "wire/baggage.h"

int change_begin(struct task *task, struct change_origin *out, struct err *err)
{
	struct tasks *tasks = task->tasks;
	int status = store_refuses(tasks->store, err);
	if (status != 0) {
		return status;
	}
	struct adapter_head head;
	store_head(tasks->store, &head);
	*out = (struct change_origin){.traceparent = task->traceparent,
	                              .epoch = head.epoch,
	                              .time_ms = store_time_ms(tasks->store)};
	if (tasks->cause != NULL && task->baggage.ptr != NULL && baggage_is_ours(task->baggage)) {
		return tasks->cause(tasks->cause_ctx, task->baggage, &out->cause, err);
	}
	if (task->caller.ptr != NULL && tasks->feedback != NULL &&
	    feedback_is_on(tasks->feedback)) {
		out->feedback = tasks->feedback;
		out->caller = task->caller;
	}
	return 0;
}

void change_put(struct store *store, const struct change *change,
                const struct change_origin *origin)
{
	enum event_kind kind = EVENT_DELETED;
	if (change->new_value.ptr != NULL) {
		kind = change->old_value.ptr != NULL ? EVENT_UPDATED : EVENT_CREATED;
	}
	uint64_t seq = store_next_seq(store);
	const struct event event = {
	        .seq = seq,
	        .epoch = origin->epoch,
	        .kind = kind,
	        .scope = change->key.part,
	        .key = change->key.key,
	        .old_value = change->old_value,
	        .new_value = change->new_value,
	        .rev = seq,
	        .old_rev = change->old_rev,
	        .prev = change->old_rev,
	        .time_ms = origin->time_ms,
	        .txn = origin->txn,
	        .cause = origin->cause,
	        .traceparent = origin->traceparent,
	};
	uint32_t value_at;
	if (origin->feedback != NULL) {
		feedback_wrote(origin->feedback, origin->caller, &event);
	}
	event_encode(&event, store_entry_begin(store), &value_at);
	(void)store_entry_end(store); /* value_at counts from the buffer's beginning, not from it */
	if (kind == EVENT_DELETED) {
		store_delete(store, change->key, seq);
	} else {
		const struct record record = {.value = change->new_value, .rev = seq};
		store_put_at(store, change->key, &record, value_at);
	}
}

int change_check_size(const struct task *task, struct record_key key, struct span value,
                      struct err *err)
{
	uint64_t size = key.key.len + value.len;
	if (size <= task->tasks->value_bytes) {
		return 0;
	}
	return err_set(err, E_LIMIT, "value_too_large",
	               "%.*s: key and value take %llu bytes together; the limit is %llu",
	               SPAN_ARG(task->form->name), (unsigned long long)size,
	               (unsigned long long)task->tasks->value_bytes);
}

int change_check_rev(const struct task *task, struct record_key key, struct span if_rev,
                     uint64_t rev, struct err *err)
{
	if (if_rev.ptr == NULL) {
		return 0;
	}
	uint64_t wanted;
	if (id_parse_uint(span_make(if_rev.ptr + 1, if_rev.len - 2), &wanted) && wanted == rev) {
		return 0;
	}
	/* Long names are cut, so that the revs always fit the sentence. */
	return err_set(err, E_CONFLICT, "rev_conflict",
	               "%.*s: \"%.*s\" in scope \"%.*s\" is at rev \"%llu\", not %.*s; read it "
	               "again and decide again",
	               SPAN_ARG(task->form->name), key.key.len < 100 ? (int)key.key.len : 100,
	               key.key.ptr, key.part.len < 100 ? (int)key.part.len : 100, key.part.ptr,
	               (unsigned long long)rev, if_rev.len < 30 ? (int)if_rev.len : 30, if_rev.ptr);
}

void change_write(struct buf *out, struct span old_value, struct span new_value, uint64_t rev,
                  size_t *out_old_at)
{
	(void)buf_reserve(out, old_value.len + new_value.len + 80);
	BUF_LITERAL(out, "{\"old_value\":");
	*out_old_at = out->len;
	if (old_value.ptr != NULL) {
		buf_span(out, old_value);
	} else {
		BUF_LITERAL(out, "null");
	}
	BUF_LITERAL(out, ",\"new_value\":");
	if (new_value.ptr != NULL) {
		buf_span(out, new_value);
	} else {
		BUF_LITERAL(out, "null");
	}
	BUF_LITERAL(out, ",\"rev\":\"");
	buf_uint(out, rev);
	buf_byte(out, '"');
}
