/* This file reads which requests an HTTP trigger wants: a method and a pattern of a path. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/http_rule.h"

#include "base/buf.h"
#include "base/mem.h"
#include <strings.h>

static const char CODE[] = "invalid_trigger";

const char *const http_methods[] = {"GET",    "POST", "PUT",     "PATCH",
                                    "DELETE", "HEAD", "OPTIONS", NULL};

static int refuse(const char *what, struct span part, struct err *err)
{
	return err_set(err, E_INVALID, CODE, "'api_path' %s: %.*s", what,
	               (int)(part.len < 100 ? part.len : 100), part.ptr);
}

static int read_method(struct span text, struct span *out, struct err *err)
{
	for (size_t i = 0; http_methods[i] != NULL; i++) {
		struct span word = span_of(http_methods[i]);
		if (word.len == text.len && strncasecmp(word.ptr, text.ptr, text.len) == 0) {
			*out = word;
			return 0;
		}
	}
	return err_set(err, E_INVALID, CODE,
	               "'http_method' must be GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS, not "
	               "'%.*s'",
	               (int)(text.len < 32 ? text.len : 32), text.ptr);
}

static bool is_name(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!is_letter && (i == 0 || ((c < '0' || c > '9') && c != '-'))) {
			return false;
		}
	}
	return text.len != 0;
}

static bool has_name(const struct http_rule *rule, struct span name)
{
	for (size_t i = 0; i < rule->count; i++) {
		if (rule->segments[i].kind != HTTP_TEXT &&
		    span_equal(rule->segments[i].text, name)) {
			return true;
		}
	}
	return false;
}

static int add_segment(struct http_rule *rule, struct span text, struct err *err)
{
	struct http_segment segment = {HTTP_TEXT, text};
	char first = text.len != 0 ? text.ptr[0] : '\0';
	if (rule->count == HTTP_SEGMENTS_MAX) {
		return refuse("has more than 32 segments", rule->path, err);
	}
	if (rule->count != 0 && rule->segments[rule->count - 1].kind == HTTP_REST) {
		return refuse("has something behind '*', which must come last", text, err);
	}
	if (first == '{') {
		return refuse("writes a parameter as :name, not as {name}", text, err);
	}
	if (first == ':' || (first == '*' && text.len > 1)) {
		segment.kind = first == ':' ? HTTP_PARAM : HTTP_REST;
		segment.text = span_make(text.ptr + 1, text.len - 1);
		if (!is_name(segment.text)) {
			return refuse("has a parameter whose name is not letters, digits, _ and -",
			              text, err);
		}
	} else if (first == '*') {
		segment.kind = HTTP_REST;
	}
	if (segment.kind != HTTP_TEXT && has_name(rule, segment.text)) {
		return refuse("has two parameters of one name", text, err);
	}
	rule->segments[rule->count++] = segment;
	return 0;
}

static int read_path(struct http_rule *rule, struct err *err)
{
	const char *at = rule->path.ptr;
	const char *end = at + rule->path.len;
	for (const char *c = at; c < end; c++) {
		if ((unsigned char)*c <= ' ' || strchr("%?#\x7f", *c)) {
			return refuse("takes characters as they are, without %-encoding, query or "
			              "white space",
			              rule->path, err);
		}
	}
	int status = 0;
	while (status == 0 && at < end) {
		at++; /* the slash */
		const char *slash = memchr(at, '/', (size_t)(end - at));
		const char *behind = slash ? slash : end;
		status = add_segment(rule, span_make(at, (size_t)(behind - at)), err);
		at = behind;
	}
	return status;
}

int http_rule_new(struct span method, struct span path, struct http_rule **out, struct err *err)
{
	struct http_rule *rule = MEM_NEW(struct http_rule);
	struct buf whole = {0};
	buf_format(&whole, "%s%.*s", path.len != 0 && path.ptr[0] == '/' ? "" : "/",
	           SPAN_ARG(path));
	rule->path = mem_span(buf_view(&whole));
	buf_free(&whole);
	int status = read_method(method, &rule->method, err);
	if (status == 0) {
		status = read_path(rule, err);
	}
	if (status == 0) {
		*out = rule;
		rule = NULL;
	}
	http_rule_free(rule);
	return status;
}

void http_rule_free(struct http_rule *rule)
{
	if (rule == NULL) {
		return;
	}
	for (size_t i = 0; i < rule->middleware_count; i++) {
		mem_free((char *)rule->middleware[i].ptr);
	}
	mem_free(rule->middleware);
	mem_free((char *)rule->path.ptr);
	mem_free(rule);
}
