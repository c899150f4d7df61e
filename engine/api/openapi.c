/* This file composes the OpenAPI document, route by route. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/openapi.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/span.h"
#include "engine/api/console.h"
#include "engine/api/envelope.h"
#include "engine/api/openapi_schema.h"
#include "engine/api/param.h"
#include "engine/api/problem.h"
#include "engine/api/route.h"
#include "wire/sse.h"
#include "wire/url.h"
#include <stdio.h>

static bool is_variable(struct span segment)
{
	return segment.len > 2 && segment.ptr[0] == '{';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void open_member(struct buf *out, const char *name)
{
	json_write_name(out, name);
	buf_byte(out, '{');
}

static void write_ref(struct buf *out, const char *schema)
{
	if (schema == NULL) {
		BUF_LITERAL(out, "{}");
	} else {
		buf_format(out, "{\"$ref\":\"#/components/schemas/%s\"}", schema);
	}
}

/* ---- names ---- */

/* "get" and the words of the path, each with a capital: getStateByScope. */
static void write_operation_id(const struct route *route, struct buf *out)
{
	struct span path = span_of(route->path);
	struct span segment;
	for (const char *c = route->method; *c; c++) {
		buf_byte(out, (char)(*c - 'A' + 'a'));
	}
	while (url_next_segment(&path, &segment)) {
		bool begins = true;
		if (span_is(segment, "v1")) {
			continue;
		}
		if (is_variable(segment)) {
			BUF_LITERAL(out, "By");
		}
		for (size_t i = 0; i < segment.len; i++) {
			char c = segment.ptr[i];
			if (is_letter(c)) {
				buf_byte(out, begins && c >= 'a' ? (char)(c - 'a' + 'A') : c);
			}
			begins = !is_letter(c);
		}
	}
}

/* The noun that the path begins with. */
static struct span tag_of(const struct route *route)
{
	struct span path = span_of(route->path);
	struct span word;
	if (!url_next_segment(&path, &word) || !span_is(word, "v1") ||
	    !url_next_segment(&path, &word)) {
		return SPAN("engine");
	}
	const char *colon = memchr(word.ptr, ':', word.len);
	return colon ? span_make(word.ptr, (size_t)(colon - word.ptr)) : word;
}

/* ---- parameters ---- */

static void write_parameter(struct buf *out, struct span name, const char *in, const char *type,
                            bool is_required)
{
	json_write_comma(out);
	buf_byte(out, '{');
	json_write_member_string(out, "name", name);
	json_write_member_string(out, "in", span_of(in));
	if (is_required) {
		json_write_member_bool(out, "required", true);
	}
	open_member(out, "schema");
	json_write_member_string(out, "type", span_of(type));
	BUF_LITERAL(out, "}}");
}

static void write_parameters(const struct route *route, struct buf *out)
{
	struct span path = span_of(route->path);
	struct span segment;
	const char *params = route->params;
	struct span name;
	struct span type;
	bool is_read = strcmp(route->method, "GET") == 0;
	json_write_name(out, "parameters");
	buf_byte(out, '[');
	while (url_next_segment(&path, &segment)) {
		if (is_variable(segment)) {
			write_parameter(out, span_make(segment.ptr + 1, segment.len - 2), "path",
			                "string", true);
		}
	}
	while (param_next(&params, &name, &type)) {
		write_parameter(out, name, "query",
		                span_is(type, "int")    ? "integer"
		                : span_is(type, "bool") ? "boolean"
		                                        : "string",
		                false);
	}
	if (route->flags & ROUTE_REV) {
		write_parameter(out, SPAN("If-None-Match"), "header", "string", false);
	}
	if (route->flags & ROUTE_REV && !is_read) {
		write_parameter(out, SPAN("If-Match"), "header", "string", false);
	}
	if (route->flags & ROUTE_ONCE) {
		write_parameter(out, SPAN("Idempotency-Key"), "header", "string", false);
	}
	if (route->flags & ROUTE_WATCH) {
		write_parameter(out, SPAN("Last-Event-ID"), "header", "string", false);
	}
	if (route->flags & ROUTE_INVOKE) {
		write_parameter(out, SPAN("Prefer"), "header", "string", false);
	}
	buf_byte(out, ']');
}

/* ---- bodies ---- */

static void write_media(struct buf *out, const char *type, const char *schema)
{
	open_member(out, type);
	json_write_name(out, "schema");
	write_ref(out, schema);
	buf_byte(out, '}');
}

static void write_file_media(struct buf *out)
{
	struct span type = console_media(0);
	for (size_t i = 0; type.ptr; type = console_media(++i)) {
		char *name = mem_copy(type.ptr, type.len);
		write_media(out, name, NULL);
		mem_free(name);
	}
}

static void write_body(const struct route *route, struct buf *out)
{
	bool is_events = route->flags & ROUTE_EVENTS;
	if (route->body == NULL && !is_events) {
		return;
	}
	const char *schema = route->body && strcmp(route->body, "*") == 0
	                             ? openapi_schema_of_body(route->function)
	                             : NULL;
	bool may_be_empty = route->body && strcmp(route->body, "*") == 0;
	open_member(out, "requestBody");
	if (!may_be_empty) {
		json_write_member_bool(out, "required", true);
	}
	open_member(out, "content");
	if (route->flags & ROUTE_ENVELOPE) {
		write_media(out, "application/json", "Envelope");
		write_media(out, ENVELOPE_RAW_JSON, NULL);
		write_media(out, ENVELOPE_TEXT, NULL);
		write_media(out, ENVELOPE_BYTES, NULL);
	} else {
		write_media(out, "application/json", schema);
	}
	if (is_events) {
		write_media(out, "application/cloudevents+json", NULL);
		write_media(out, "application/cloudevents-batch+json", NULL);
	}
	BUF_LITERAL(out, "}}");
}

/* ---- responses ---- */

static void open_response(struct buf *out, int status, const char *description)
{
	char name[8];
	(void)snprintf(name, sizeof name, "%d", status);
	open_member(out, name);
	json_write_member_string(out, "description", span_of(description));
}

static void write_empty(struct buf *out, int status, const char *description)
{
	open_response(out, status, description);
	buf_byte(out, '}');
}

/* A result that is not the function's as it is has no schema of it. */
static void write_result(const struct route *route, int status, struct buf *out)
{
	bool is_read = strcmp(route->method, "GET") == 0;
	open_response(out, status, status == 503 ? "It cannot do its work now." : "The result.");
	if (route->flags & ROUTE_REV && status == 200 && strcmp(route->method, "DELETE") != 0) {
		BUF_LITERAL(out, ",\"headers\":{\"ETag\":{\"schema\":{\"type\":\"string\"}}}");
	}
	open_member(out, "content");
	if (route->flags & ROUTE_FIGURES) {
		write_media(out, "text/plain", NULL);
	} else if (route->flags & ROUTE_FILE) {
		write_file_media(out);
	} else if (route->flags & ROUTE_WATCH) {
		write_media(out, SSE_TYPE, NULL);
	} else if (route->flags & ROUTE_ENVELOPE && is_read) {
		write_media(out, "application/json", "Read");
		write_media(out, ENVELOPE_TEXT, NULL);
		write_media(out, ENVELOPE_BYTES, NULL);
	} else {
		if (route->flags & ROUTE_HELLO) {
			write_media(out, "text/html", NULL);
		}
		bool is_bare = route->flags & (ROUTE_VALUE | ROUTE_INVOKE);
		write_media(out, "application/json",
		            route->flags & ROUTE_HELLO ? "Hello"
		            : is_bare                  ? NULL
		                                       : openapi_schema_of_result(route->function));
	}
	BUF_LITERAL(out, "}}");
}

static void write_problem(struct buf *out, const char *name, const char *description)
{
	open_member(out, name);
	json_write_member_string(out, "description", span_of(description));
	open_member(out, "content");
	write_media(out, PROBLEM_TYPE, "Problem");
	BUF_LITERAL(out, "}}");
}

static void write_responses(const struct route *route, struct buf *out)
{
	bool is_read = strcmp(route->method, "GET") == 0;
	bool is_events = route->flags & ROUTE_EVENTS;
	open_member(out, "responses");
	write_result(route, is_events ? 202 : 200, out);
	if (route->flags & ROUTE_INVOKE) {
		open_response(out, 202, "Nobody waits for it; a queue gives a receipt.");
		open_member(out, "content");
		write_media(out, "application/json", "Receipt");
		BUF_LITERAL(out, "}}");
	}
	if (!is_read && (route->flags & ROUTE_ABSENT) == 0) {
		write_empty(out, 204, "There is no result.");
	}
	if (route->flags & (ROUTE_REV | ROUTE_FILE) && is_read) {
		write_empty(out, 304, "The ETag is still this one.");
	}
	if (strchr(route->path, '{')) {
		write_problem(out, "404", "There is nothing of this name.");
	}
	if (route->flags & ROUTE_REV && !is_read) {
		write_problem(out, "412", "The rev is another one: nothing was done.");
	}
	if (route->flags & ROUTE_READY) {
		write_result(route, 503, out);
	}
	write_problem(out, "default", "It was not done; code and agent_instruction say why.");
	buf_byte(out, '}');
}

/* ---- the document ---- */

static void write_operation(const struct route *route, struct buf *out)
{
	struct buf text = {0};
	for (const char *c = route->method; *c; c++) {
		buf_byte(&text, (char)(*c - 'A' + 'a'));
	}
	buf_byte(&text, '\0');
	open_member(out, text.ptr);
	buf_clear(&text);
	write_operation_id(route, &text);
	json_write_member_string(out, "operationId", buf_view(&text));
	json_write_member_string(out, "summary", span_of(route->summary));
	json_write_name(out, "tags");
	buf_byte(out, '[');
	json_write_string(out, tag_of(route));
	buf_byte(out, ']');
	write_parameters(route, out);
	write_body(route, out);
	write_responses(route, out);
	buf_byte(out, '}');
	buf_free(&text);
}

static bool is_first_of_path(const struct route routes[], size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (strcmp(routes[i].path, routes[at].path) == 0) {
			return false;
		}
	}
	return true;
}

void openapi_write(struct buf *out)
{
	size_t count;
	const struct route *routes = route_table(&count);
	BUF_LITERAL(
	        out,
	        "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"pawl\",\"version\":\"" PAWL_VERSION
	        "\",\"summary\":\"State, triggers, alarms and workers of one engine.\","
	        "\"license\":{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}},"
	        "\"servers\":[{\"url\":\"/\"}],\"paths\":{");
	for (size_t i = 0; i < count; i++) {
		if (!is_first_of_path(routes, i)) {
			continue;
		}
		open_member(out, routes[i].path);
		for (size_t j = i; j < count; j++) {
			if (strcmp(routes[j].path, routes[i].path) == 0) {
				write_operation(&routes[j], out);
			}
		}
		buf_byte(out, '}');
	}
	BUF_LITERAL(out, "},\"components\":{\"schemas\":{");
	openapi_schemas_write(out);
	/* An engine without tokens asks for none. */
	BUF_LITERAL(out,
	            "},\"securitySchemes\":{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"}}},"
	            "\"security\":[{},{\"token\":[]}]}\n");
}
