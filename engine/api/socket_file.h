/* This file makes the file of a Unix socket, and takes it away at the end. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_SOCKET_FILE_H
#define ENGINE_API_SOCKET_FILE_H

#include "base/err.h"
#include <stdint.h>

struct socket_file;

struct socket_file_options {
	const char *path;
	uint32_t mode;
	const char *group; /* a name or a number; NULL: ours */
};

/* A socket that is bound but does not listen yet, with its mode and group; *out_fd is the caller's.
 * Its directory is locked until socket_file_unlock. E_INVALID "invalid_listen", E_BUSY
 * "address_in_use", E_IO "listen_failed". */
int socket_file_open(const struct socket_file_options *options, struct socket_file **out,
                     int *out_fd, struct err *err);
void socket_file_unlock(struct socket_file *file);
/* Removes the file, if it is still ours. NULL is harmless. */
void socket_file_close(struct socket_file *file);

#endif
