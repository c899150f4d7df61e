/* This file finds the keys of a scope and deletes them, one durable batch after the other. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/state_clear.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/core/alarm_trace.h"
#include "engine/core/change.h"
#include "engine/core/key_range.h"

/*
 * DESIGN.
 *            +---------------------------------------------+
 *            v                                             | more is left
 *   scan: the next keys --> lanes, fetch --> delete_step --> durable --> end
 *            |                                   |
 *            +-- there are none --> end          +-- writes are refused --> end
 *
 * A batch is bounded by the bytes of its values too: they are all in memory at once.
 */
enum { BATCH_KEYS = 512 };

struct clearing {
	struct store_scan scan;
	struct store_waiter durable;
	struct task *task;
	struct span scope;
	struct key_range range;
	uint64_t limit;
	uint64_t deleted; /* and durable */

	/* The batch. */
	struct buf names; /* its keys, one behind the other */
	size_t ends[BATCH_KEYS];
	struct record_key keys[BATCH_KEYS];
	size_t count;
	size_t value_bytes;
	size_t put;
	bool more; /* the scan stopped because the batch is full */
};

static void free_clearing(void *more)
{
	struct clearing *clearing = more;
	key_range_close(&clearing->range);
	buf_free(&clearing->names);
	mem_free(clearing);
}

static void finish(struct clearing *clearing, uint64_t group)
{
	struct task *task = clearing->task;
	struct buf *out = &task->answer;
	buf_clear(out);
	BUF_LITERAL(out, "{\"deleted\":");
	buf_uint(out, clearing->deleted);
	if (clearing->more) {
		struct record_key last = clearing->keys[clearing->count - 1];
		BUF_LITERAL(out, ",\"done\":false,\"cursor\":");
		json_write_string(out, last.key);
		buf_byte(out, '}');
	} else {
		BUF_LITERAL(out, ",\"done\":true}");
	}
	task_answer(task, buf_view(out), group);
}

static void stop(struct clearing *clearing, const struct err *err, uint64_t group)
{
	struct task *task = clearing->task;
	task->err = *err;
	(void)err_wrap(&task->err,
	               "state::clear: %llu records are deleted; call it again for the rest",
	               (unsigned long long)clearing->deleted);
	task_fail(task, group);
}

static bool key_met(void *ctx, struct span key, const struct record *record)
{
	struct clearing *clearing = ctx;
	if (clearing->count == BATCH_KEYS ||
	    clearing->deleted + clearing->count == clearing->limit ||
	    clearing->value_bytes >= clearing->task->tasks->transact_bytes) {
		return false;
	}
	buf_span(&clearing->names, key);
	clearing->ends[clearing->count++] = clearing->names.len;
	clearing->value_bytes += record->value.len;
	return true;
}

/* Of all objects of the batch, those without a value included; the last batch reaches to the end.
 */
static bool drop_alarms(const struct clearing *clearing)
{
	const struct task *task = clearing->task;
	const struct alarm_traces *traces = task->tasks->traces;
	struct span from = buf_view(&clearing->range.start);
	struct span end = buf_view(&clearing->range.end);
	if (argument_is_true(task->args[ARG_KEEP_ALARMS])) {
		return false;
	}
	return clearing->more ? alarm_traces_drop_up_to(traces, clearing->scope, from,
	                                                clearing->keys[clearing->count - 1].key)
	                      : alarm_traces_drop_before(traces, clearing->scope, from,
	                                                 end.len != 0 ? end : SPAN_NONE);
}

/* The records may have changed since they were met: what counts is what is there now. */
static void delete_step(struct task *task)
{
	struct clearing *clearing = task->more;
	struct store *store = task->tasks->store;
	struct change_origin origin;
	struct err err;
	if (change_begin(task, &origin, &err) != 0) {
		stop(clearing, &err, 0);
		return;
	}
	clearing->put = 0;
	for (size_t i = 0; i < clearing->count; i++) {
		struct store_look look;
		if (change_look(store, clearing->keys[i], &look) != STORE_FOUND) {
			continue;
		}
		buf_clear(&task->value);
		buf_span(&task->value, look.record.value);
		const struct change change = {.key = clearing->keys[i],
		                              .old_rev = look.record.rev,
		                              .old_value = buf_view(&task->value)};
		change_put(task->tasks, &change, &origin);
		clearing->put++;
	}
	(void)drop_alarms(clearing);
	store_commit(store, &clearing->durable);
}

/* There is no value any more, but there may be alarms. */
static void end_step(struct clearing *clearing, uint64_t group)
{
	struct task *task = clearing->task;
	struct change_origin origin;
	struct err err;
	clearing->put = 0;
	if (change_begin(task, &origin, &err) == 0 && drop_alarms(clearing)) {
		store_commit(task->tasks->store, &clearing->durable);
	} else {
		finish(clearing, group);
	}
}

static void keys_met(struct store_scan *scan, int status, bool more, uint64_t group,
                     const struct err *err)
{
	struct clearing *clearing = MEM_CONTAINER(scan, struct clearing, scan);
	struct task *task = clearing->task;
	clearing->more = more;
	if (status != 0) {
		stop(clearing, err, group);
		return;
	}
	if (clearing->count == 0) {
		end_step(clearing, group);
		return;
	}
	size_t from = 0;
	for (size_t i = 0; i < clearing->count; i++) {
		clearing->keys[i] = (struct record_key){
		        SPACE_STATE, clearing->scope,
		        span_make(clearing->names.ptr + from, clearing->ends[i] - from)};
		from = clearing->ends[i];
	}
	task->keys = clearing->keys;
	task->key_count = clearing->count;
	task_with_keys(task, delete_step);
}

static void scan_next(struct clearing *clearing)
{
	buf_clear(&clearing->names);
	clearing->count = 0;
	clearing->value_bytes = 0;
	clearing->scan.range = key_range_view(&clearing->range, clearing->scope);
	store_scan_start(clearing->task->tasks->store, &clearing->scan);
}

static void batch_durable(struct store_waiter *waiter, int status, const struct err *err)
{
	struct clearing *clearing = MEM_CONTAINER(waiter, struct clearing, durable);
	if (status != 0) {
		stop(clearing, err, 0);
		return;
	}
	clearing->deleted += clearing->put;
	if (clearing->count == 0) {
		finish(clearing, 0);
		return;
	}
	key_range_behind(&clearing->range, clearing->keys[clearing->count - 1].key);
	if (clearing->more && clearing->deleted < clearing->limit) {
		scan_next(clearing);
	} else {
		finish(clearing, 0);
	}
}

void state_clear(struct task *task)
{
	argument_reserve(&task->scratch, task->data);
	if (task->args[ARG_IDEMPOTENCY_KEY].ptr != NULL) {
		(void)err_set(&task->err, E_UNSUPPORTED, "not_available",
		              "state::clear takes no \"idempotency_key\": it is done in parts; "
		              "called again it does what is left");
		task_fail(task, 0);
		return;
	}
	struct clearing *clearing = MEM_NEW(struct clearing);
	task->more = clearing;
	task->free_more = free_clearing;
	clearing->task = task;
	if (argument_scope(task->form->name, task->args[ARG_SCOPE], &task->scratch,
	                   &clearing->scope, &task->err) != 0) {
		task_fail(task, 0);
		return;
	}
	clearing->limit = argument_count(task->args[ARG_LIMIT], UINT64_MAX);
	if (task->args[ARG_PREFIX].ptr != NULL) {
		key_range_within(&clearing->range,
		                 json_plain(task->args[ARG_PREFIX], &task->scratch));
	}
	if (task->args[ARG_CURSOR].ptr != NULL) {
		key_range_behind(&clearing->range,
		                 json_plain(task->args[ARG_CURSOR], &task->scratch));
	}
	clearing->scan.row = key_met;
	clearing->scan.ctx = clearing;
	clearing->scan.done = keys_met;
	clearing->durable.done = batch_durable;
	list_init(&clearing->durable.link);
	if (key_range_is_empty(&clearing->range)) {
		finish(clearing, 0);
	} else {
		scan_next(clearing);
	}
}
