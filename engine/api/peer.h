/* This file tells from which address a connection comes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_PEER_H
#define ENGINE_API_PEER_H

#include <stdbool.h>

struct conn;
struct sockaddr_storage;

/* False when it has gone meanwhile. */
bool peer_address(const struct conn *conn, struct sockaddr_storage *out);

#endif
