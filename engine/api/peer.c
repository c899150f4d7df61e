/* This file tells from which address a connection comes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/peer.h"

#include "engine/api/conn_inside.h"
#include <sys/socket.h>

bool peer_address(const struct conn *conn, struct sockaddr_storage *out)
{
	uv_os_fd_t fd;
	socklen_t len = sizeof *out;
	return uv_fileno(&conn->handle.any, &fd) == 0 &&
	       getpeername(fd, (struct sockaddr *)out, &len) == 0;
}
