/* This file lets only so many deliveries of one value of concurrency_key run at a time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_GATE_H
#define ENGINE_CORE_GATE_H

#include "base/list.h"
#include "base/map.h"
#include <stdint.h>

struct delivery;

/*
 * DESIGN. Each value has a gate while a delivery of it is in hand. Ready ones wait at their gate; a
 * gate is *open* when one waits there and may start: those are tried one after the other, each
 * once, so that a value with much to do does not keep the others waiting.
 */
struct gates {
	struct map by_group;
	struct list open;
};

struct gate {
	struct map_node node; /* by the group's 64 bits, which are all that is known of it */
	struct list in_open;
	struct list ready; /* delivery.in_queue */
	uint32_t running;
	uint32_t members; /* deliveries that have joined */
};

void gates_init(struct gates *gates);
void gates_close(struct gates *gates); /* everybody has left */

void gate_join(struct gates *gates, struct delivery *delivery); /* of delivery->group */
void gate_leave(struct gates *gates, struct delivery *delivery);
void gate_wait(struct gates *gates, struct delivery *delivery);
/* The next that may start; NULL: none. */
struct delivery *gate_next(struct gates *gates, uint32_t most);
/* It leaves the line and begins to run; then it has ended. */
void gate_start(struct gates *gates, struct delivery *delivery);
void gate_end(struct gates *gates, struct delivery *delivery);

#endif
