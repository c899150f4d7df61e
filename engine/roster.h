/* This file keeps the functions that the config declares offered: programs and HTTP endpoints. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_ROSTER_H
#define ENGINE_ROSTER_H

#include "base/err.h"
#include "engine/config_table.h"
#include "engine/core/core.h"
#include "engine/work/webhook.h"

/*
 * DESIGN. One entry for each function that is offered; it remembers the text of its declaration. A
 * config is taken in one turn of the loop: functions whose declaration is another one are offered
 * anew before the old offer is withdrawn, so that nobody who waits for one finds it gone. What an
 * old program still executes it may finish; then it is ended and freed.
 *
 *   offered --declared otherwise, or no more--> leaving --its last call ended--> closing --> gone
 */
struct uv_loop_s;
struct roster;

/* The webhook outlives the roster. */
struct roster *roster_new(struct uv_loop_s *loop, struct core *core, struct webhook *webhook);
/* Could roster_take do it? Changes nothing. E_INVALID and the function's name in the text. */
int roster_check(const struct roster *roster, const struct config *config, struct err *err);
/* The config has been checked. It is not needed behind this. */
void roster_take(struct roster *roster, const struct config *config);
/* Ends what runs, then calls `freed` (once, perhaps from inside this). */
void roster_free(struct roster *roster, void (*freed)(void *ctx), void *ctx);

#endif
