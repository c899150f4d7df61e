/* This file reads and writes where in a trace somebody is (W3C Trace Context). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/traceparent.h"

#include "base/id.h"
#include <string.h>

/* 00-<trace>-<span>-<flags> */
enum { TRACE_AT = 3, SPAN_AT = 36, FLAGS_AT = 53, TEXT_LEN = 55 };

static int digit(char byte)
{
	return byte >= '0' && byte <= '9'   ? byte - '0'
	       : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
	                                    : -1;
}

/* Lower-case digits of that many bytes; `or_all` collects their bits. */
static bool read_hex(const char *text, size_t len, unsigned char *out, unsigned *or_all)
{
	for (size_t i = 0; i < len; i++) {
		int high = digit(text[2 * i]);
		int low = digit(text[2 * i + 1]);
		if (high < 0 || low < 0) {
			return false;
		}
		out[i] = (unsigned char)(16 * high + low);
		*or_all |= out[i];
	}
	return true;
}

bool traceparent_read(struct span text, struct traceparent *out)
{
	struct traceparent read;
	unsigned char version = 0;
	unsigned char flags = 0;
	unsigned any = 0;
	unsigned trace = 0;
	unsigned span = 0;
	const char *at = text.ptr;
	if (text.len < TEXT_LEN || at[TRACE_AT - 1] != '-' || at[SPAN_AT - 1] != '-' ||
	    at[FLAGS_AT - 1] != '-' || !read_hex(at, 1, &version, &any) || version == 0xff ||
	    !read_hex(at + TRACE_AT, TRACEPARENT_TRACE, read.trace, &trace) || trace == 0 ||
	    !read_hex(at + SPAN_AT, TRACEPARENT_SPAN, read.span, &span) || span == 0 ||
	    !read_hex(at + FLAGS_AT, 1, &flags, &any)) {
		return false;
	}
	if (text.len > TEXT_LEN && (version == 0 || at[TEXT_LEN] != '-')) {
		return false;
	}
	read.is_sampled = (flags & 1) != 0;
	*out = read;
	return true;
}

void traceparent_write(const struct traceparent *from, char out[TRACEPARENT_ROOM])
{
	memcpy(out, "00-", TRACE_AT);
	id_hex(from->trace, TRACEPARENT_TRACE, out + TRACE_AT);
	out[SPAN_AT - 1] = '-';
	id_hex(from->span, TRACEPARENT_SPAN, out + SPAN_AT);
	memcpy(out + FLAGS_AT - 1, from->is_sampled ? "-01" : "-00", 4);
}

void traceparent_continue(struct span given, char out[TRACEPARENT_ROOM])
{
	struct traceparent fresh;
	if (given.len < TRACEPARENT_ROOM && traceparent_read(given, &fresh)) {
		memcpy(out, given.ptr, given.len);
		out[given.len] = '\0';
		return;
	}
	/* Where none came with the write, one begins (3.2.2). */
	id_random(fresh.trace, sizeof fresh.trace);
	id_random(fresh.span, sizeof fresh.span);
	fresh.is_sampled = true;
	traceparent_write(&fresh, out);
}
