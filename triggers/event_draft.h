/* This file reads an event that a person wrote down, or that somebody kept. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EVENT_DRAFT_H
#define TRIGGERS_EVENT_DRAFT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "triggers/event.h"

/* `json` is a valid value: an object with any of what handlers see (event_write_json). Needed are
 * scope and key; without an event_type it follows from which of the values are there, without a
 * time it is now. Spans point into `json` and `texts`. E_INVALID "invalid_event" names the member
 * and what to do. */
int event_draft_read(struct span json, struct buf *texts, struct event *out, struct err *err);

#endif
