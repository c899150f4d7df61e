/* This file defines whom a queued message is for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_ADDRESSEE_H
#define ENGINE_CORE_ADDRESSEE_H

#include "base/buf.h"
#include "base/span.h"

/* All spans point into `text`, which is ours; all zero to begin with. */
struct addressee {
	struct buf text;
	struct span function_id;
	struct span namespace_; /* absent = "default" */
	struct span metadata;   /* JSON; may be absent */
};

/* `call` is the old_value of an EVENT_QUEUED. What it does not say is absent. */
void addressee_read(struct addressee *addressee, struct span call);
void addressee_write(struct span function_id, struct span namespace_, struct span metadata,
                     struct buf *out);
void addressee_close(struct addressee *addressee);

#endif
