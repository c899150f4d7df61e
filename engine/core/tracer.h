/* This file makes spans: what the engine does, as parts of the traces of those who ask for it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_TRACER_H
#define ENGINE_CORE_TRACER_H

#include "base/span.h"
#include "wire/traceparent.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. Without a tracer (core.tracer is NULL) a traceparent goes through the engine as it came:
 * from a request into the event that it makes, from there to the handler. With one, each of these
 * steps is a span of its own, and what goes on names it as the parent:
 *
 *   caller --> request (server) --> event --> attempt (consumer) --> handler
 *
 * Whether a trace is wanted is decided where it begins: the flag of a traceparent that came is
 * obeyed; a trace that begins here is wanted by chance, as the options say. A span that nobody
 * wants costs no more than its traceparent.
 */
enum tracer_kind { TRACER_SERVER = 2, TRACER_CONSUMER = 5 }; /* as OTLP counts */

/* Embedded in who works; plain data, all zero is none. */
struct tracer_span {
	struct traceparent at;
	unsigned char parent[TRACEPARENT_SPAN];
	bool has_parent;
	int64_t started_us;          /* clock_mono_us */
	char text[TRACEPARENT_ROOM]; /* the traceparent of what it causes; "" = it has not begun */
};

/* A number is told by `text` being absent. */
struct tracer_attribute {
	const char *name;
	struct span text;
	int64_t number;
};

/* Borrowed during the call. */
struct tracer_end {
	enum tracer_kind kind;
	struct span name;
	struct span error;                         /* absent: it went well */
	const struct tracer_attribute *attributes; /* those whose text is empty are left out */
	size_t count;
};

typedef void tracer_take_fn(void *ctx, const struct tracer_span *span,
                            const struct tracer_end *end);

struct tracer;

/* Of a million traces that begin here so many are wanted. */
struct tracer *tracer_new(uint32_t per_million, tracer_take_fn *take, void *ctx);
void tracer_free(struct tracer *tracer);

/* `seed`: what begins a trace without a parent; the same seed begins the same trace. Absent: any.
 */
void tracer_begin(struct tracer *tracer, struct span parent, struct span seed,
                  struct tracer_span *out);
/* It is none behind this. Harmless when it has not begun. */
void tracer_end(struct tracer *tracer, struct tracer_span *span, const struct tracer_end *end);

#endif
