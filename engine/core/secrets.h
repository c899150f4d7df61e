/* This file keeps secrets by their names, for those who sign and authenticate with them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_SECRETS_H
#define ENGINE_CORE_SECRETS_H

#include "base/sha256.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nothing here writes a value anywhere: no answer, no error and no line of the log holds one. */
struct secrets;

struct secrets *secrets_new(void);
void secrets_free(struct secrets *secrets); /* wipes them; NULL is harmless */

/* Copies both; a name that is there already gets the new value. */
void secrets_put(struct secrets *secrets, struct span name, struct span value);
/* The value, borrowed until the next put; absent when there is none of that name. */
struct span secrets_get(const struct secrets *secrets, struct span name);
/* Another one when a name or a value is; to be kept in memory only. */
void secrets_digest(const struct secrets *secrets, uint8_t out[SHA256_LEN]);
size_t secrets_count(const struct secrets *secrets);

#endif
