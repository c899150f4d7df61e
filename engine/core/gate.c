/* This file keeps the gates of a trigger: who waits, who runs, which are open. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/gate.h"

#include "base/err.h"
#include "base/mem.h"
#include "engine/core/delivery.h"

void gates_init(struct gates *gates)
{
	*gates = (struct gates){0};
	list_init(&gates->open);
}

void gates_close(struct gates *gates)
{
	PRE(gates->by_group.count == 0);
	map_close(&gates->by_group);
}

static bool is_any(const struct map_node *node, const void *key)
{
	(void)key;
	return node != NULL; /* the map has compared the 64 bits */
}

void gate_join(struct gates *gates, struct delivery *delivery)
{
	struct map_node *node = map_get(&gates->by_group, delivery->group, NULL, is_any);
	struct gate *gate = node ? MEM_CONTAINER(node, struct gate, node) : NULL;
	if (gate == NULL) {
		gate = MEM_NEW(struct gate);
		list_init(&gate->in_open);
		list_init(&gate->ready);
		map_add(&gates->by_group, &gate->node, delivery->group);
	}
	gate->members++;
	delivery->gate = gate;
}

void gate_leave(struct gates *gates, struct delivery *delivery)
{
	struct gate *gate = delivery->gate;
	delivery->gate = NULL;
	if (gate != NULL && --gate->members == 0) {
		list_remove(&gate->in_open);
		map_remove(&gates->by_group, &gate->node);
		mem_free(gate);
	}
}

static void open(struct gates *gates, struct gate *gate)
{
	if (list_is_empty(&gate->in_open) && !list_is_empty(&gate->ready)) {
		list_push(&gates->open, &gate->in_open);
	}
}

void gate_wait(struct gates *gates, struct delivery *delivery)
{
	list_push(&delivery->gate->ready, &delivery->in_queue);
	open(gates, delivery->gate);
}

struct delivery *gate_next(struct gates *gates, uint32_t most)
{
	LIST_EACH(&gates->open, link)
	{
		struct gate *gate = MEM_CONTAINER(link, struct gate, in_open);
		if (gate->running < most && !list_is_empty(&gate->ready)) {
			return LIST_FIRST(&gate->ready, struct delivery, in_queue);
		}
		list_remove(link);
	}
	return NULL;
}

void gate_start(struct gates *gates, struct delivery *delivery)
{
	struct gate *gate = delivery->gate;
	gate->running++;
	list_remove(&gate->in_open); /* behind the other open ones: each once */
	open(gates, gate);
}

void gate_end(struct gates *gates, struct delivery *delivery)
{
	delivery->gate->running--;
	open(gates, delivery->gate);
}
