/* This file says in one word how the engine is. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_HEALTH_H
#define ENGINE_CORE_HEALTH_H

#include "engine/core/core.h"

/* "starting", "ok", "degraded" (it refuses writes) or "stopping"; a literal. */
const char *health_word(const struct core *core);

#endif
