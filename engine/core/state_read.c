/* This file answers with the values of state records that are asked for by name. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/state_read.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/core/change.h"
#include "engine/core/encoding.h"

/* ---- get ---- */

static void get_step(struct task *task)
{
	if (task->presence == STORE_ABSENT ||
	    change_is_expired(task->tasks->store, &task->look.record)) {
		task_answer(task, SPAN_NONE, task->look.group);
		return;
	}
	struct buf *out = &task->answer;
	if (argument_is_true(task->args[ARG_WITH_REV])) {
		BUF_LITERAL(out, "{\"value\":");
		buf_span(out, task->look.record.value);
		BUF_LITERAL(out, ",\"rev\":\"");
		buf_uint(out, task->look.record.rev);
		buf_byte(out, '"');
		encoding_write(out, task->look.record.flags,
		               argument_is_true(task->args[ARG_WITH_ENCODING]));
		change_write_expiry(out, task->look.record.expires_at_ms);
		buf_byte(out, '}');
	} else {
		buf_span(out, task->look.record.value);
	}
	task_answer(task, buf_view(out), task->look.group);
}

void state_get(struct task *task)
{
	if (argument_record(task->form, task->args, &task->scratch, &task->key, &task->err) != 0) {
		task_fail(task, 0);
	} else {
		task_with_keys(task, get_step);
	}
}

/* ---- get_many ---- */

struct wanted {
	struct record_key keys[STATE_GET_MANY_MAX];
	struct span scopes[STATE_GET_MANY_MAX]; /* as they were sent, for the answer */
	struct span names[STATE_GET_MANY_MAX];
};

static void write_item(struct buf *out, struct span scope, struct span key,
                       const struct record *record)
{
	BUF_LITERAL(out, "{\"scope\":");
	buf_span(out, scope);
	BUF_LITERAL(out, ",\"key\":");
	buf_span(out, key);
	BUF_LITERAL(out, ",\"value\":");
	buf_span(out, record->value);
	BUF_LITERAL(out, ",\"rev\":\"");
	buf_uint(out, record->rev);
	buf_byte(out, '"');
	encoding_write(out, record->flags, false);
	change_write_expiry(out, record->expires_at_ms);
	buf_byte(out, '}');
}

static void get_many_step(struct task *task)
{
	const struct wanted *wanted = task->more;
	struct buf *out = &task->answer;
	uint64_t group = 0;
	BUF_LITERAL(out, "{\"items\":[");
	for (size_t i = 0; i < task->key_count; i++) {
		struct store_look look;
		if (i != 0) {
			buf_byte(out, ',');
		}
		if (store_look(task->tasks->store, task->keys[i], &look) == STORE_FOUND &&
		    !change_is_expired(task->tasks->store, &look.record)) {
			write_item(out, wanted->scopes[i], wanted->names[i], &look.record);
		} else {
			BUF_LITERAL(out, "null");
		}
		group = look.group > group ? look.group : group;
		if (out->len > task->tasks->reply_bytes) {
			(void)err_set(&task->err, E_LIMIT, "result_too_large",
			              "state::get_many: the answer is over %llu bytes; ask for "
			              "fewer keys at a time",
			              (unsigned long long)task->tasks->reply_bytes);
			task_fail(task, group);
			return;
		}
	}
	BUF_LITERAL(out, "]}");
	task_answer(task, buf_view(out), group);
}

/* One item of `keys` (a string) or of `items` (an object). */
static int read_item(struct task *task, struct span item, bool is_object, struct record_key *key,
                     struct span *scope_token, struct span *key_token)
{
	static const struct argument_form form = {
	        {"state::get_many: items", 22}, 2, 2, {ARG_SCOPE, ARG_KEY}};
	struct span name = task->form->name;
	struct span args[ARG_COUNT];
	enum json_kind wanted = is_object ? JSON_OBJECT : JSON_STRING;
	if (json_kind(item) != wanted) {
		return err_set(&task->err, E_INVALID, "invalid_argument",
		               "state::get_many: every item of \"%s\" must be %s, not %s",
		               is_object ? "items" : "keys", is_object ? "an object" : "a string",
		               json_kind_name(json_kind(item)));
	}
	args[ARG_SCOPE] = task->args[ARG_SCOPE];
	args[ARG_KEY] = item;
	int status = is_object ? arguments_read(&form, item, args, &task->err) : 0;
	if (status == 0) {
		key->space = SPACE_STATE;
		*scope_token = args[ARG_SCOPE];
		*key_token = args[ARG_KEY];
		status = argument_scope(name, args[ARG_SCOPE], &task->scratch, &key->part,
		                        &task->err);
	}
	if (status == 0) {
		status = argument_key(name, args[ARG_KEY], &task->scratch, &key->key, &task->err);
	}
	return status;
}

static int read_wanted(struct task *task, struct wanted *wanted)
{
	bool is_objects = task->args[ARG_ITEMS].ptr != NULL;
	struct span list = is_objects ? task->args[ARG_ITEMS] : task->args[ARG_KEYS];
	if (list.ptr == NULL || (!is_objects && task->args[ARG_SCOPE].ptr == NULL)) {
		return err_set(&task->err, E_INVALID, "argument_required",
		               "state::get_many: give \"scope\" and \"keys\", or \"items\"");
	}
	struct json_iter iter = json_iter(list);
	struct span item;
	size_t count = 0;
	for (; json_next_item(&iter, &item); count++) {
		if (count == STATE_GET_MANY_MAX) {
			return err_set(&task->err, E_LIMIT, "too_many_keys",
			               "state::get_many: at most %d keys at a time",
			               STATE_GET_MANY_MAX);
		}
		int status = read_item(task, item, is_objects, &wanted->keys[count],
		                       &wanted->scopes[count], &wanted->names[count]);
		if (status != 0) {
			return status;
		}
	}
	task->key_count = count;
	return 0;
}

void state_get_many(struct task *task)
{
	struct wanted *wanted = MEM_NEW(struct wanted);
	task->more = wanted;
	task->free_more = mem_free;
	/* A scope is unescaped once for each of its keys. */
	if (memchr(task->data.ptr, '\\', task->data.len) != NULL) {
		(void)buf_reserve(&task->scratch,
		                  task->data.len + (size_t)STATE_GET_MANY_MAX * ARGUMENT_SCOPE_MAX);
	}
	task->keys = wanted->keys;
	if (read_wanted(task, wanted) != 0) {
		task_fail(task, 0);
	} else {
		task_with_keys(task, get_many_step);
	}
}
