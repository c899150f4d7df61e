/* This file computes SHA-1 (FIPS 180-4), which the WebSocket handshake asks for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SHA1_H
#define BASE_SHA1_H

#include "base/span.h"
#include <stdint.h>

enum { SHA1_LEN = 20 };

/* Not for anything that must resist an attacker. */
void sha1(struct span bytes, uint8_t out[SHA1_LEN]);

#endif
