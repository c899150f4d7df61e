/* This file tells waiters what became of their group. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/store_waiter.h"

void store_waiters_init(struct store_waiters *waiters)
{
	*waiters = (struct store_waiters){.next_loss = 0};
	list_init(&waiters->ready);
	list_init(&waiters->failed);
}

void store_waiters_lose(struct store_waiters *waiters, uint64_t first, uint64_t last,
                        const struct err *cause)
{
	waiters->losses[waiters->next_loss++ % STORE_LOSSES] = (struct store_loss){first, last};
	waiters->cause = *cause;
}

bool store_waiters_has_lost(const struct store_waiters *waiters, uint64_t group)
{
	for (int i = 0; i < STORE_LOSSES; i++) {
		if (waiters->losses[i].first <= group && group <= waiters->losses[i].last) {
			return true;
		}
	}
	return false;
}

void store_waiters_call(struct list *list, int status, const struct err *err)
{
	struct list now;
	list_init(&now);
	list_move(list, &now);
	while (!list_is_empty(&now)) {
		struct store_waiter *waiter = LIST_FIRST(&now, struct store_waiter, link);
		list_remove(&waiter->link);
		waiter->done(waiter, status, err);
	}
}

void store_waiters_call_lost(struct store_waiters *waiters, struct list *list)
{
	struct err err;
	int status = err_set(&err, E_UNKNOWN, "outcome_unknown",
	                     "it is not known whether this was written: %s", waiters->cause.text);
	store_waiters_call(list, status, &err);
}

bool store_waiters_call_ready(struct store_waiters *waiters)
{
	bool any = !list_is_empty(&waiters->ready) || !list_is_empty(&waiters->failed);
	store_waiters_call(&waiters->ready, 0, NULL);
	store_waiters_call_lost(waiters, &waiters->failed);
	return any;
}
