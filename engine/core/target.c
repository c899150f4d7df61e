/* This file keeps the targets of a queue: who waits, and which can take a call. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/target.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "engine/core/delivery.h"

void targets_init(struct targets *targets, struct binding *binding,
                  void (*changed)(struct binding *binding))
{
	*targets = (struct targets){.binding = binding, .changed = changed};
	list_init(&targets->open);
}

static void drop(struct target *target)
{
	PRE(list_is_empty(&target->waiting));
	list_remove(&target->in_open);
	map_remove(&target->targets->by_function, &target->node);
	function_unwatch(&target->watch);
	mem_free(target);
}

static struct target *first_empty(struct targets *targets)
{
	MAP_EACH(&targets->by_function, node)
	{
		struct target *target = MEM_CONTAINER(node, struct target, node);
		if (list_is_empty(&target->waiting)) {
			return target;
		}
	}
	return NULL;
}

static void drop_empty(struct targets *targets)
{
	struct target *target;
	while ((target = first_empty(targets)) != NULL) {
		drop(target);
	}
}

void targets_close(struct targets *targets)
{
	drop_empty(targets);
	PRE(targets->by_function.count == 0);
	map_close(&targets->by_function);
}

/* The engine's own functions serve every namespace. */
static struct function *function_of(const struct target *target)
{
	const struct function *watched = target->watch.function;
	return function_find(watched->functions, watched->namespace_, watched->id);
}

bool target_is_served(const struct target *target)
{
	return function_of(target) != NULL;
}

static void function_changed(struct function_watch *watch)
{
	struct target *target = MEM_CONTAINER(watch, struct target, watch);
	struct targets *targets = target->targets;
	if (list_is_empty(&target->waiting) || !function_is_ready(function_of(target))) {
		return;
	}
	if (list_is_empty(&target->in_open)) {
		list_push(&targets->open, &target->in_open);
	}
	targets->changed(targets->binding);
}

static bool is_of(const struct map_node *node, const void *key)
{
	const struct function *watched = MEM_CONTAINER(node, struct target, node)->watch.function;
	const struct addressee *to = key;
	struct span namespace_ = to->namespace_.len != 0 ? to->namespace_ : SPAN("default");
	return span_equal(watched->id, to->function_id) &&
	       span_equal(watched->namespace_, namespace_);
}

static struct target *need(struct targets *targets, struct functions *functions,
                           const struct addressee *to)
{
	uint64_t hash = hash_bytes(to->function_id, 0);
	struct map_node *node = map_get(&targets->by_function, hash, to, is_of);
	if (node != NULL) {
		return MEM_CONTAINER(node, struct target, node);
	}
	struct target *target = MEM_NEW(struct target);
	target->targets = targets;
	list_init(&target->waiting);
	list_init(&target->in_open);
	target->watch.changed = function_changed;
	function_watch(functions, to->namespace_, to->function_id, &target->watch);
	map_add(&targets->by_function, &target->node, hash);
	return target;
}

void target_wait(struct targets *targets, struct functions *functions, const struct addressee *to,
                 struct delivery *delivery)
{
	struct target *target = need(targets, functions, to);
	delivery->state = DELIVERY_READY;
	delivery->target = target;
	list_push(&target->waiting, &delivery->in_queue);
}

struct delivery *target_next(struct targets *targets)
{
	LIST_EACH(&targets->open, link)
	{
		struct target *target = MEM_CONTAINER(link, struct target, in_open);
		list_remove(link);
		if (!list_is_empty(&target->waiting) && function_is_ready(function_of(target))) {
			list_push(&targets->open, link); /* behind the others: each in its turn */
			return LIST_FIRST(&target->waiting, struct delivery, in_queue);
		}
	}
	return NULL;
}

int64_t targets_sweep(struct targets *targets, int64_t now_ms, int64_t max_ms,
                      void (*absent)(struct target *target))
{
	int64_t least_ms = INT64_MAX;
	drop_empty(targets);
	MAP_EACH(&targets->by_function, node)
	{
		struct target *target = MEM_CONTAINER(node, struct target, node);
		if (target_is_served(target)) {
			target->absent_since_ms = 0;
			continue;
		}
		if (target->absent_since_ms == 0) {
			target->absent_since_ms = now_ms;
		}
		int64_t left_ms = max_ms - (now_ms - target->absent_since_ms);
		if (left_ms <= 0) {
			absent(target);
		} else if (left_ms < least_ms) {
			least_ms = left_ms;
		}
	}
	return least_ms;
}
