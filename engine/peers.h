/* This file tells of all listeners together: who is connected, and where one can connect. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_PEERS_H
#define ENGINE_PEERS_H

#include "engine/core/core.h"

struct server;

/* Where the servers stand; each may be absent for a while. */
struct peers {
	struct server *const *server;
	struct server *const *front;
};

/* The questions of core.peers, answered from here; `peers` outlives the core. */
struct core_peers peers_answers(struct peers *peers);
/* Writes into the core where the server listens. */
void peers_tell_addresses(const struct server *server, struct core *core);

#endif
