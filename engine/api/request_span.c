/* This file makes a span of an HTTP request. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/request_span.h"

#include "base/buf.h"

struct span request_span_begin(struct request_span *span, struct tracer *tracer, struct span came)
{
	if (tracer == NULL) {
		return came;
	}
	span->tracer = tracer;
	tracer_begin(tracer, came, SPAN_NONE, &span->span);
	return span_of(span->span.text);
}

static struct span or_empty(struct span text)
{
	return text.ptr != NULL ? text : SPAN("");
}

void request_span_end(struct request_span *span, const struct request_about *about, int status,
                      struct span code)
{
	if (span->tracer == NULL) {
		return;
	}
	const struct tracer_attribute attributes[] = {
	        {"http.request.method", or_empty(about->method), 0},
	        {"http.route", or_empty(about->route), 0},
	        {"http.response.status_code", SPAN_NONE, status},
	        {"pawl.function", or_empty(about->function), 0},
	        {"error.type", or_empty(code), 0},
	};
	struct buf name = {0};
	buf_format(&name, "%.*s %.*s", SPAN_ARG(about->method), SPAN_ARG(about->route));
	const struct tracer_end end = {
	        .kind = TRACER_SERVER,
	        .name = buf_view(&name),
	        .error = status >= 500 ? code : SPAN_NONE,
	        .attributes = attributes,
	        .count = sizeof attributes / sizeof *attributes,
	};
	tracer_end(span->tracer, &span->span, &end);
	buf_free(&name);
}
