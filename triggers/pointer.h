/* This file takes a JSON Pointer (RFC 6901) apart. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_POINTER_H
#define TRIGGERS_POINTER_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>

/* What to say when pointer_next fails. */
#define POINTER_FAULT "has a JSON Pointer in which ~ is neither ~0 (for ~) nor ~1 (for /)"

/* Takes the first segment off *rest, which begins with '/', and puts its plain bytes into *out
 * (cleared before). False: a ~ that means nothing. */
bool pointer_next(struct span *rest, struct buf *out);

#endif
