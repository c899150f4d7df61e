/* This file calls those who wait for a group, and remembers which groups were lost. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_WAITER_H
#define ENGINE_DURABLE_STORE_WAITER_H

#include "base/err.h"
#include "base/list.h"
#include <stdbool.h>
#include <stdint.h>

/* Embedded in whoever must answer. Called exactly once, later, in the order of adding. status 0, or
 * E_UNKNOWN "outcome_unknown", with the cause in its text, when the group failed. */
struct store_waiter {
	struct list link;
	void (*done)(struct store_waiter *waiter, int status, const struct err *err);
};

enum { STORE_LOSSES = 16 };

struct store_loss {
	uint64_t first, last; /* group numbers */
};

struct store_waiters {
	struct list ready;  /* nothing to wait for */
	struct list failed; /* their group was lost */
	/* A ring: who still waits for a group of a loss sixteen losses ago would have had to hold
	 * its number for that long. */
	struct store_loss losses[STORE_LOSSES];
	unsigned next_loss;
	struct err cause; /* of the last one */
};

void store_waiters_init(struct store_waiters *waiters);
void store_waiters_lose(struct store_waiters *waiters, uint64_t first, uint64_t last,
                        const struct err *cause);
bool store_waiters_has_lost(const struct store_waiters *waiters, uint64_t group);

/* Takes all off the list, then calls them. */
void store_waiters_call(struct list *list, int status, const struct err *err);
void store_waiters_call_lost(struct store_waiters *waiters, struct list *list);
/* Those who had nothing to wait for; returns whether there were any. */
bool store_waiters_call_ready(struct store_waiters *waiters);

#endif
