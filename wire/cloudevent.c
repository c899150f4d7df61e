/* This file reads and writes events as CloudEvents 1.0 has them: structured and binary mode. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cloudevent.h"

#include "base/json.h"
#include <stdbool.h>
#include <stddef.h>

static const struct attribute {
	const char *name;
	size_t offset;
} attributes[] = {
        {"id", offsetof(struct cloudevent, id)},
        {"source", offsetof(struct cloudevent, source)},
        {"type", offsetof(struct cloudevent, type)},
        {"subject", offsetof(struct cloudevent, subject)},
        {"time", offsetof(struct cloudevent, time)},
        {"traceparent", offsetof(struct cloudevent, traceparent)},
};

enum { ATTRIBUTES = sizeof attributes / sizeof *attributes };

static struct span value_of(const struct cloudevent *event, const struct attribute *attribute)
{
	return *(const struct span *)(const void *)((const char *)event + attribute->offset);
}

void cloudevent_write(const struct cloudevent *event, struct buf *out)
{
	BUF_LITERAL(out, "{\"specversion\":\"1.0\"");
	for (size_t i = 0; i < ATTRIBUTES; i++) {
		struct span value = value_of(event, &attributes[i]);
		if (value.len != 0) {
			json_write_member_string(out, attributes[i].name, value);
		}
	}
	BUF_LITERAL(out, ",\"datacontenttype\":\"application/json\",\"data\":");
	buf_span(out, event->data);
	buf_byte(out, '}');
}

void cloudevent_write_fields(const struct cloudevent *event, struct buf *out)
{
	BUF_LITERAL(out, "ce-specversion: 1.0");
	buf_byte(out, '\0');
	for (size_t i = 0; i < ATTRIBUTES; i++) {
		struct span value = value_of(event, &attributes[i]);
		if (value.len != 0) {
			buf_format(out, "ce-%s: ", attributes[i].name);
			cloudevent_write_ascii(value, out);
			buf_byte(out, '\0');
		}
	}
}

/* ---- reading ---- */

static const char CODE[] = "invalid_cloudevent";

static bool is_attribute_name(struct span name)
{
	for (size_t i = 0; i < name.len; i++) {
		char byte = name.ptr[i];
		if (!((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9'))) {
			return false;
		}
	}
	return name.len != 0;
}

static int refuse(struct span name, const char *what, struct err *err)
{
	return err_set(err, E_INVALID, CODE, "a CloudEvent's attribute '%.*s' %s",
	               (int)(name.len < 64 ? name.len : 64), name.ptr, what);
}

/* Extensions are texts, numbers and booleans; what the standard names is text. */
static int check_member(struct span name, struct span value, struct err *err)
{
	static const char *const texts[] = {"id",          "source",  "type",
	                                    "specversion", "subject", "datacontenttype",
	                                    "dataschema",  "time",    "data_base64"};
	enum json_kind kind = json_kind(value);
	if (json_name_is(name, SPAN("data")) || json_is_null(value)) {
		return 0;
	}
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (json_name_is(name, span_of(texts[i]))) {
			return kind == JSON_STRING ? 0 : refuse(name, "must be a text", err);
		}
	}
	if (!is_attribute_name(name)) {
		return refuse(name, "must be named in lower-case letters and digits", err);
	}
	return kind == JSON_OBJECT || kind == JSON_ARRAY
	               ? refuse(name, "must be a text, a number or a boolean", err)
	               : 0;
}

enum needed { ID, SOURCE, TYPE, SPECVERSION, SUBJECT, DATA, DATA_BASE64, NEEDED };

static const struct span needed_names[NEEDED] = {[ID] = {"id", 2},
                                                 [SOURCE] = {"source", 6},
                                                 [TYPE] = {"type", 4},
                                                 [SPECVERSION] = {"specversion", 11},
                                                 [SUBJECT] = {"subject", 7},
                                                 [DATA] = {"data", 4},
                                                 [DATA_BASE64] = {"data_base64", 11}};

static int check_needed(const struct span found[], struct err *err)
{
	for (enum needed at = ID; at <= SPECVERSION; at++) {
		if (found[at].ptr == NULL || found[at].len <= 2) {
			return refuse(needed_names[at], "is missing or empty", err);
		}
	}
	if (!json_string_is(found[SPECVERSION], SPAN("1.0"))) {
		return refuse(needed_names[SPECVERSION], "must be 1.0", err);
	}
	if (!json_is_null(found[DATA]) && !json_is_null(found[DATA_BASE64])) {
		return refuse(needed_names[DATA_BASE64], "excludes 'data'", err);
	}
	return 0;
}

int cloudevent_check(struct span json, struct buf *texts, struct span *out_type,
                     struct span *out_subject, struct err *err)
{
	struct span found[NEEDED];
	struct span name;
	struct span value;
	int status = 0;
	if (json_kind(json) != JSON_OBJECT) {
		return err_set(err, E_INVALID, CODE, "a CloudEvent must be an object, not %s",
		               json_kind_name(json_kind(json)));
	}
	for (struct json_iter iter = json_iter(json);
	     status == 0 && json_next_member(&iter, &name, &value);) {
		status = check_member(name, value, err);
	}
	json_get_many(json, needed_names, NEEDED, found);
	status = status == 0 ? check_needed(found, err) : status;
	if (status != 0) {
		return status;
	}
	(void)buf_reserve(texts, json.len); /* it does not move between them */
	struct span type = json_copy_text(found[TYPE], texts);
	struct span subject =
	        json_is_null(found[SUBJECT]) ? SPAN_NONE : json_copy_text(found[SUBJECT], texts);
	if (type.len > CLOUDEVENT_TYPE_MAX) {
		return refuse(needed_names[TYPE], "is over 512 bytes", err);
	}
	if (subject.len > CLOUDEVENT_SUBJECT_MAX) {
		return refuse(needed_names[SUBJECT], "is over 1024 bytes", err);
	}
	*out_type = type;
	*out_subject = subject.len != 0 ? subject : SPAN_NONE;
	return 0;
}

/* ---- texts ---- */

static void write_escaped(unsigned char byte, struct buf *out)
{
	buf_format(out, "%%%02X", byte);
}

/* U+0000 to U+001F, U+007F to U+009F: the last are two bytes of UTF-8. */
void cloudevent_write_clean(struct span text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		bool is_long =
		        byte == 0xc2 && i + 1 < text.len && (unsigned char)text.ptr[i + 1] <= 0x9f;
		if (is_long) {
			write_escaped(byte, out);
			write_escaped((unsigned char)text.ptr[++i], out);
		} else if (byte < 0x20 || byte == 0x7f) {
			write_escaped(byte, out);
		} else {
			buf_byte(out, (char)byte);
		}
	}
}

void cloudevent_write_ascii(struct span text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		if (byte <= 0x20 || byte >= 0x7f || byte == '"' || byte == '%') {
			write_escaped(byte, out);
		} else {
			buf_byte(out, (char)byte);
		}
	}
}
