/* This file reads what a message says its body is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/media.h"

#include "wire/http_head.h"

struct span media_type(struct span content_type)
{
	for (size_t i = 0; i < content_type.len; i++) {
		if (strchr("; \t", content_type.ptr[i])) {
			content_type.len = i;
		}
	}
	return content_type;
}

bool media_is_json(struct span type)
{
	struct span suffix = SPAN("+json");
	return http_text_equal(type, SPAN("application/json")) ||
	       (type.len > suffix.len &&
	        http_text_equal(span_make(type.ptr + type.len - suffix.len, suffix.len), suffix));
}
