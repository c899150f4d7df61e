/* This file judges changes of state records and writes them with their events. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/change.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "engine/core/feedback.h"
#include "engine/core/footprint.h"
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
		return tasks->cause(tasks->cause_ctx, task->baggage, &out->cause, &out->by, err);
	}
	if (task->caller.ptr != NULL && tasks->feedback != NULL &&
	    feedback_is_on(tasks->feedback)) {
		out->feedback = tasks->feedback;
		out->caller = task->caller;
	}
	return 0;
}

static enum event_kind kind_of(const struct change *change)
{
	if (change->new_value.ptr == NULL) {
		return EVENT_DELETED;
	}
	if (change->is_touch) {
		return EVENT_TOUCHED;
	}
	return change->old_value.ptr != NULL ? EVENT_UPDATED : EVENT_CREATED;
}

static void put(struct store *store, const struct change *change,
                const struct change_origin *origin)
{
	enum event_kind kind = kind_of(change);
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
	        .expires_at_ms = change->expires_at_ms,
	        .txn = origin->txn,
	        .cause = origin->cause,
	        .traceparent = origin->traceparent,
	        .reason = change->has_expired ? SPAN("expired") : SPAN_NONE,
	};
	uint32_t value_at;
	if (origin->by != NULL) {
		footprint_note(origin->by, &event);
	}
	if (origin->feedback != NULL) {
		feedback_wrote(origin->feedback, origin->caller, &event);
	}
	event_encode(&event, store_entry_begin(store), &value_at);
	(void)store_entry_end(store); /* value_at counts from the buffer's beginning, not from it */
	if (kind == EVENT_DELETED) {
		store_delete(store, change->key, seq);
	} else {
		const struct record record = {.value = change->new_value,
		                              .rev = seq,
		                              .expires_at_ms = change->expires_at_ms,
		                              .flags = change->encoding};
		store_put_at(store, change->key, &record, value_at);
	}
}

void change_put(const struct tasks *tasks, const struct change *change,
                const struct change_origin *origin)
{
	put(tasks->store, change, origin);
	if (change->new_value.ptr != NULL && change->expires_at_ms != 0 &&
	    tasks->expiring != NULL) {
		tasks->expiring(tasks->expiring_ctx, change->key, change->expires_at_ms);
	}
}

/* ---- what has expired ---- */

bool change_is_expired(struct store *store, const struct record *record)
{
	return record->expires_at_ms != 0 && record->expires_at_ms <= store_time_ms(store);
}

void change_expire(struct store *store, struct record_key key, const struct record *record)
{
	struct adapter_head head;
	store_head(store, &head);
	const struct change change = {.key = key,
	                              .old_rev = record->rev,
	                              .old_value = record->value,
	                              .expires_at_ms = record->expires_at_ms,
	                              .has_expired = true};
	const struct change_origin origin = {.epoch = head.epoch, .time_ms = store_time_ms(store)};
	put(store, &change, &origin);
}

enum store_state change_look(struct store *store, struct record_key key, struct store_look *out)
{
	enum store_state state = store_look(store, key, out);
	if (state == STORE_FOUND && change_is_expired(store, &out->record)) {
		change_expire(store, key, &out->record);
		state = store_look(store, key, out);
	}
	return state;
}

/* ---- judging ---- */

bool change_counts(const struct task *task, struct change *change, const struct lifetime *lifetime,
                   bool keeps, bool event_on_noop, int64_t now_ms)
{
	const struct scope_rule *rule = scope_rules_find(&task->tasks->scopes, change->key.part);
	bool is_new = change->old_value.ptr == NULL;
	bool is_same = !is_new && change->new_value.ptr != NULL &&
	               change->encoding == change->old_encoding &&
	               json_same_text(change->old_value, change->new_value);
	if (change->new_value.ptr == NULL) {
		return !is_new;
	}
	change->expires_at_ms =
	        lifetime_end(lifetime, rule, keeps, is_new, change->old_expires_at_ms, now_ms);
	bool wants_event = event_on_noop || (rule != NULL && rule->event_on_noop);
	change->is_touch =
	        is_same && !wants_event && change->expires_at_ms != change->old_expires_at_ms;
	return !is_same || wants_event || change->is_touch;
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

static void write_value(struct buf *out, struct span value)
{
	if (value.ptr != NULL) {
		buf_span(out, value);
	} else {
		BUF_LITERAL(out, "null");
	}
}

void change_write_expiry(struct buf *out, int64_t expires_at_ms)
{
	char text[CLOCK_TEXT_LEN + 1];
	if (expires_at_ms != 0) {
		clock_format(expires_at_ms, text);
		BUF_LITERAL(out, ",\"expires_at\":\"");
		buf_add(out, text, CLOCK_TEXT_LEN);
		buf_byte(out, '"');
	}
}

void change_write(struct buf *out, const struct change *change, uint64_t rev, size_t *out_old_at)
{
	(void)buf_reserve(out, change->old_value.len + change->new_value.len + 120);
	BUF_LITERAL(out, "{\"old_value\":");
	*out_old_at = out->len;
	write_value(out, change->old_value);
	BUF_LITERAL(out, ",\"new_value\":");
	write_value(out, change->new_value);
	BUF_LITERAL(out, ",\"rev\":\"");
	buf_uint(out, rev);
	buf_byte(out, '"');
	change_write_expiry(out, change->expires_at_ms);
}
