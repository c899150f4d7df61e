/* This file says what an event must have for a filter to want it, and what to look for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_DEMAND_H
#define TRIGGERS_DEMAND_H

#include "triggers/access.h"
#include "triggers/condition_env.h"
#include "triggers/filter.h"
#include <stddef.h>

enum { DEMAND_NAMES_MAX = 4, DEMAND_KEYS_MAX = 32 };

/* One of the alternatives of a filter. All borrowed from it. */
struct demand {
	struct span scopes[DEMAND_NAMES_MAX]; /* one of them; none: any scope */
	size_t scope_count;
	struct span keys[DEMAND_NAMES_MAX];
	size_t key_count;
	uint16_t events;               /* bit 1 << kind */
	const struct expr_atom *atoms; /* all of the alternative */
	size_t atom_count;
};

/* At least 1: a filter without a condition, or of whose condition nothing is known, has one that
 * asks for its fields only. */
size_t demand_count(const struct filter *filter);
void demand_read(const struct condition_env *env, const struct filter *filter, size_t alternative,
                 struct demand *out);

/* The keys under one of which an event of this demand is found, chosen by what `access` (may be
 * NULL) holds already: out[0..n), n at least 1. */
size_t demand_choose(const struct condition_env *env, const struct demand *demand,
                     const struct access *access, struct access_key out[DEMAND_KEYS_MAX]);

#endif
