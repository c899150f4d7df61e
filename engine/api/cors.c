/* This file says which web pages may read what HTTP triggers answer (CORS). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/cors.h"

#include "wire/http_head.h"

enum { PREFLIGHT_SECONDS = 600 };

static bool names_all(const char *const *allowed)
{
	for (; allowed && *allowed; allowed++) {
		if (strcmp(*allowed, "*") == 0) {
			return true;
		}
	}
	return false;
}

bool cors_allows(const char *const *allowed, struct span origin)
{
	if (origin.ptr == NULL || names_all(allowed)) {
		return origin.ptr != NULL;
	}
	for (; allowed && *allowed; allowed++) {
		if (http_text_equal(span_of(*allowed), origin)) {
			return true;
		}
	}
	return false;
}

void cors_write(const char *const *allowed, struct span origin, struct buf *out)
{
	if (names_all(allowed)) {
		BUF_LITERAL(out, "Access-Control-Allow-Origin: *\r\n");
	} else {
		buf_format(out, "Access-Control-Allow-Origin: %.*s\r\nVary: Origin\r\n",
		           SPAN_ARG(origin));
	}
}

void cors_write_preflight(struct span methods, struct span asked_fields, struct buf *out)
{
	buf_format(out, "Access-Control-Allow-Methods: %.*s\r\nAccess-Control-Max-Age: %d\r\n",
	           SPAN_ARG(methods), PREFLIGHT_SECONDS);
	if (asked_fields.ptr != NULL) {
		buf_format(out, "Access-Control-Allow-Headers: %.*s\r\n", SPAN_ARG(asked_fields));
	}
}
