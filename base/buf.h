/* This file defines a byte buffer that grows. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/span.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* All zero is an empty buffer. `ptr` moves when the buffer grows: keep offsets, not pointers. */
struct buf {
	char *ptr;
	size_t len;
	size_t cap;
};

void buf_free(struct buf *buf);               /* the memory; the buffer is empty again */
void buf_grow(struct buf *buf, size_t extra); /* what buf_reserve does when there is no room */
void buf_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_uint(struct buf *buf, uint64_t value); /* in decimal */
void buf_int(struct buf *buf, int64_t value);
void buf_shrink(struct buf *buf, size_t most); /* gives memory back when cap is over `most` */
void buf_remove_front(struct buf *buf, size_t len);

static inline void buf_clear(struct buf *buf)
{
	buf->len = 0;
}

/* Room behind len for `extra` bytes. */
static inline char *buf_reserve(struct buf *buf, size_t extra)
{
	if (buf->cap - buf->len < extra) {
		buf_grow(buf, extra);
	}
	return buf->len ? buf->ptr + buf->len : buf->ptr; /* no sum with NULL */
}

static inline void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (len != 0) {
		memcpy(buf_reserve(buf, len), bytes, len);
		buf->len += len;
	}
}

static inline void buf_byte(struct buf *buf, char byte)
{
	if (buf->len == buf->cap) {
		(void)buf_reserve(buf, 1);
	}
	buf->ptr[buf->len++] = byte;
}

static inline void buf_span(struct buf *buf, struct span span)
{
	buf_add(buf, span.ptr, span.len);
}

#define BUF_LITERAL(buf, literal) buf_add((buf), (literal), sizeof(literal) - 1)

static inline struct span buf_view(const struct buf *buf)
{
	return (struct span){buf->ptr ? buf->ptr : "", buf->len};
}

#endif
