/* This file reads and writes where in a trace somebody is (W3C Trace Context). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_TRACEPARENT_H
#define WIRE_TRACEPARENT_H

#include "base/span.h"
#include <stdbool.h>

enum { TRACEPARENT_ROOM = 64, TRACEPARENT_TRACE = 16, TRACEPARENT_SPAN = 8 };

struct traceparent {
	unsigned char trace[TRACEPARENT_TRACE];
	unsigned char span[TRACEPARENT_SPAN];
	bool is_sampled;
};

/* False: it is none (a later version of the standard may say more behind these four fields). */
bool traceparent_read(struct span text, struct traceparent *out);
void traceparent_write(const struct traceparent *from, char out[TRACEPARENT_ROOM]);

/* Writes the one that was given as it is, or, where it is none, a new one; NUL-terminated. */
void traceparent_continue(struct span given, char out[TRACEPARENT_ROOM]);

#endif
