/* This file is how those inside ask the daemon to read its config again. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_CONFIG_DOOR_H
#define ENGINE_CORE_CONFIG_DOOR_H

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "base/span.h"
#include <stdbool.h>

/* Embedded in who asks. `done` comes exactly once, later; the JSON is borrowed during it. */
struct config_ask {
	struct list link;
	bool dry_run; /* tell what would change, and change nothing */
	void (*done)(struct config_ask *ask, int status, struct span json, const struct err *err);
};

/* The daemon's; absent (all zero) where there is no config file to speak of. */
struct config_door {
	void (*reload)(void *ctx, struct config_ask *ask);
	/* Appends the members of an object: "path", "loaded_at", ... */
	void (*tell)(void *ctx, struct buf *out);
	void *ctx;
};

#endif
