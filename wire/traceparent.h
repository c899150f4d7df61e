/* This file continues a trace, or begins one (W3C Trace Context). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_TRACEPARENT_H
#define WIRE_TRACEPARENT_H

#include "base/span.h"

enum { TRACEPARENT_ROOM = 64 };

/* Writes the one that was given, or, where none was or it is too long, a new one; NUL-terminated.
 */
void traceparent_continue(struct span given, char out[TRACEPARENT_ROOM]);

#endif
