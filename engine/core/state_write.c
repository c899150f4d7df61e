/* This file sets, deletes and updates single state records. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/state_write.h"

#include "base/json.h"
#include "engine/core/alarm_trace.h"
#include "engine/core/change.h"
#include "engine/core/encoding.h"
#include "engine/core/update.h"

/* What every step here begins with: may it write, and is the rev the one that was asked for? */
static int begin(struct task *task, struct change *change, struct change_origin *origin)
{
	int status = change_begin(task, origin, &task->err);
	if (status != 0) {
		return status;
	}
	*change = (struct change){.key = task->key};
	struct store *store = task->tasks->store;
	if (task->presence == STORE_FOUND && change_is_expired(store, &task->look.record)) {
		task->presence = change_look(store, task->key, &task->look);
	}
	if (task->presence == STORE_FOUND) {
		change->old_rev = task->look.record.rev;
		change->old_value = task->look.record.value;
		change->old_encoding = task->look.record.flags;
		change->old_expires_at_ms = task->look.record.expires_at_ms;
	}
	return change_check_rev(task, task->key, task->args[ARG_IF_REV], change->old_rev,
	                        &task->err);
}

/* The answer is written first: the old value is the store's until the put, then it is ours. An
 * update that failed and left everything as it was is none that asks for an event. */
static void put(struct task *task, struct change *change, const struct change_origin *origin,
                bool keeps)
{
	struct buf *out = &task->answer;
	struct span errors = buf_view(&task->errors);
	bool counts =
	        change_counts(task, change, &task->lifetime, keeps,
	                      errors.len == 0 && argument_is_true(task->args[ARG_EVENT_ON_NOOP]),
	                      origin->time_ms);
	size_t old_at;
	change_write(out, change, counts ? store_next_seq(task->tasks->store) : change->old_rev,
	             &old_at);
	if (errors.len != 0) {
		BUF_LITERAL(out, ",\"errors\":");
		buf_span(out, errors);
	}
	buf_byte(out, '}');
	if (!counts) {
		task_answer(task, buf_view(out), task->look.group);
		return;
	}
	if (change->old_value.ptr != NULL) {
		change->old_value.ptr = out->ptr + old_at;
	}
	change_put(task->tasks, change, origin);
	task_commit(task, buf_view(out));
}

static void set_step(struct task *task)
{
	struct change change;
	struct change_origin origin;
	if (begin(task, &change, &origin) != 0) {
		task_fail(task, task->look.group);
		return;
	}
	change.new_value = task->args[ARG_VALUE];
	change.encoding = task->encoding;
	put(task, &change, &origin, false);
}

/* Also those of an object that has no value. */
static bool drop_alarms(const struct task *task)
{
	return !argument_is_true(task->args[ARG_KEEP_ALARMS]) &&
	       alarm_traces_drop(task->tasks->traces, task->key.part, task->key.key);
}

static void delete_step(struct task *task)
{
	struct change change;
	struct change_origin origin;
	if (begin(task, &change, &origin) != 0) {
		task_fail(task, task->look.group);
		return;
	}
	if (change.old_value.ptr == NULL) {
		if (drop_alarms(task)) {
			task_commit(task, SPAN_NONE);
		} else {
			task_answer(task, SPAN_NONE, task->look.group);
		}
		return;
	}
	buf_span(&task->answer, change.old_value);
	change.old_value = buf_view(&task->answer);
	change_put(task->tasks, &change, &origin);
	(void)drop_alarms(task);
	task_commit(task, change.old_value);
}

static void update_step(struct task *task)
{
	struct change change;
	struct change_origin origin;
	if (begin(task, &change, &origin) != 0 ||
	    update_apply(change.old_value, task->args[ARG_OPS],
	                 argument_is_true(task->args[ARG_ATOMIC]), &task->value, &task->errors,
	                 &task->err) != 0 ||
	    change_check_size(task, task->key, buf_view(&task->value), &task->err) != 0) {
		task_fail(task, task->look.group);
		return;
	}
	if (task->value.len != 0) {
		change.new_value = buf_view(&task->value);
		change.encoding = encoding_after_update(change.old_encoding, change.old_value,
		                                        change.new_value);
		put(task, &change, &origin, true);
		return;
	}
	BUF_LITERAL(&task->answer, "{\"old_value\":null,\"new_value\":null,\"rev\":\"0\"");
	if (task->errors.len != 0) {
		BUF_LITERAL(&task->answer, ",\"errors\":");
		buf_span(&task->answer, buf_view(&task->errors));
	}
	buf_byte(&task->answer, '}');
	task_answer(task, buf_view(&task->answer), task->look.group);
}

/* A store that refuses writes does so at once, even where it could not read the record either. */
static bool read_key(struct task *task)
{
	if (argument_record(task->form, task->args, &task->scratch, &task->key, &task->err) != 0 ||
	    store_refuses(task->tasks->store, &task->err) != 0) {
		task_fail(task, 0);
		return false;
	}
	return true;
}

static bool read_lifetime(struct task *task)
{
	if (lifetime_read(task->form->name, task->args, &task->lifetime, &task->err) != 0) {
		task_fail(task, 0);
		return false;
	}
	return true;
}

void state_set(struct task *task)
{
	if (!read_key(task) || !read_lifetime(task)) {
		return;
	}
	if (task->args[ARG_VALUE].ptr == NULL) {
		task->args[ARG_VALUE] = task->args[ARG_DATA];
	}
	if (task->args[ARG_VALUE].ptr == NULL) {
		(void)err_set(
		        &task->err, E_INVALID, "value_required",
		        "state::set: \"value\" (or \"data\") is missing; null is a value too");
		task_fail(task, 0);
	} else if (encoding_read(task->args[ARG_ENCODING], task->args[ARG_VALUE], &task->encoding,
	                         &task->err) != 0 ||
	           change_check_size(task, task->key, task->args[ARG_VALUE], &task->err) != 0) {
		task_fail(task, 0);
	} else {
		task_with_keys(task, set_step);
	}
}

void state_delete(struct task *task)
{
	if (read_key(task)) {
		task_with_keys(task, delete_step);
	}
}

void state_update(struct task *task)
{
	if (read_key(task) && read_lifetime(task)) {
		task_with_keys(task, update_step);
	}
}
