/* This file makes a span of an HTTP request. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_REST_SPAN_H
#define ENGINE_API_REST_SPAN_H

#include "base/span.h"
#include "engine/api/route.h"
#include "engine/core/tracer.h"

/* Embedded in a request; all zero is none. */
struct rest_span {
	struct tracer *tracer; /* NULL: nobody wants it */
	struct tracer_span span;
};

/* The traceparent of what the request causes: `came`, or that of the span. `tracer` may be NULL.
 * Borrowed from either. */
struct span rest_span_begin(struct rest_span *span, struct tracer *tracer,
                            const struct route *route, struct span came);
/* It is answered with this status; `code` is absent unless it is an error. */
void rest_span_end(struct rest_span *span, const struct route *route, int status, struct span code);

#endif
