/* This file feeds bytes to what HTTP triggers make of requests and of results. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "engine/api/api_request.h"
#include "engine/api/api_response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No result adds a line of its own to the head of the reply. */
static void check_lines(struct span lines)
{
	while (lines.len != 0) {
		const char *end = memchr(lines.ptr, '\r', lines.len);
		const char *colon = memchr(lines.ptr, ':', lines.len);
		POST(end != NULL && end[1] == '\n' && colon != NULL && colon < end);
		POST(memchr(lines.ptr, '\n', lines.len) == end + 1);
		size_t len = (size_t)(end - lines.ptr) + 2;
		lines = span_make(lines.ptr + len, lines.len - len);
	}
}

static void read_result(struct span text)
{
	struct api_response response = {0};
	struct span value;
	struct err err;
	if (json_check(text, &value, NULL) != 0) {
		return;
	}
	if (api_response_read(value, &response, &err) == 0) {
		POST(response.status >= 200 && response.status <= 599);
		POST((response.status != 204 && response.status != 304) || response.body.len == 0);
		POST(response.content_type.len == 0 ||
		     memchr(response.content_type.ptr, '\n', response.content_type.len) == NULL);
		check_lines(buf_view(&response.headers));
	}
	api_response_close(&response);
}

/* The first line of `text` is a path and a query, the second a Content-Type, the rest a body. */
static void write_request(struct span text)
{
	static const char *const patterns[] = {"/:a/:b", "/x/*rest", "/*", "/"};
	struct span parts[3] = {SPAN_NONE, SPAN_NONE, text};
	for (size_t i = 0; i < 2 && parts[2].len != 0; i++) {
		const char *end = memchr(parts[2].ptr, '\n', parts[2].len);
		size_t len = end ? (size_t)(end - parts[2].ptr) : parts[2].len;
		parts[i] = span_make(parts[2].ptr, len);
		len += end != NULL;
		parts[2] = span_make(parts[2].ptr + len, parts[2].len - len);
	}
	const char *mark = parts[0].len ? memchr(parts[0].ptr, '?', parts[0].len) : NULL;
	size_t path_len = mark ? (size_t)(mark - parts[0].ptr) : parts[0].len;
	const struct http_header header = {SPAN("Content-Type"), parts[1]};
	const struct http_request http = {
	        .method = SPAN("POST"),
	        .target = parts[0],
	        .path = span_make(parts[0].ptr, path_len),
	        .query = mark ? span_make(mark + 1, parts[0].len - path_len - 1) : SPAN_NONE,
	        .headers = &header,
	        .header_count = parts[1].len != 0,
	        .body = parts[2],
	};
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		struct http_rule *rule;
		struct api_path path = {0};
		struct buf out = {0};
		size_t head;
		struct err err;
		int status = http_rule_new(SPAN("POST"), span_of(patterns[i]), &rule, &err);
		POST(status == 0);
		rule->raw_body = true;
		if (api_path_read(http.path, &path, &err) == 0 && path.count >= rule->count &&
		    api_request_write(&http, rule, &path, &out, &head, &err) == 0) {
			POST(json_check(buf_view(&out), NULL, NULL) == 0);
			out.len = head;
			buf_byte(&out, '}');
			POST(json_check(buf_view(&out), NULL, NULL) == 0);
		}
		api_path_close(&path);
		buf_free(&out);
		http_rule_free(rule);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);
	struct http_rule *rule = NULL;
	read_result(text);
	write_request(text);
	if (http_rule_new(SPAN("GET"), text, &rule, NULL) == 0) {
		POST(rule->count <= HTTP_SEGMENTS_MAX && rule->path.ptr[0] == '/');
		http_rule_free(rule);
	}
	return 0;
}
