/* This file spells the ids of deliveries and takes them apart. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_DELIVERY_NAME_H
#define ENGINE_CORE_DELIVERY_NAME_H

#include "base/buf.h"
#include "base/span.h"
#include "engine/core/delivery.h"
#include <stdbool.h>
#include <stdint.h>

/* Appends "<event id>/<trigger id>[/r<n>]". */
void delivery_write_id(const struct delivery *delivery, struct span log, uint64_t epoch,
                       struct buf *out);

struct delivery_name {
	struct span trigger;
	uint64_t seq;
	uint64_t epoch;
	uint32_t replay;
};
/* Takes such an id apart; false if it is not one. */
bool delivery_parse_id(struct span id, struct delivery_name *out);

#endif
