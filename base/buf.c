/* This file grows and fills byte buffers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "base/err.h"
#include "base/mem.h"
#include <stdarg.h>
#include <stdio.h>

void buf_free(struct buf *buf)
{
	mem_free(buf->ptr);
	*buf = (struct buf){0};
}

void buf_grow(struct buf *buf, size_t extra)
{
	PRE(extra <= SIZE_MAX / 4 && buf->len <= SIZE_MAX / 4);
	size_t cap = buf->cap ? buf->cap : 64;
	while (cap - buf->len < extra) {
		cap += cap;
	}
	buf->ptr = mem_grow(buf->ptr, cap);
	buf->cap = cap;
}

void buf_format(struct buf *buf, const char *format, ...)
{
	va_list args;
	va_list again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	PRE(len >= 0);
	(void)vsnprintf(buf_reserve(buf, (size_t)len + 1), (size_t)len + 1, format, again);
	va_end(again);
	buf->len += (size_t)len;
}

void buf_uint(struct buf *buf, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	buf_add(buf, digits + at, sizeof digits - at);
}

void buf_int(struct buf *buf, int64_t value)
{
	if (value < 0) {
		buf_byte(buf, '-');
		buf_uint(buf, 0 - (uint64_t)value);
	} else {
		buf_uint(buf, (uint64_t)value);
	}
}

void buf_shrink(struct buf *buf, size_t most)
{
	if (buf->cap > most && buf->len <= most) {
		buf->ptr = mem_grow(buf->ptr, most);
		buf->cap = most;
	}
}

void buf_remove_front(struct buf *buf, size_t len)
{
	PRE(len <= buf->len);
	if (len != 0) {
		memmove(buf->ptr, buf->ptr + len, buf->len - len);
		buf->len -= len;
	}
}
