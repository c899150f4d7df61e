/* This file tells addresses inside the network from those that a stranger may have us call. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_WEBHOOK_ADDRESS_H
#define ENGINE_WORK_WEBHOOK_ADDRESS_H

#include <stdbool.h>

struct sockaddr;

/* True for loopback, private, link-local, shared (RFC 6598), multicast, reserved and unspecified
 * addresses, for IPv6 forms that carry such an IPv4 address (mapped, compatible, NAT64, 6to4,
 * Teredo), and for families that are neither. */
bool webhook_address_is_private(const struct sockaddr *address);

#endif
