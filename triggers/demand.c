/* This file reads what must be true from a filter's condition and chooses the rarest part. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/demand.h"

#include <math.h>

static size_t alternatives_of(const struct filter *filter, const struct expr_alternative **out)
{
	bool is_open = filter->condition == NULL || filter->on_error != ON_ERROR_IGNORE;
	return is_open ? 0 : expr_alternatives(condition_needs(filter->condition), out);
}

size_t demand_count(const struct filter *filter)
{
	const struct expr_alternative *all;
	size_t count = alternatives_of(filter, &all);
	return count != 0 ? count : 1;
}

/* The texts that the atom allows; 0: too many. One that is no text allows nothing. */
static size_t texts_of(const struct expr_atom *atom, struct span out[DEMAND_NAMES_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < atom->count; i++) {
		if (atom->values[i].tag != VALUE_STRING) {
			continue;
		}
		if (count == DEMAND_NAMES_MAX) {
			return 0;
		}
		out[count++] = value_text(atom->values[i]);
	}
	return count;
}

static uint16_t events_of(const struct expr_atom *atom)
{
	unsigned events = 0;
	for (size_t i = 0; i < atom->count; i++) {
		enum event_kind kind;
		if (atom->values[i].tag == VALUE_STRING &&
		    event_kind_parse(value_text(atom->values[i]), &kind)) {
			events |= 1u << kind;
		}
	}
	return (uint16_t)events;
}

static void take_atom(const struct condition_env *env, const struct expr_atom *atom,
                      struct demand *demand)
{
	const uint32_t *roots = env->roots;
	if (atom->op != ATOM_EQUAL) {
		return;
	}
	if (atom->slot == roots[ROOT_SCOPE] && demand->scope_count == 0) {
		demand->scope_count = texts_of(atom, demand->scopes);
	} else if (atom->slot == roots[ROOT_KEY] && demand->key_count == 0) {
		demand->key_count = texts_of(atom, demand->keys);
	} else if (atom->slot == roots[ROOT_EVENT_TYPE] && demand->events != 1u << EVENT_CUSTOM) {
		demand->events = (uint16_t)(demand->events & events_of(atom));
	}
}

void demand_read(const struct condition_env *env, const struct filter *filter, size_t alternative,
                 struct demand *out)
{
	const struct expr_alternative *all = NULL;
	struct demand demand = {.events = (uint16_t)filter->events};
	if (filter->scope.ptr != NULL) {
		demand.scopes[demand.scope_count++] = filter->scope;
	}
	if (filter->key.ptr != NULL) {
		demand.keys[demand.key_count++] = filter->key;
	}
	if (alternatives_of(filter, &all) != 0) {
		demand.atoms = all[alternative].atoms;
		demand.atom_count = all[alternative].count;
	}
	for (size_t i = 0; i < demand.atom_count; i++) {
		take_atom(env, &demand.atoms[i], &demand);
	}
	*out = demand;
}

/* ---- choosing ---- */

/* What is bound once for all triggers, walked with the event, and not asked by the bucket. */
static bool is_visited(const struct condition_env *env, const struct demand *demand, uint32_t slot)
{
	switch (condition_env_root(env, slot)) {
	case ROOT_EVENT:
	case ROOT_METADATA:
	case ROOT_EVENT_TYPE:
		return false;
	case ROOT_SCOPE:
		return demand->scope_count == 0;
	case ROOT_KEY:
		return demand->key_count == 0;
	default:
		return true;
	}
}

/* A choice among keys: `cost` is how many others stand there, and what its kind costs besides. */
struct choice {
	size_t cost;
	size_t count;
	struct access_key *keys; /* DEMAND_KEYS_MAX */
};

/* What the kinds cost besides, in filters that could be asked instead. */
enum { TEXT_COST = 4, RANGE_COST = 8, TRUE_COST = 8, HAS_COST = 16 };

static void offer(struct choice *choice, const struct access_key keys[], size_t count, size_t extra,
                  const struct access *access)
{
	size_t cost = extra;
	for (size_t i = 0; access != NULL && i < count; i++) {
		cost += access_count(access, &keys[i]);
	}
	if (cost < choice->cost) {
		choice->cost = cost;
		choice->count = count;
		memcpy(choice->keys, keys, count * sizeof *keys);
	}
}

static void offer_equal(struct choice *choice, const struct expr_atom *atom,
                        const struct access *access)
{
	struct access_key keys[DEMAND_KEYS_MAX];
	if (atom->count > DEMAND_KEYS_MAX) {
		return;
	}
	for (size_t i = 0; i < atom->count; i++) {
		keys[i] = (struct access_key){
		        .kind = ACCESS_EQUAL, .slot = atom->slot, .value = atom->values[i]};
	}
	offer(choice, keys, atom->count, 0, access);
}

/* All bounds of the path together. */
static struct access_key range_of(const struct demand *demand, uint32_t slot)
{
	struct access_key key = {
	        .kind = ACCESS_RANGE, .slot = slot, .low = -INFINITY, .high = INFINITY};
	for (size_t i = 0; i < demand->atom_count; i++) {
		const struct expr_atom *atom = &demand->atoms[i];
		if (atom->slot != slot) {
			continue;
		}
		if (atom->op == ATOM_GREATER || atom->op == ATOM_GREATER_EQUAL) {
			key.low = fmax(key.low, value_double(atom->values[0]));
		} else if (atom->op == ATOM_LESS || atom->op == ATOM_LESS_EQUAL) {
			key.high = fmin(key.high, value_double(atom->values[0]));
		}
	}
	return key;
}

static void offer_atom(struct choice *choice, const struct demand *demand,
                       const struct expr_atom *atom, const struct access *access)
{
	struct access_key key = {.slot = atom->slot};
	size_t extra = HAS_COST;
	switch (atom->op) {
	case ATOM_EQUAL:
		offer_equal(choice, atom, access);
		return;
	case ATOM_PREFIX:
	case ATOM_SUFFIX:
		key.kind = atom->op == ATOM_PREFIX ? ACCESS_PREFIX : ACCESS_SUFFIX;
		key.value = atom->values[0];
		extra = TEXT_COST;
		break;
	case ATOM_LESS:
	case ATOM_LESS_EQUAL:
	case ATOM_GREATER:
	case ATOM_GREATER_EQUAL:
		key = range_of(demand, atom->slot);
		extra = RANGE_COST;
		break;
	case ATOM_TRUE:
		key.kind = ACCESS_EQUAL;
		key.value = value_bool(true);
		extra = TRUE_COST;
		break;
	case ATOM_HAS:
		key.kind = ACCESS_HAS;
		break;
	}
	offer(choice, &key, 1, extra, access);
}

size_t demand_choose(const struct condition_env *env, const struct demand *demand,
                     const struct access *access, struct access_key out[DEMAND_KEYS_MAX])
{
	struct choice choice = {.cost = SIZE_MAX, .count = 1, .keys = out};
	out[0] = (struct access_key){.kind = ACCESS_ALWAYS};
	for (size_t i = 0; i < demand->atom_count; i++) {
		if (is_visited(env, demand, demand->atoms[i].slot)) {
			offer_atom(&choice, demand, &demand->atoms[i], access);
		}
	}
	return choice.count;
}
