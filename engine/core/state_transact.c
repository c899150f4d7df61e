/* This file judges all operations of a transaction, then puts all of their changes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/state_transact.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/core/alarm_trace.h"
#include "engine/core/change.h"
#include "engine/core/encoding.h"
#include "engine/core/update.h"

enum step_type { STEP_SET, STEP_DELETE, STEP_UPDATE, STEP_CHECK, STEP_TYPES };

/* The argument that a type cannot do without; ARG_COUNT: none. */
static const struct {
	const char *name;
	enum argument needs;
} step_types[STEP_TYPES] = {
        [STEP_SET] = {"set", ARG_COUNT},
        [STEP_DELETE] = {"delete", ARG_COUNT},
        [STEP_UPDATE] = {"update", ARG_OPS},
        [STEP_CHECK] = {"check", ARG_IF_REV},
};

static const struct argument_form step_form = {
        {"state::transact", 15},
        3,
        14,
        {ARG_TYPE, ARG_SCOPE, ARG_KEY, ARG_VALUE, ARG_DATA, ARG_ENCODING, ARG_OPS, ARG_IF_REV,
         ARG_EVENT_ON_NOOP, ARG_TTL_MS, ARG_TTL, ARG_EXPIRES_AT, ARG_KEEP_ALARMS,
         ARG_IDEMPOTENCY_KEY},
};

/* One operation: what was asked for, then what is to be put. */
struct step {
	enum step_type type;
	struct span value; /* of a set */
	uint32_t encoding; /* the same */
	struct span ops;   /* of an update */
	struct span if_rev;
	bool event_on_noop;
	bool keep_alarms;
	struct lifetime lifetime;
	bool is_change;
	struct change change;
	size_t old_at; /* where its values stand in the answer */
	size_t new_at;
};

struct transaction {
	struct step *steps;
	struct record_key *keys;
	size_t count;
	uint64_t bytes;   /* of keys and new values */
	uint64_t changes; /* so far */
};

static void free_transaction(void *more)
{
	struct transaction *transaction = more;
	mem_free(transaction->steps);
	mem_free(transaction->keys);
	mem_free(transaction);
}

/* ---- judging ---- */

static int count_bytes(const struct task *task, struct transaction *transaction, size_t bytes,
                       struct err *err)
{
	transaction->bytes += bytes;
	if (transaction->bytes <= task->tasks->transact_bytes) {
		return 0;
	}
	return err_set(err, E_LIMIT, "transact_too_large",
	               "keys and values take more than the %llu bytes that a transaction may "
	               "have; split it",
	               (unsigned long long)task->tasks->transact_bytes);
}

/* The first error of an atomic update, from the array that update_apply has made. */
static int update_failed(const struct buf *errors, struct err *err)
{
	static const struct span names[] = {{"op_index", 8}, {"code", 4}, {"message", 7}};
	struct span fields[3];
	struct span first;
	struct json_iter iter = json_iter(buf_view(errors));
	POST(json_next_item(&iter, &first));
	json_get_many(first, names, 3, fields);
	return err_set(err, E_INVALID, "update_failed", "its ops[%.*s] fails with %.*s: %.*s",
	               SPAN_ARG(fields[0]), SPAN_ARG(fields[1]), SPAN_ARG(fields[2]));
}

/* What the record will be: step->change.new_value, absent when it goes or never was. */
static int find_new_value(struct task *task, struct step *step, struct err *err)
{
	struct change *change = &step->change;
	if (step->type == STEP_SET) {
		change->new_value = step->value;
		change->encoding = step->encoding;
	} else if (step->type == STEP_UPDATE) {
		int status = update_apply(change->old_value, step->ops, true, &task->value,
		                          &task->errors, err);
		if (status == 0 && task->errors.len != 0) {
			status = update_failed(&task->errors, err);
		}
		if (status != 0) {
			return status;
		}
		if (task->value.len != 0) {
			change->new_value = buf_view(&task->value);
			change->encoding = encoding_after_update(
			        change->old_encoding, change->old_value, change->new_value);
		}
	}
	return change_check_size(task, change->key, change->new_value, err);
}

/* Looks, decides, and writes the step's result into the answer, where its values then stand. */
static int judge(struct task *task, struct transaction *transaction, size_t index, uint64_t *group,
                 struct err *err)
{
	struct step *step = &transaction->steps[index];
	struct change *change = &step->change;
	struct buf *out = &task->answer;
	struct store_look look;
	*change = (struct change){.key = transaction->keys[index]};
	if (store_look(task->tasks->store, change->key, &look) == STORE_FOUND) {
		change->old_rev = look.record.rev;
		change->old_value = look.record.value;
		change->old_encoding = look.record.flags;
		change->old_expires_at_ms = look.record.expires_at_ms;
	}
	*group = look.group > *group ? look.group : *group;
	int status = change_check_rev(task, change->key, step->if_rev, change->old_rev, err);
	if (status != 0) {
		return status;
	}
	if (step->type == STEP_CHECK) {
		BUF_LITERAL(out, "{\"rev\":\"");
		buf_uint(out, change->old_rev);
		BUF_LITERAL(out, "\"}");
		return 0;
	}
	status = find_new_value(task, step, err);
	if (status == 0) {
		status = count_bytes(
		        task, transaction,
		        change->key.part.len + change->key.key.len + change->new_value.len, err);
	}
	if (status != 0) {
		return status;
	}
	step->is_change = change_counts(task, change, &step->lifetime, step->type == STEP_UPDATE,
	                                step->event_on_noop, store_time_ms(task->tasks->store));
	uint64_t rev = change->old_rev;
	if (step->is_change) {
		rev = store_next_seq(task->tasks->store) + transaction->changes++;
	}
	change_write(out, change, rev, &step->old_at);
	step->new_at = step->old_at + (change->old_value.ptr ? change->old_value.len : 4) +
	               strlen(",\"new_value\":");
	buf_byte(out, '}');
	return 0;
}

static int judge_all(struct task *task, struct transaction *transaction, uint64_t *group)
{
	struct buf *out = &task->answer;
	BUF_LITERAL(out, "{\"results\":[");
	for (size_t i = 0; i < transaction->count; i++) {
		if (i != 0) {
			buf_byte(out, ',');
		}
		if (judge(task, transaction, i, group, &task->err) != 0) {
			return err_wrap(&task->err, "ops[%zu]", i);
		}
		if (out->len > task->tasks->reply_bytes) {
			return err_set(
			        &task->err, E_LIMIT, "result_too_large",
			        "state::transact: old and new values take more than the %llu "
			        "bytes of an answer; split the transaction",
			        (unsigned long long)task->tasks->reply_bytes);
		}
	}
	BUF_LITERAL(out, "]}");
	return 0;
}

/* ---- putting ---- */

static void put_all(struct task *task, struct transaction *transaction,
                    struct change_origin *origin)
{
	if (transaction->changes > 1) {
		origin->txn = store_next_seq(task->tasks->store);
	}
	for (size_t i = 0; i < transaction->count; i++) {
		struct step *step = &transaction->steps[i];
		if (!step->is_change) {
			continue;
		}
		if (step->change.old_value.ptr != NULL) {
			step->change.old_value.ptr = task->answer.ptr + step->old_at;
		}
		if (step->change.new_value.ptr != NULL) {
			step->change.new_value.ptr = task->answer.ptr + step->new_at;
		}
		change_put(task->tasks, &step->change, origin);
		if (step->type == STEP_DELETE && !step->keep_alarms) {
			(void)alarm_traces_drop(task->tasks->traces, step->change.key.part,
			                        step->change.key.key);
		}
	}
}

/* Records whose time has come are absent for everybody, whatever becomes of the transaction. */
static void put_expired_away(struct task *task, const struct transaction *transaction)
{
	for (size_t i = 0; i < transaction->count; i++) {
		struct store_look look;
		(void)change_look(task->tasks->store, transaction->keys[i], &look);
	}
}

static void transact_step(struct task *task)
{
	struct transaction *transaction = task->more;
	struct change_origin origin;
	uint64_t group = 0;
	if (change_begin(task, &origin, &task->err) != 0) {
		task_fail(task, group);
		return;
	}
	put_expired_away(task, transaction);
	if (judge_all(task, transaction, &group) != 0) {
		task_fail(task, group);
	} else if (transaction->changes == 0) {
		task_answer(task, buf_view(&task->answer), group);
	} else {
		put_all(task, transaction, &origin);
		task_commit(task, buf_view(&task->answer));
	}
}

/* ---- reading ---- */

static int read_type(struct span type, struct step *step, struct err *err)
{
	for (size_t i = 0; i < STEP_TYPES; i++) {
		if (json_string_is(type, span_of(step_types[i].name))) {
			step->type = (enum step_type)i;
			return 0;
		}
	}
	return err_set(err, E_INVALID, "invalid_argument",
	               "\"type\" must be one of set, delete, update, check");
}

static int read_step(struct task *task, struct span text, struct step *step, struct record_key *key,
                     struct err *err)
{
	struct span args[ARG_COUNT];
	if (json_kind(text) != JSON_OBJECT) {
		return err_set(err, E_INVALID, "invalid_argument", "it must be an object, not %s",
		               json_kind_name(json_kind(text)));
	}
	int status = arguments_read(&step_form, text, args, err);
	if (status == 0) {
		status = read_type(args[ARG_TYPE], step, err);
	}
	if (status == 0) {
		status = argument_scope(step_form.name, args[ARG_SCOPE], &task->scratch, &key->part,
		                        err);
	}
	if (status == 0) {
		status =
		        argument_key(step_form.name, args[ARG_KEY], &task->scratch, &key->key, err);
	}
	if (status != 0) {
		return status;
	}
	if (args[ARG_IDEMPOTENCY_KEY].ptr != NULL) {
		return err_set(err, E_INVALID, "invalid_argument",
		               "\"idempotency_key\" is the whole transaction's: put it beside "
		               "\"ops\"");
	}
	key->space = SPACE_STATE;
	step->value = args[ARG_VALUE].ptr ? args[ARG_VALUE] : args[ARG_DATA];
	step->ops = args[ARG_OPS];
	step->if_rev = args[ARG_IF_REV];
	step->event_on_noop = argument_is_true(args[ARG_EVENT_ON_NOOP]);
	step->keep_alarms = argument_is_true(args[ARG_KEEP_ALARMS]);
	status = lifetime_read(step_form.name, args, &step->lifetime, err);
	if (status != 0) {
		return status;
	}
	if (step->type == STEP_SET && step->value.ptr == NULL) {
		return err_set(err, E_INVALID, "value_required",
		               "a set needs \"value\" (or \"data\"); null is a value too");
	}
	if (step->type == STEP_SET &&
	    encoding_read(args[ARG_ENCODING], step->value, &step->encoding, err) != 0) {
		return err->number;
	}
	enum argument needs = step_types[step->type].needs;
	if (needs != ARG_COUNT && args[needs].ptr == NULL) {
		return err_set(err, E_INVALID, "argument_required", "%s needs \"%s\"",
		               step_types[step->type].name, needs == ARG_OPS ? "ops" : "if_rev");
	}
	return 0;
}

static int refuse_duplicate(const struct transaction *transaction, size_t index, struct err *err)
{
	const struct record_key *key = &transaction->keys[index];
	for (size_t i = 0; i < index && transaction->steps[index].type != STEP_CHECK; i++) {
		if (transaction->steps[i].type != STEP_CHECK &&
		    span_equal(key->key, transaction->keys[i].key) &&
		    span_equal(key->part, transaction->keys[i].part)) {
			return err_set(err, E_INVALID, "duplicate_key",
			               "ops[%zu] changes the same key; a transaction changes a key "
			               "once",
			               i);
		}
	}
	return 0;
}

static int read_steps(struct task *task, struct transaction *transaction)
{
	struct json_iter iter = json_iter(task->args[ARG_OPS]);
	struct span text;
	for (size_t i = 0; json_next_item(&iter, &text); i++) {
		if (i == task->tasks->transact_keys) {
			return err_set(&task->err, E_LIMIT, "transact_too_large",
			               "state::transact: more than %u operations; split it",
			               task->tasks->transact_keys);
		}
		transaction->count = i + 1;
		if (read_step(task, text, &transaction->steps[i], &transaction->keys[i],
		              &task->err) != 0 ||
		    refuse_duplicate(transaction, i, &task->err) != 0) {
			return err_wrap(&task->err, "ops[%zu]", i);
		}
	}
	return 0;
}

void state_transact(struct task *task)
{
	struct transaction *transaction = MEM_NEW(struct transaction);
	transaction->steps = MEM_ARRAY(struct step, task->tasks->transact_keys);
	transaction->keys = MEM_ARRAY(struct record_key, task->tasks->transact_keys);
	task->more = transaction;
	task->free_more = free_transaction;
	argument_reserve(&task->scratch, task->data);
	if (read_steps(task, transaction) != 0) {
		task_fail(task, 0);
		return;
	}
	task->keys = transaction->keys;
	task->key_count = transaction->count;
	task_with_keys(task, transact_step);
}
