/* This file holds the header fields that a function's requests are to carry. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/webhook_headers.h"

#include "base/json.h"
#include "base/mem.h"
#include <string.h>
#include <strings.h>

/* libcurl frames the message: these would contradict it. */
static const char *const framing[] = {"content-length", "transfer-encoding", "connection",
                                      "upgrade", NULL};
/* What proves who sends is a secret, wherever it comes from. */
static const char *const proving[] = {"authorization", "cookie", "proxy-authorization", NULL};

static bool is_one_of(const char *name, const char *const *names)
{
	while (*names != NULL && strcasecmp(name, *names) != 0) {
		names++;
	}
	return *names != NULL;
}

bool webhook_is_token(const char *text)
{
	static const char letters[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
	                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	return text[0] != '\0' && text[strspn(text, letters)] == '\0';
}

static bool is_clean(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		if (byte < 0x20 || byte == 0x7f) {
			return false;
		}
	}
	return true;
}

static int refuse(struct err *err, const char *name, const char *what)
{
	return err_set(err, E_INVALID, "invalid_invocation", "invocation: header %s: %s", name,
	               what);
}

static int read_value(const char *name, struct span json, const struct webhook_known *known,
                      struct webhook_template **out, struct err *err)
{
	struct buf text = {0};
	if (json_kind(json) == JSON_STRING) {
		json_string(json, &text);
	}
	int status = text.len == 0 || !is_clean(buf_view(&text))
	                     ? refuse(err, name, "a header's value must be text, on one line")
	                     : webhook_template_new(known, buf_view(&text), out, err);
	buf_free(&text);
	return status;
}

static int add(struct span name, struct span value, const struct webhook_known *known,
               struct webhook_headers *headers, struct err *err)
{
	char *plain = mem_copy(name.ptr, name.len);
	struct webhook_template *made = NULL;
	int status = 0;
	if (!webhook_is_token(plain)) {
		status = refuse(err, plain, "a header's name is one word");
	} else if (is_one_of(plain, framing)) {
		status = refuse(err, plain, "this one is not yours to set");
	} else {
		status = read_value(plain, value, known, &made, err);
	}
	if (status != 0) {
		mem_free(plain);
		return status;
	}
	headers->items = mem_grow(headers->items, (headers->count + 1) * sizeof *headers->items);
	headers->items[headers->count++] = (struct webhook_header){plain, made};
	headers->asks |= webhook_template_asks(made);
	headers->has_secret |= webhook_template_has_secret(made) || is_one_of(plain, proving);
	return 0;
}

int webhook_headers_read(struct span json, const struct webhook_known *known,
                         struct webhook_headers *out, struct err *err)
{
	if (json_is_null(json)) {
		return 0;
	}
	if (json_kind(json) != JSON_OBJECT) {
		return err_set(err, E_INVALID, "invalid_invocation",
		               "invocation: headers must be an object of texts");
	}
	struct webhook_headers headers = {0};
	struct json_iter iter = json_iter(json);
	struct span name;
	struct span value;
	int status = 0;
	while (status == 0 && json_next_member(&iter, &name, &value)) {
		status = json_is_null(value) ? 0 : add(name, value, known, &headers, err);
	}
	if (status != 0) {
		webhook_headers_close(&headers);
		return status;
	}
	*out = headers;
	return 0;
}

void webhook_headers_close(struct webhook_headers *headers)
{
	for (size_t i = 0; i < headers->count; i++) {
		mem_free(headers->items[i].name);
		webhook_template_free(headers->items[i].value);
	}
	mem_free(headers->items);
	*headers = (struct webhook_headers){0};
}

const char *webhook_headers_find(const struct webhook_headers *headers, const char *prefix)
{
	for (size_t i = 0; i < headers->count; i++) {
		if (strncasecmp(headers->items[i].name, prefix, strlen(prefix)) == 0) {
			return headers->items[i].name;
		}
	}
	return NULL;
}

static int write_one(const struct webhook_header *header, struct matching *matching,
                     struct span metadata, struct buf *out, struct err *err)
{
	struct buf value = {0};
	bool is_absent;
	int status =
	        webhook_template_write(header->value, matching, metadata, &value, &is_absent, err);
	if (status != 0) {
		status = err_wrap(err, "header %s", header->name);
	} else if (!is_clean(buf_view(&value))) {
		status = err_set(err, E_INVALID, "header_failed",
		                 "header %s: its value holds a line break or another control "
		                 "character",
		                 header->name);
	} else if (!is_absent) {
		buf_format(out, "%s: %.*s", header->name, SPAN_ARG(buf_view(&value)));
		buf_byte(out, '\0');
	}
	buf_free(&value);
	return status;
}

int webhook_headers_write(const struct webhook_headers *headers, struct matching *matching,
                          struct span metadata, struct buf *out, struct err *err)
{
	int status = 0;
	for (size_t i = 0; status == 0 && i < headers->count; i++) {
		status = write_one(&headers->items[i], matching, metadata, out, err);
	}
	return status;
}
