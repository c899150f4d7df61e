/* This file reads the event of a lost delivery and writes its dead letter. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/burial.h"

#include "base/crash.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/attempt.h"
#include "engine/core/binding.h"
#include "engine/core/entry.h"
#include "engine/core/job_store.h"
#include "engine/core/parcel.h"

struct burial {
	struct entry entry;   /* one of these two */
	struct parcel parcel; /* of a batch */
	struct store_waiter waiter;
	struct store *store;
	struct dead *dead;
	struct delivery *delivery; /* NULL once it was dropped */
	uint64_t bytes;            /* of the dead letter, once it was put */
	const struct burial_hooks *hooks;
};

static void finish(struct burial *burial, int status, const struct err *err)
{
	struct delivery *delivery = burial->delivery;
	if (delivery != NULL) {
		delivery->burial = NULL;
		burial->hooks->done(delivery, status, err);
	}
	parcel_close(&burial->parcel);
	mem_free(burial);
}

static void is_durable(struct store_waiter *waiter, int status, const struct err *err)
{
	struct burial *burial = MEM_CONTAINER(waiter, struct burial, waiter);
	if (status != 0) {
		dead_uncount(burial->dead, burial->bytes);
	}
	finish(burial, status, err);
}

bool delivery_blocks(const struct delivery *delivery)
{
	return delivery->failures != 0 &&
	       delivery->binding->policy.on_exhausted == EXHAUSTED_PAUSE_KEY;
}

static void put(struct burial *burial, const struct event *event, struct span batch)
{
	struct delivery *delivery = burial->delivery;
	struct span code = span_of(delivery->doom.ptr);
	const struct dead_words words = {
	        .event = event,
	        .batch = batch,
	        .code = code,
	        .message = span_make(code.ptr + code.len + 1, delivery->doom.len - code.len - 1),
	};
	uint64_t before = dead_bytes(burial->dead);
	dead_put(burial->dead, delivery, &words);
	burial->bytes = dead_bytes(burial->dead) - before;
	if (delivery_blocks(delivery)) {
		job_store_put_blocked(burial->store, delivery);
	} else {
		job_store_put_done(burial->store, delivery->binding, delivery->seq);
	}
	burial->hooks->put(delivery, event);
	crash_at(CRASH_OUTCOME);
	burial->waiter.done = is_durable;
	store_commit(burial->store, &burial->waiter);
}

static void event_came(struct entry *entry, int status, struct span bytes, const struct err *err)
{
	struct burial *burial = MEM_CONTAINER(entry, struct burial, entry);
	struct event event;
	struct err why;
	bool gone = status == E_NOT_FOUND || status == E_DAMAGED || status == E_VERSION;
	if (status != 0 && !gone) {
		finish(burial, status, err);
		return;
	}
	if (burial->delivery == NULL || !store_can_put(burial->store)) {
		finish(burial, store_refuses_records(burial->store, &why), &why);
		return;
	}
	if (status == 0 && event_decode(burial->delivery->seq, bytes, &event, &why) == 0) {
		put(burial, &event, SPAN_NONE);
		return;
	}
	log_error("burial", "event %llu of a dead letter cannot be read: %s",
	          (unsigned long long)burial->delivery->seq, status != 0 ? err->text : why.text);
	put(burial, NULL, SPAN_NONE);
}

static void batch_came(struct parcel *parcel, int status, const struct err *err)
{
	struct burial *burial = MEM_CONTAINER(parcel, struct burial, parcel);
	struct delivery *delivery = burial->delivery;
	struct err why;
	if (status != 0) {
		finish(burial, status, err);
		return;
	}
	if (delivery == NULL || !store_can_put(burial->store)) {
		finish(burial, store_refuses_records(burial->store, &why), &why);
		return;
	}
	struct buf id = {0};
	struct buf batch = {0};
	delivery_write_id(delivery, parcel->log, delivery->epoch, &id);
	parcel_write(parcel, delivery->binding->id, buf_view(&id), attempt_number(delivery),
	             &batch);
	put(burial, parcel->count != 0 ? &parcel->deepest : NULL, buf_view(&batch));
	buf_free(&id);
	buf_free(&batch);
}

static void gather(struct burial *burial)
{
	burial->parcel = (struct parcel){.store = burial->store,
	                                 .log = dead_log(burial->dead),
	                                 .leaves_out = true,
	                                 .done = batch_came};
	parcel_gather(&burial->parcel, &burial->delivery->members);
}

void burial_start(struct store *store, struct dead *dead, struct delivery *delivery,
                  const struct burial_hooks *hooks)
{
	struct burial *burial = MEM_NEW(struct burial);
	burial->store = store;
	burial->dead = dead;
	burial->delivery = delivery;
	burial->hooks = hooks;
	delivery->burial = &burial->delivery;
	if (delivery->event_json.len != 0) {
		put(burial, NULL, SPAN_NONE);
		return;
	}
	if (delivery->members.count != 0) {
		gather(burial);
		return;
	}
	burial->entry.done = event_came;
	entry_get(store, &burial->entry, delivery->seq);
}

void burial_drop(struct delivery *delivery)
{
	if (delivery->burial != NULL) {
		*delivery->burial = NULL;
		delivery->burial = NULL;
	}
}
