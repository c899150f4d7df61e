/* This file reads the config again while the daemon runs, and takes it, all or nothing. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_RELOAD_H
#define ENGINE_RELOAD_H

#include "engine/config.h"
#include "engine/parts.h"

/*
 * DESIGN. Whoever asks (SIGHUP, engine::config::reload) stands in one line; the file is read for
 * each of them, by a thread of libuv's pool, as reading and compiling may take longer than the loop
 * may wait. The new config belongs to the thread until it comes back.
 *
 *   idle --asked--> reading --bad------------------------------> answered: the last good one stays
 *                      |
 *                      +--good--> judged --refused or dry run--> answered: nothing was changed
 *                                    |
 *                                    +--taken (one turn)--> committing --durable--> answered
 *
 * Everything is judged before anything is applied, and all is applied between the same two events.
 * After a crash, and when the store fails while the triggers are written, it is the file that
 * counts: the next start, or the catalog after the store's recovery, writes them again.
 *
 * Two configs are kept: the one of the start, for what needs a restart, and the one in force.
 */
struct reload;

/* Puts itself into parts->core.config. `source`, `boot` (the config of the start) and the judge's
 * ctx outlive it. */
struct reload *reload_new(struct parts *parts, const struct config_source *source,
                          const struct config *boot, const struct config_judge *judge);
/* The daemon is ready, or begins to stop: what was asked before is done, or refused, now. */
void reload_go_on(struct reload *reload);
/* Nobody waits for the answer: it goes to the log. */
void reload_now(struct reload *reload);
/* Called when a config begins to be read, and when that has ended in one way or another. */
void reload_on_turn(struct reload *reload, void (*turned)(void *ctx, bool is_busy), void *ctx);
/* The loop has ended. NULL is harmless. */
void reload_free(struct reload *reload);

#endif
