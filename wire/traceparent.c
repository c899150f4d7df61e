/* This file writes the traceparent of calls. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/traceparent.h"

#include "base/id.h"
#include <string.h>

enum { TRACE_BYTES = 16, SPAN_BYTES = 8 };

/* Where none came with the write, one begins (W3C Trace Context, 3.2.2). */
void traceparent_continue(struct span given, char out[TRACEPARENT_ROOM])
{
	if (given.len != 0 && given.len < TRACEPARENT_ROOM) {
		memcpy(out, given.ptr, given.len);
		out[given.len] = '\0';
		return;
	}
	unsigned char random[TRACE_BYTES + SPAN_BYTES];
	id_random(random, sizeof random);
	char *at = out;
	memcpy(at, "00-", 3);
	id_hex(random, TRACE_BYTES, at + 3);
	at += 3 + 2 * TRACE_BYTES;
	*at = '-';
	id_hex(random + TRACE_BYTES, SPAN_BYTES, at + 1);
	memcpy(at + 1 + 2 * SPAN_BYTES, "-01", 4);
}
