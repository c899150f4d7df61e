/* This file makes identifiers that nobody can guess. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ID_UUID_LEN = 36 };

void id_random(void *bytes, size_t len);               /* at most 4,096, the kernel's */
void id_uuid(char out[ID_UUID_LEN + 1]);               /* version 4, RFC 9562, NUL-terminated */
void id_hex(const void *bytes, size_t len, char *out); /* 2*len lower-case digits and a NUL */
bool id_parse_uint(struct span text, uint64_t *out);   /* whole decimal, no sign, no leading zero */

#endif
