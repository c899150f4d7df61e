/* This file fills a struct from the members of a JSON object, row by row. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/field_json.h"

#include "base/field.h"
#include "base/json.h"
#include "base/mem.h"

enum { SHOWN_MAX = 64 };

static int refuse_value(const struct field *field, struct span value, const char *code,
                        struct err *err)
{
	struct buf wanted = {0};
	field_expectation(field, &wanted);
	int status = err_set(err, E_INVALID, code, "'%s' must be %.*s, not %.*s%s", field->name,
	                     (int)wanted.len, wanted.ptr,
	                     (int)(value.len < SHOWN_MAX ? value.len : SHOWN_MAX), value.ptr,
	                     value.len > SHOWN_MAX ? "..." : "");
	buf_free(&wanted);
	return status;
}

/* The kind of JSON value that stands for the row's kind. */
static enum json_kind kind_of(const struct field *field)
{
	switch (field->kind) {
	case FIELD_BOOL:
		return JSON_BOOL;
	case FIELD_INT:
	case FIELD_DECIMAL:
		return JSON_NUMBER;
	case FIELD_STRINGS:
		return JSON_ARRAY;
	case FIELD_SECTION:
		return JSON_OBJECT;
	default:
		return JSON_STRING;
	}
}

static bool is_later(const struct field *field, struct span word)
{
	for (size_t i = 0; field->later != NULL && field->later[i] != NULL; i++) {
		if (span_is(word, field->later[i])) {
			return true;
		}
	}
	return false;
}

static int read_scalar(const struct field *field, struct span value, const char *code, void *slot,
                       struct err *err)
{
	struct buf text = {0};
	int64_t integer = 0;
	bool is_good = true;
	if (field->kind == FIELD_INT) {
		is_good = json_int64(value, &integer);
		buf_int(&text, integer);
	} else if (field->kind == FIELD_BOOL || field->kind == FIELD_DECIMAL) {
		buf_span(&text, value);
	} else {
		json_string(value, &text);
	}
	int status = 0;
	if (is_later(field, buf_view(&text))) {
		status = err_set(err, E_UNSUPPORTED, "not_available",
		                 "'%s: %.*s' is not available yet", field->name,
		                 SPAN_ARG(buf_view(&text)));
	} else if (!is_good || !field_parse(field, buf_view(&text), slot)) {
		status = refuse_value(field, value, code, err);
	}
	buf_free(&text);
	return status;
}

static int read_strings(const struct field *field, struct span value, const char *code,
                        struct field_strings *strings, struct err *err)
{
	size_t most = field->max != 0 ? (size_t)field->max : FIELD_ITEMS_MAX;
	struct span item;
	size_t count = 0;
	for (struct json_iter iter = json_iter(value); json_next_item(&iter, &item);) {
		count++;
		if (json_kind(item) != JSON_STRING || item.len > FIELD_TEXT_MAX) {
			return refuse_value(field, value, code, err);
		}
	}
	if (count > most || count < (size_t)field->min) {
		return refuse_value(field, value, code, err);
	}
	strings->items = MEM_ARRAY(char *, count + 1);
	for (struct json_iter iter = json_iter(value); json_next_item(&iter, &item);) {
		struct buf text = {0};
		json_string(item, &text);
		bool has_nul = text.len != 0 && memchr(text.ptr, 0, text.len) != NULL;
		strings->items[strings->count++] = mem_copy(buf_view(&text).ptr, text.len);
		buf_free(&text);
		if (has_nul) {
			return refuse_value(field, value, code, err);
		}
	}
	return 0;
}

static int read_one(const struct field *field, struct span value, const char *code, void *slot,
                    struct err *err)
{
	if (field->kind == FIELD_RESERVED) {
		return err_set(err, E_UNSUPPORTED, "not_available",
		               "'%s' is not available yet (%s); leave it out", field->name,
		               field->help);
	}
	if (field->kind == FIELD_JSON) {
		*(struct span *)slot = value;
		return 0;
	}
	if (field->kind == FIELD_MAP || field->kind == FIELD_OTHER) {
		return 0;
	}
	if (json_kind(value) != kind_of(field)) {
		return refuse_value(field, value, code, err);
	}
	if (field->kind == FIELD_STRINGS) {
		return read_strings(field, value, code, slot, err);
	}
	return read_scalar(field, value, code, slot, err);
}

/* "; the options are a, b, c" */
static void list_names(const struct field *fields, struct buf *out)
{
	BUF_LITERAL(out, "; the options are");
	const char *separator = " ";
	for (const struct field *field = fields; field->name != NULL; field++) {
		if (field->kind != FIELD_RESERVED) {
			buf_format(out, "%s%s", separator, field->name);
			separator = ", ";
		}
	}
}

static int refuse_unknown(const struct field *fields, struct span name, const char *code,
                          struct err *err)
{
	struct buf plain = {0};
	json_string(span_make(name.ptr - 1, name.len + 2), &plain);
	struct span text = buf_view(&plain);
	const struct field *near = field_nearest(fields, text);
	struct buf hint = {0};
	if (near != NULL) {
		buf_format(&hint, "; do you mean '%s'?", near->name);
	} else {
		list_names(fields, &hint);
	}
	int status = err_set(err, E_INVALID, code, "there is no option '%.*s' here%.*s",
	                     (int)(text.len < SHOWN_MAX ? text.len : SHOWN_MAX), text.ptr,
	                     SPAN_ARG(buf_view(&hint)));
	buf_free(&hint);
	buf_free(&plain);
	return status;
}

static bool is_known(const struct field *fields, struct span escaped)
{
	for (const struct field *field = fields; field->name != NULL; field++) {
		if (json_name_is(escaped, span_of(field->name))) {
			return true;
		}
	}
	return false;
}

int field_read_json(const struct field *fields, struct span object, const char *code, void *data,
                    struct err *err)
{
	struct span name;
	struct span value;
	for (struct json_iter iter = json_iter(object); json_next_member(&iter, &name, &value);) {
		if (!json_is_null(value) && !is_known(fields, name)) {
			return refuse_unknown(fields, name, code, err);
		}
	}
	for (const struct field *field = fields; field->name != NULL; field++) {
		void *slot = (char *)data + field->offset;
		field_set_default(field, data);
		(void)json_get(object, span_of(field->name), &value);
		bool is_absent = json_is_null(value);
		int status = 0;
		if (is_absent && field->required) {
			status = err_set(err, E_INVALID, code, "'%s' is missing", field->name);
		} else if (field->kind == FIELD_SECTION &&
		           (is_absent || json_kind(value) == JSON_OBJECT)) {
			status = field_read_json(field->fields, is_absent ? SPAN("{}") : value,
			                         code, slot, err);
			status = status != 0 && err != NULL ? err_wrap(err, "%s", field->name)
			                                    : status;
		} else if (!is_absent) {
			status = read_one(field, value, code, slot, err);
		}
		if (status != 0) {
			return status;
		}
	}
	return 0;
}
