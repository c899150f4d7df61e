/* This file turns bytes into base64 and back (RFC 4648, section 4). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>

void base64_encode(struct span bytes, struct buf *out);
/* Padding is needed; white space, other characters and stray bits are refused. On failure `out` is
 * as it was. */
bool base64_decode(struct span text, struct buf *out);
/* The same, but the padding may be missing. */
bool base64_decode_bare(struct span text, struct buf *out);

#endif
