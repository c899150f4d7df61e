/* This file tells the service manager how the daemon is (the protocol of systemd's sd_notify). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_NOTIFY_H
#define ENGINE_NOTIFY_H

#include "engine/core/core.h"
#include <stdbool.h>

/*
 * DESIGN. Datagrams to the socket that $NOTIFY_SOCKET names: READY=1 once the status is ok,
 * RELOADING=1 while a config is read and READY=1 behind it, STOPPING=1 at the end, STATUS= with a
 * sentence when that has changed, and WATCHDOG=1 at half of $WATCHDOG_USEC. All of it is sent by
 * the loop: one that stands still says nothing, and the manager starts another daemon. Nobody waits
 * for the socket; what it does not take is lost.
 *
 * The variables are taken out of the environment, so that programs that the daemon starts do not
 * speak in its name.
 */
struct notify;

/* NULL: no manager wants to hear; harmless below. Before threads start. `core` outlives it. */
struct notify *notify_new(const struct core *core);
void notify_free(struct notify *notify);

/* The engine may be ready now: from here on it is looked at again and again. */
void notify_look(struct notify *notify);
void notify_reloading(void *notify, bool is);
void notify_stopping(struct notify *notify);

#endif
