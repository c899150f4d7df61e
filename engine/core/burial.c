/* This file reads the event of a lost delivery and writes its dead letter. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/burial.h"

#include "base/crash.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/binding.h"
#include "engine/core/entry.h"
#include "engine/core/job_store.h"

struct burial {
	struct entry entry;
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

static void put(struct burial *burial, const struct event *event)
{
	struct delivery *delivery = burial->delivery;
	struct span code = span_of(delivery->doom.ptr);
	struct span message = span_make(code.ptr + code.len + 1, delivery->doom.len - code.len - 1);
	uint64_t before = dead_bytes(burial->dead);
	dead_put(burial->dead, delivery, event, code, message);
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
		put(burial, &event);
		return;
	}
	log_error("burial", "event %llu of a dead letter cannot be read: %s",
	          (unsigned long long)burial->delivery->seq, status != 0 ? err->text : why.text);
	put(burial, NULL);
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
		put(burial, NULL);
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
