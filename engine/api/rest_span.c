/* This file makes a span of an HTTP request. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/rest_span.h"

#include "base/buf.h"

/* Who asks how the engine is, is no part of anybody's trace. */
static bool is_wanted(const struct route *route)
{
	bool is_question = strcmp(route->method, "GET") == 0 && route->function != NULL &&
	                   span_starts_with(span_of(route->function), SPAN("engine::"));
	return !is_question;
}

struct span rest_span_begin(struct rest_span *span, struct tracer *tracer,
                            const struct route *route, struct span came)
{
	if (tracer == NULL || !is_wanted(route)) {
		return came;
	}
	span->tracer = tracer;
	tracer_begin(tracer, came, SPAN_NONE, &span->span);
	return span_of(span->span.text);
}

void rest_span_end(struct rest_span *span, const struct route *route, int status, struct span code)
{
	if (span->tracer == NULL) {
		return;
	}
	const struct span none = SPAN("");
	const struct tracer_attribute attributes[] = {
	        {"http.request.method", span_of(route->method), 0},
	        {"http.route", span_of(route->path), 0},
	        {"http.response.status_code", SPAN_NONE, status},
	        {"pawl.function", route->function != NULL ? span_of(route->function) : none, 0},
	        {"error.type", code.ptr != NULL ? code : none, 0},
	};
	struct buf name = {0};
	buf_format(&name, "%s %s", route->method, route->path);
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
