/* This file carries a delivery's name in a W3C Baggage header. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_BAGGAGE_H
#define WIRE_BAGGAGE_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/* Which attempt at which delivery an invocation is, and on whose behalf a write comes. */
struct baggage {
	struct span delivery; /* plain */
	uint32_t attempt;     /* from 1 */
};

/* Cheap: has it members of ours, right or wrong? Absent is none. */
bool baggage_is_ours(struct span text);

/* Appends "pawl.delivery=...,pawl.attempt=...". */
void baggage_write(struct buf *out, const struct baggage *baggage);

/* Finds these two among any other members. False when either is missing or malformed. *out points
 * into `text`, or into `scratch` if the delivery was percent-encoded. */
bool baggage_parse(struct span text, struct buf *scratch, struct baggage *out);

#endif
