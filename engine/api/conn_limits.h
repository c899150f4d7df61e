/* This file defines what the connections of a server may take of memory and time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_CONN_LIMITS_H
#define ENGINE_API_CONN_LIMITS_H

#include <stddef.h>
#include <stdint.h>

struct conn_limits {
	uint32_t max_connections; /* over this, a new one is told 503 */
	size_t header_bytes;      /* of one request, its first line included */
	size_t body_bytes;        /* of one request */
	size_t message_bytes;     /* of one WebSocket message */
	size_t max_unsent;        /* bytes that wait for a slow reader */
	int64_t header_timeout_ms;
	int64_t idle_timeout_ms;  /* between requests, and for a request or reply that stands still
	                           */
	int64_t ping_interval_ms; /* of a WebSocket; three without any sign of life close it */
};
/* The defaults: 20,000 connections, 64 KiB, 8 MiB, 32 MiB, 8 MiB, 10 s, 75 s, 20 s. */
void conn_limits_default(struct conn_limits *limits);

#endif
