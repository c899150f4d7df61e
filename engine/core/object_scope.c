/* This file spells the scope of an object, and reads it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/object_scope.h"

void object_scope_write_part(struct span plain, struct buf *out)
{
	for (size_t i = 0; i < plain.len; i++) {
		if (plain.ptr[i] == '%') {
			BUF_LITERAL(out, "%25");
		} else if (plain.ptr[i] == '/') {
			BUF_LITERAL(out, "%2F");
		} else {
			buf_byte(out, plain.ptr[i]);
		}
	}
}

void object_scope_write(struct span namespace_, struct span object, struct buf *out)
{
	object_scope_write_part(namespace_, out);
	buf_byte(out, '/');
	object_scope_write_part(object, out);
}

static bool read_part(struct span part, struct buf *out)
{
	buf_clear(out);
	for (size_t i = 0; i < part.len; i++) {
		if (part.ptr[i] != '%') {
			buf_byte(out, part.ptr[i]);
			continue;
		}
		struct span escape = span_make(part.ptr + i, part.len - i);
		if (span_starts_with(escape, SPAN("%25"))) {
			buf_byte(out, '%');
		} else if (span_starts_with(escape, SPAN("%2F"))) {
			buf_byte(out, '/');
		} else {
			return false;
		}
		i += 2;
	}
	return out->len != 0;
}

bool object_scope_read(struct span scope, struct buf *out_namespace, struct buf *out_object)
{
	const char *slash = memchr(scope.ptr, '/', scope.len);
	if (slash == NULL) {
		return false;
	}
	size_t len = (size_t)(slash - scope.ptr);
	struct span object = span_make(slash + 1, scope.len - len - 1);
	return memchr(object.ptr, '/', object.len) == NULL &&
	       read_part(span_make(scope.ptr, len), out_namespace) && read_part(object, out_object);
}
