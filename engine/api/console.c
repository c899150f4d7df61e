/* This file serves the console: a page for people, its scripts and its style. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/console.h"
#include "base/buf.h"
#include "engine/api/console_files.h"
#include "engine/api/exchange.h"
#include "engine/api/media.h"
#include "wire/http.h"

#define PAGE "index.html"
#define PROTECTION                                                                                 \
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "       \
	"connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "          \
	"frame-ancestors 'none'\r\n"                                                               \
	"X-Content-Type-Options: nosniff\r\n"                                                      \
	"Referrer-Policy: no-referrer\r\n"                                                         \
	"Cache-Control: no-cache\r\n"                                                              \
	"Vary: Accept\r\n"

static const struct {
	struct span ending;
	struct span type;
} types[] = {
        {{".html", 5}, {"text/html; charset=utf-8", 24}},
        {{".js", 3}, {"text/javascript; charset=utf-8", 30}},
        {{".css", 4}, {"text/css; charset=utf-8", 23}},
        {{".svg", 4}, {"image/svg+xml", 13}},
};

enum { TYPE_COUNT = sizeof(types) / sizeof(types[0]) };

struct span console_media(size_t i)
{
	return i < TYPE_COUNT ? media_type(types[i].type) : SPAN_NONE;
}

static bool ends_with(struct span name, struct span ending)
{
	return name.len >= ending.len &&
	       span_equal(span_make(name.ptr + name.len - ending.len, ending.len), ending);
}

static struct span type_of(struct span name)
{
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		if (ends_with(name, types[i].ending)) {
			return types[i].type;
		}
	}
	return SPAN("application/octet-stream");
}

static const struct console_file *find(struct span name)
{
	for (const struct console_file *file = console_files; file->name; file++) {
		if (span_is(name, file->name)) {
			return file;
		}
	}
	return NULL;
}

bool console_is_wanted(const struct http_request *http)
{
	struct span accept = http_request_header(http, SPAN("accept"));
	return accept.ptr && memmem(accept.ptr, accept.len, "text/html", strlen("text/html"));
}

void console_answer(struct exchange *exchange, const struct http_request *http, struct span name)
{
	struct span wanted = name.ptr ? name : SPAN(PAGE);
	const struct console_file *file = find(wanted);
	if (file == NULL) {
		struct buf detail = {0};
		buf_format(&detail, "the console has no file %.*s", SPAN_ARG(wanted));
		exchange_problem(exchange, 404, SPAN("not_found"), buf_view(&detail), SPAN_NONE);
		buf_free(&detail);
		return;
	}
	struct span known = http_request_header(http, SPAN("if-none-match"));
	struct exchange_reply reply = {.status = 200, .content_type = type_of(wanted)};
	if (known.ptr && span_is(known, file->etag)) {
		reply.status = 304;
	} else {
		reply.body = span_make((const char *)file->bytes, file->len);
	}
	struct buf extra = {0};
	buf_format(&extra, PROTECTION "ETag: %s\r\n", file->etag);
	reply.extra = buf_view(&extra);
	exchange_reply(exchange, &reply);
	buf_free(&extra);
}
