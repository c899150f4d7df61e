/* This file reads the baggage that pawl gave to a handler and that came back with its write. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/cause.h"

#include "base/hash.h"
#include "base/mem.h"
#include "engine/core/delivery_name.h"
#include "wire/baggage.h"

static bool has_name(const struct map_node *node, const void *key)
{
	const struct delivery *delivery = MEM_CONTAINER(node, struct delivery, tried);
	const struct delivery_name *name = key;
	return delivery->seq == name->seq && span_equal(delivery->binding->id, name->trigger);
}

static uint64_t hash_of(struct delivery_name name)
{
	return hash_bytes(name.trigger, name.seq);
}

void causes_close(struct causes *causes)
{
	PRE(causes->tried.count == 0);
	map_close(&causes->tried);
	buf_free(&causes->text);
	buf_free(&causes->scratch);
}

void causes_add(struct causes *causes, struct delivery *delivery)
{
	if (!delivery->is_tried) {
		struct delivery_name name = {.trigger = delivery->binding->id,
		                             .seq = delivery->seq};
		delivery->is_tried = true;
		map_add(&causes->tried, &delivery->tried, hash_of(name));
	}
}

void causes_remove(struct causes *causes, struct delivery *delivery)
{
	if (delivery->is_tried) {
		delivery->is_tried = false;
		map_remove(&causes->tried, &delivery->tried);
	}
}

int causes_find(struct causes *causes, struct span baggage, struct event_cause *cause,
                struct binding **out_by, struct err *err)
{
	struct baggage found;
	struct delivery_name name;
	buf_clear(&causes->scratch);
	if (!baggage_parse(baggage, &causes->scratch, &found) ||
	    !delivery_parse_id(found.delivery, &name)) {
		return 0;
	}
	struct map_node *node = map_get(&causes->tried, hash_of(name), &name, has_name);
	if (node == NULL) {
		return 0; /* settled: a handler may go on working after its answer */
	}
	const struct delivery *delivery = MEM_CONTAINER(node, struct delivery, tried);
	if (found.attempt < attempt_number(delivery)) {
		return err_set(
		        err, E_CONFLICT, "stale_delivery",
		        "this write comes from attempt %u of delivery %.*s, which has been given "
		        "up: attempt %u has taken its place",
		        found.attempt, SPAN_ARG(found.delivery), attempt_number(delivery));
	}
	if (attempt_cause(delivery, span_of(causes->log), &causes->text, cause)) {
		*out_by = delivery->binding;
	}
	return 0;
}
