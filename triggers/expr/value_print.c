/* This file writes values for people and as JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"
#include "base/err.h"
#include "base/json_number.h"
#include "base/json_write.h"
#include "triggers/expr/moment.h"
#include "triggers/expr/value.h"

#include <math.h>
#include <stdio.h>

enum { JSON_DEPTH = 512, TEXT_DEPTH = 32, BYTES_OF_STEP = 16 };

/* ---- names ---- */

const char *value_tag_name(struct value value)
{
	static const char *const names[VALUE_TAGS] = {
	        [VALUE_UNSET] = "unset",
	        [VALUE_ERROR] = "error",
	        [VALUE_NULL] = "null_type",
	        [VALUE_BOOL] = "bool",
	        [VALUE_INT] = "int",
	        [VALUE_UINT] = "uint",
	        [VALUE_DOUBLE] = "double",
	        [VALUE_STRING] = "string",
	        [VALUE_BYTES] = "bytes",
	        [VALUE_LIST] = "list",
	        [VALUE_MAP] = "map",
	        [VALUE_TYPE] = "type",
	        [VALUE_TIMESTAMP] = "google.protobuf.Timestamp",
	        [VALUE_DURATION] = "google.protobuf.Duration",
	        [VALUE_OPTIONAL] = "optional_type",
	};
	PRE(value.tag < VALUE_TAGS);
	return names[value.tag];
}

/* ---- scalars that both spellings share ---- */

static bool is_exact(struct value number)
{
	return (number.flags & (VALUE_EXACT | VALUE_EXACT_UNSIGNED)) != 0;
}

static void write_integer(struct value value, struct buf *out)
{
	bool is_unsigned = value.tag == VALUE_UINT || (value.flags & VALUE_EXACT_UNSIGNED) != 0;
	if (is_unsigned) {
		buf_uint(out, value.as.u);
	} else {
		buf_int(out, value.as.i);
	}
}

/* ---- for people ---- */

struct writer {
	struct allowance *allowance;
	struct buf *out;
	size_t end; /* of `out`: no more than a little is written behind it */
};

static void write_text(struct writer *writer, struct value value, int depth);

static bool is_full(const struct writer *writer)
{
	return writer->out->len > writer->end;
}

static void write_double_text(double d, struct buf *out)
{
	if (!isfinite(d)) {
		buf_span(out, isnan(d) ? SPAN("NaN")
		              : d > 0  ? SPAN("Infinity")
		                       : SPAN("-Infinity"));
		return;
	}
	size_t from = out->len;
	json_write_double(out, d);
	bool is_integral = true;
	for (size_t i = from; i < out->len; i++) {
		is_integral = is_integral && out->ptr[i] != '.' && out->ptr[i] != 'e';
	}
	if (is_integral) {
		BUF_LITERAL(out, ".0");
	}
}

static void write_bytes_text(struct span bytes, struct buf *out)
{
	BUF_LITERAL(out, "b\"");
	for (size_t i = 0; i < bytes.len; i++) {
		char byte = bytes.ptr[i];
		if (byte == '"' || byte == '\\') {
			buf_byte(out, '\\');
			buf_byte(out, byte);
		} else if (byte >= ' ' && byte <= '~') {
			buf_byte(out, byte);
		} else {
			buf_format(out, "\\x%02x", (unsigned char)byte);
		}
	}
	buf_byte(out, '"');
}

/* As much of the text as can be seen; whole characters are made of it at the end. */
static struct span seen(const struct writer *writer, struct value text)
{
	size_t most = writer->end - writer->out->len + 1;
	return span_make(text.as.text, text.len < most ? text.len : most);
}

static void write_list_text(struct writer *writer, struct value list, int depth)
{
	const struct value_list *items = value_list(writer->allowance, &list);
	buf_byte(writer->out, '[');
	for (size_t i = 0; items != NULL && i < items->count && !is_full(writer); i++) {
		buf_span(writer->out, i == 0 ? SPAN("") : SPAN(", "));
		write_text(writer, items->items[i], depth + 1);
	}
	buf_span(writer->out, items == NULL ? SPAN("...]") : SPAN("]"));
}

static void write_map_text(struct writer *writer, struct value map, int depth)
{
	const struct value_map *pairs = value_map(writer->allowance, &map);
	buf_byte(writer->out, '{');
	for (size_t i = 0; pairs != NULL && i < pairs->count && !is_full(writer); i++) {
		buf_span(writer->out, i == 0 ? SPAN("") : SPAN(", "));
		write_text(writer, pairs->pairs[i].key, depth + 1);
		BUF_LITERAL(writer->out, ": ");
		write_text(writer, pairs->pairs[i].value, depth + 1);
	}
	buf_span(writer->out, pairs == NULL ? SPAN("...}") : SPAN("}"));
}

static void write_optional_text(struct writer *writer, struct value optional, int depth)
{
	if (optional.as.inner == NULL) {
		BUF_LITERAL(writer->out, "optional.none()");
		return;
	}
	BUF_LITERAL(writer->out, "optional.of(");
	write_text(writer, *optional.as.inner, depth + 1);
	buf_byte(writer->out, ')');
}

static void write_container_text(struct writer *writer, struct value value, int depth)
{
	if (depth > TEXT_DEPTH) {
		BUF_LITERAL(writer->out, "...");
	} else if (value.tag == VALUE_LIST) {
		write_list_text(writer, value, depth);
	} else if (value.tag == VALUE_MAP) {
		write_map_text(writer, value, depth);
	} else {
		write_optional_text(writer, value, depth);
	}
}

static void write_time_text(struct value value, struct buf *out)
{
	if (value.tag == VALUE_TIMESTAMP) {
		BUF_LITERAL(out, "timestamp(\"");
		moment_write_timestamp(value.as.i, value.len, out);
	} else {
		BUF_LITERAL(out, "duration(\"");
		moment_write_duration(value.as.i, value.len, out);
	}
	BUF_LITERAL(out, "\")");
}

static void write_number_text(struct value value, struct buf *out)
{
	if (value.tag == VALUE_DOUBLE && !is_exact(value)) {
		write_double_text(value.as.d, out);
		return;
	}
	write_integer(value, out);
	if (value.tag == VALUE_UINT) {
		buf_byte(out, 'u');
	}
}

static void write_text(struct writer *writer, struct value value, int depth)
{
	struct buf *out = writer->out;
	if (is_full(writer)) {
		return;
	}
	switch (value.tag) {
	case VALUE_NULL:
		BUF_LITERAL(out, "null");
		break;
	case VALUE_BOOL:
		buf_span(out, value.as.b ? SPAN("true") : SPAN("false"));
		break;
	case VALUE_INT:
	case VALUE_UINT:
	case VALUE_DOUBLE:
		write_number_text(value, out);
		break;
	case VALUE_STRING:
		json_write_string(out, seen(writer, value));
		break;
	case VALUE_BYTES:
		write_bytes_text(seen(writer, value), out);
		break;
	case VALUE_TYPE:
		buf_span(out, value_text(value));
		break;
	case VALUE_TIMESTAMP:
	case VALUE_DURATION:
		write_time_text(value, out);
		break;
	case VALUE_ERROR:
		value_write_error(value, out);
		break;
	case VALUE_UNSET:
		BUF_LITERAL(out, "unset");
		break;
	default:
		write_container_text(writer, value, depth);
	}
}

void value_write_text(struct allowance *allowance, struct value value, size_t most, struct buf *out)
{
	struct writer writer = {.allowance = allowance, .out = out, .end = out->len + most};
	write_text(&writer, value, 0);
	if (!is_full(&writer)) {
		return;
	}
	out->len = writer.end;
	/* Not amid a character: what follows it is never a byte that continues one. */
	while (out->len != writer.end - most &&
	       ((unsigned char)out->ptr[out->len] & 0xc0) == 0x80) {
		out->len--;
	}
	BUF_LITERAL(out, "...");
}

/* ---- JSON ---- */

static struct value write_json(struct allowance *allowance, struct value value, struct buf *out,
                               int depth);

static bool is_none(struct value value)
{
	return value.tag == VALUE_OPTIONAL && value.as.inner == NULL;
}

static struct value write_list_json(struct allowance *allowance, const struct value_list *list,
                                    struct buf *out, int depth)
{
	struct value failed = {.tag = VALUE_UNSET};
	buf_byte(out, '[');
	const char *comma = "";
	for (size_t i = 0; i < list->count && !value_is_error(failed); i++) {
		if (!is_none(list->items[i])) {
			buf_span(out, span_of(comma));
			comma = ",";
			failed = write_json(allowance, list->items[i], out, depth + 1);
		}
	}
	buf_byte(out, ']');
	return failed;
}

static void write_name(struct value key, struct buf *out)
{
	if (key.tag == VALUE_STRING) {
		json_write_string(out, value_text(key));
		return;
	}
	buf_byte(out, '"');
	if (key.tag == VALUE_BOOL) {
		buf_span(out, key.as.b ? SPAN("true") : SPAN("false"));
	} else {
		write_integer(key, out);
	}
	buf_byte(out, '"');
}

static struct value write_map_json(struct allowance *allowance, const struct value_map *map,
                                   struct buf *out, int depth)
{
	struct value failed = {.tag = VALUE_UNSET};
	buf_byte(out, '{');
	const char *comma = "";
	for (size_t i = 0; i < map->count && !value_is_error(failed); i++) {
		if (!is_none(map->pairs[i].value)) {
			buf_span(out, span_of(comma));
			comma = ",";
			write_name(map->pairs[i].key, out);
			buf_byte(out, ':');
			failed = write_json(allowance, map->pairs[i].value, out, depth + 1);
		}
	}
	buf_byte(out, '}');
	return failed;
}

static struct value write_container_json(struct allowance *allowance, struct value value,
                                         struct buf *out, int depth)
{
	if ((value.flags & VALUE_TEXT) != 0) {
		buf_span(out, value_text(value));
		return (struct value){.tag = VALUE_UNSET};
	}
	if (depth == JSON_DEPTH) {
		return value_error(ERROR_TOO_BIG, "lists and maps are nested too deeply");
	}
	return value.tag == VALUE_LIST ? write_list_json(allowance, value.as.list, out, depth)
	                               : write_map_json(allowance, value.as.map, out, depth);
}

/* What is a string in JSON. */
static void write_string_json(struct value value, struct buf *out)
{
	if (value.tag == VALUE_STRING || value.tag == VALUE_TYPE) {
		json_write_string(out, value_text(value));
		return;
	}
	buf_byte(out, '"');
	if (value.tag == VALUE_BYTES) {
		base64_encode(value_text(value), out);
	} else if (value.tag == VALUE_TIMESTAMP) {
		moment_write_timestamp(value.as.i, value.len, out);
	} else {
		moment_write_duration(value.as.i, value.len, out);
	}
	buf_byte(out, '"');
}

static struct value write_number_json(struct value value, struct buf *out)
{
	if (value.tag != VALUE_DOUBLE || is_exact(value)) {
		write_integer(value, out);
	} else if (!isfinite(value.as.d)) {
		return value_error(ERROR_INVALID_ARGUMENT, "JSON has no number that is not finite");
	} else {
		json_write_double(out, value.as.d);
	}
	return (struct value){.tag = VALUE_UNSET};
}

static int64_t steps_of(struct value value)
{
	bool has_bytes = value.tag == VALUE_STRING || value.tag == VALUE_BYTES ||
	                 (value.flags & VALUE_TEXT) != 0;
	return 1 + (has_bytes ? value.len / BYTES_OF_STEP : 0);
}

static struct value write_json(struct allowance *allowance, struct value value, struct buf *out,
                               int depth)
{
	if (!allowance_spend(allowance, steps_of(value))) {
		return allowance_error(allowance);
	}
	switch (value.tag) {
	case VALUE_ERROR:
		return value;
	case VALUE_NULL:
		BUF_LITERAL(out, "null");
		break;
	case VALUE_BOOL:
		buf_span(out, value.as.b ? SPAN("true") : SPAN("false"));
		break;
	case VALUE_INT:
	case VALUE_UINT:
	case VALUE_DOUBLE:
		return write_number_json(value, out);
	case VALUE_LIST:
	case VALUE_MAP:
		return write_container_json(allowance, value, out, depth);
	case VALUE_OPTIONAL:
		if (value.as.inner == NULL || depth == JSON_DEPTH) {
			return value_error(value.as.inner == NULL ? ERROR_NO_VALUE : ERROR_TOO_BIG,
			                   NULL);
		}
		return write_json(allowance, *value.as.inner, out, depth + 1);
	case VALUE_UNSET:
		NEVER("a value that nobody made is written");
	default:
		write_string_json(value, out);
	}
	return (struct value){.tag = VALUE_UNSET};
}

struct value value_write_json(struct allowance *allowance, struct value value, struct buf *out)
{
	size_t len = out->len;
	struct value failed = write_json(allowance, value, out, 0);
	if (value_is_error(failed)) {
		out->len = len;
	}
	return failed;
}
