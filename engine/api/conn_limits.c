/* This file defines what the connections of a server may take of memory and time. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/conn_limits.h"

void conn_limits_default(struct conn_limits *limits)
{
	*limits = (struct conn_limits){
	        .max_connections = 20000,
	        .header_bytes = 64 * 1024,
	        .body_bytes = 8u << 20,
	        .message_bytes = 32u << 20,
	        .max_unsent = 8u << 20,
	        .header_timeout_ms = 10 * 1000,
	        .idle_timeout_ms = 75 * 1000,
	        .ping_interval_ms = 20 * 1000,
	};
}
