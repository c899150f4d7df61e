/* This file brings what is known of idempotency keys into memory and then acts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/once.h"

#include "base/json.h"
#include "base/mem.h"

static void once_free(struct once *once)
{
	mem_free(once->key);
	mem_free(once->names);
	buf_free(&once->copy);
	mem_free(once);
}

static void fail(struct once *once, const struct err *err)
{
	work_fail(once->work, err);
	once_free(once);
}

static void were_fetched(struct store_fetch *fetch, int status, const struct err *err)
{
	struct once *once = MEM_CONTAINER(fetch, struct once, fetch);
	struct err gone;
	if (status == 0 && once->work->call == NULL) {
		status = err_set(&gone, E_CANCELED, "canceled", "the caller has gone");
		err = &gone;
	}
	if (status != 0) {
		fail(once, err);
		return;
	}
	once->act(once);
	once_free(once);
}

static void fetch(struct once *once)
{
	size_t count = once->count + (once->key != NULL) + (once->record.space != 0);
	size_t at = once->count;
	struct record_key *keys = MEM_ARRAY(struct record_key, count);
	for (size_t i = 0; i < once->count; i++) {
		keys[i] = idem_record(&once->names[i]);
	}
	if (once->key != NULL) {
		keys[at++] = idem_record(once->key);
	}
	if (once->record.space != 0) {
		keys[at++] = once->record;
	}
	buf_span(&once->copy, once->data);
	once->data = buf_view(&once->copy);
	once->fetch.done = were_fetched;
	store_fetch_start(once->work->core->store, &once->fetch, keys, count);
	mem_free(keys);
}

static int read_key(struct once *once, struct err *err)
{
	struct span key;
	if (!json_get(once->data, SPAN("idempotency_key"), &key) || json_is_null(key)) {
		return 0;
	}
	if (json_kind(key) != JSON_STRING) {
		return err_set(err, E_INVALID, "invalid_idempotency_key",
		               "\"idempotency_key\" must be a string, not %s",
		               json_kind_name(json_kind(key)));
	}
	once->key = MEM_NEW(struct idem_name);
	return idem_name_request(once->key, key, once->work->call->function_id, once->data, err);
}

static bool must_fetch(const struct once *once)
{
	struct store_look look;
	return once->key != NULL || once->count != 0 ||
	       (once->record.space != 0 &&
	        store_look(once->work->core->store, once->record, &look) == STORE_UNKNOWN);
}

static void run(struct once *once)
{
	struct err err;
	if (read_key(once, &err) != 0) {
		fail(once, &err);
	} else if (must_fetch(once)) {
		fetch(once);
	} else {
		once->act(once);
		once_free(once);
	}
}

void once_run(struct work *work, struct span data, struct idem_name *names, size_t count,
              once_fn *act)
{
	struct once *once = MEM_NEW(struct once);
	once->work = work;
	once->data = data;
	once->names = names;
	once->count = count;
	once->act = act;
	run(once);
}

void once_run_on(struct work *work, struct span data, struct record_key record, once_fn *act)
{
	struct once *once = MEM_NEW(struct once);
	once->work = work;
	once->data = data;
	once->record = record;
	once->act = act;
	run(once);
}

bool once_is_answered(struct once *once)
{
	struct work *work = once->work;
	struct idem_found found;
	struct err err;
	enum idem_state state =
	        once->key != NULL ? idem_look(work->core->idem, once->key, &found) : IDEM_NEW;
	if (state == IDEM_SAME) {
		work->replayed = true;
		buf_span(&work->out, found.answer);
		work_reply_behind(work, found.group);
	} else if (state == IDEM_OTHER) {
		(void)idem_refuse(once->key, &err);
		work_fail(work, &err);
	}
	return state != IDEM_NEW;
}

void once_commit(struct once *once)
{
	struct work *work = once->work;
	if (once->key != NULL) {
		idem_put(work->core->idem, once->key, buf_view(&work->out));
	}
	store_commit(work->core->store, work_waiter(work));
}
