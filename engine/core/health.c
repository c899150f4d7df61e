/* This file says in one word how the engine is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/health.h"

#include "engine/durable/store.h"

const char *health_word(const struct core *core)
{
	return core->stopping                          ? "stopping"
	       : !core->ready                          ? "starting"
	       : store_refuses(core->store, NULL) != 0 ? "degraded"
	                                               : "ok";
}
