/* This file makes a span of an HTTP request. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_REQUEST_SPAN_H
#define ENGINE_API_REQUEST_SPAN_H

#include "base/span.h"
#include "engine/core/tracer.h"

/* Embedded in a request; all zero is none. */
struct request_span {
	struct tracer *tracer; /* NULL: nobody wants it */
	struct tracer_span span;
};

/* The traceparent of what the request causes: `came`, or that of the span. `tracer` may be NULL.
 * Borrowed from either. */
struct span request_span_begin(struct request_span *span, struct tracer *tracer, struct span came);

/* What was asked for. */
struct request_about {
	struct span method;
	struct span route;
	struct span function; /* may be absent */
};
/* It is answered with this status; `code` is absent unless it is an error. Once; more is harmless.
 */
void request_span_end(struct request_span *span, const struct request_about *about, int status,
                      struct span code);

#endif
