/* This file says where the triggers of a new worker take over from those of the one before. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/redeploy.h"

#include "base/mem.h"
#include <stdbool.h>

static bool wakes(const struct binding *binding, struct span namespace_, struct span function_id)
{
	return span_equal(binding->function_id, function_id) &&
	       span_equal(binding->namespace_, namespace_);
}

/* Since it was held back a worker has registered a trigger that goes on from there. */
static bool is_followed(const struct list *bindings, const struct binding *held_back)
{
	LIST_EACH(bindings, link)
	{
		const struct binding *binding = MEM_CONTAINER(link, struct binding, link);
		if (binding->origin == BINDING_WORKER && binding->until_seq == 0 &&
		    binding->from_seq >= held_back->held_back_from &&
		    wakes(binding, held_back->namespace_, held_back->function_id)) {
			return true;
		}
	}
	return false;
}

void redeploy_hold_back(const struct list *bindings, struct dispatch *dispatch,
                        struct span namespace_, struct span function_id, uint64_t seq)
{
	LIST_EACH(bindings, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, link);
		/* A worker that came, registered nothing and has gone does not count any more. */
		bool is_held = binding->held_back_from != 0 &&
		               (function_is_offered(binding->watch.function) ||
		                is_followed(bindings, binding));
		if (binding_is_detached(binding) && !is_held &&
		    wakes(binding, namespace_, function_id)) {
			dispatch_hold_back(dispatch, binding, seq);
		}
	}
}

uint64_t redeploy_begins_at(const struct list *held_back, const struct binding *fresh,
                            uint64_t next_seq)
{
	uint64_t last = 0;
	LIST_EACH(held_back, link)
	{
		const struct binding *binding = MEM_CONTAINER(link, struct binding, held_link);
		if (binding_is_detached(binding) && binding->held_back_from > last &&
		    wakes(binding, fresh->namespace_, fresh->function_id)) {
			last = binding->held_back_from;
		}
	}
	return last != 0 && fresh->origin == BINDING_WORKER ? last : next_seq;
}
