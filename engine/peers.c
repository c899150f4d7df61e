/* This file tells of all listeners together: who is connected, and where one can connect. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/peers.h"

#include "engine/api/server.h"
#include <stdio.h>

static size_t connections(void *ctx)
{
	const struct peers *peers = ctx;
	size_t count = *peers->server != NULL ? server_connections(*peers->server) : 0;
	return count + (*peers->front != NULL ? server_connections(*peers->front) : 0);
}

static uint64_t handshake_failures(void *ctx)
{
	const struct peers *peers = ctx;
	return *peers->server != NULL ? server_handshake_failures(*peers->server) : 0;
}

static int64_t certificate_until_ms(void *ctx)
{
	const struct peers *peers = ctx;
	return *peers->server != NULL ? server_certificate_until_ms(*peers->server) : 0;
}

struct core_peers peers_answers(struct peers *peers)
{
	return (struct core_peers){.connections = connections,
	                           .handshake_failures = handshake_failures,
	                           .certificate_until_ms = certificate_until_ms,
	                           .ctx = peers};
}

static void copy_address(const struct server *server, enum listener_kind kind, char *out,
                         size_t size)
{
	const char *address = server_address(server, kind);
	(void)snprintf(out, size, "%s", address ? address : "");
}

void peers_tell_addresses(const struct server *server, struct core *core)
{
	copy_address(server, LISTENER_TCP, core->address, sizeof core->address);
	copy_address(server, LISTENER_TLS, core->tls_address, sizeof core->tls_address);
	copy_address(server, LISTENER_UNIX, core->socket_path, sizeof core->socket_path);
}
