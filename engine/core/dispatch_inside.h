/* This file is what the files of dispatch share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_DISPATCH_INSIDE_H
#define ENGINE_CORE_DISPATCH_INSIDE_H

#include "engine/core/dispatch.h"
#include "engine/core/order.h"

struct dispatch {
	struct store *store;
	struct functions *functions;
	struct alarms *alarms;
	struct dead *dead;
	struct attempts *attempts;
	struct dispatch_options options;
	struct dispatch_hooks hooks;
	struct order order;
	struct causes causes;
	struct list live_owed; /* by seq */
	size_t running;
	bool stopping;
};

/* dispatch_owed.c */
void dispatch_leave_owed(struct dispatch *dispatch, struct delivery *delivery);
/* From here on its record answers for it, not the cursor. */
void dispatch_record(struct dispatch *dispatch, struct delivery *delivery);
void dispatch_join_live(struct dispatch *dispatch, struct delivery *delivery);

#endif
