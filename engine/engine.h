/* This file puts the daemon together, runs it and takes it apart. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/err.h"
#include "engine/config.h"

/*
 * DESIGN. Start: lock the data directory, open the store, listen (health answers from here on),
 * load what was owed, take the config's triggers, follow the journal. Stop (SIGTERM, SIGINT): match
 * nothing more, let running attempts end for a few seconds, close connections, write the cursors,
 * close the store.
 *
 *   starting --loaded--> running --signal--> draining --idle or late--> closing --> (returns)
 */

/* Blocks until the daemon is told to stop. 0 after a clean stop; else why it could not start, or
 * had to end. SIGHUP and POST /v1/config:reload read the source again: see reload.h. */
int engine_run(const struct config *config, const struct config_source *source, struct err *err);

#endif
