/* This file signs requests as Standard Webhooks asks for it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_WEBHOOK_SIGN_H
#define ENGINE_WORK_WEBHOOK_SIGN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stddef.h>
#include <stdint.h>

enum { WEBHOOK_KEYS_MAX = 8 };

/* The raw keys that a request is signed with, one signature each: while a key is changed for
 * another, receivers accept either. */
struct webhook_keys {
	struct span items[WEBHOOK_KEYS_MAX]; /* owned */
	size_t count;
};

/* Takes "whsec_" and 24 to 64 bytes in base64. E_INVALID "invalid_secret"; the error speaks of
 * `name` and never holds the secret. E_LIMIT "invalid_secret" when there is no room. */
int webhook_keys_add(struct webhook_keys *keys, struct span name, struct span secret,
                     struct err *err);
void webhook_keys_close(struct webhook_keys *keys); /* wipes them */

/* Appends "v1,..." for each key, with a space between: over "id.seconds.body". */
void webhook_keys_sign(const struct webhook_keys *keys, struct span id, int64_t seconds,
                       struct span body, struct buf *out);

#endif
