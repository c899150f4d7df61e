/* This file writes events as CloudEvents 1.0 has them in HTTP: structured and binary mode. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cloudevent.h"

#include "base/json_write.h"
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
