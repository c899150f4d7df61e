/* This file narrows ranges of state keys. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/key_range.h"

void key_range_close(struct key_range *range)
{
	buf_free(&range->start);
	buf_free(&range->end);
}

static void replace(struct buf *bound, struct span text)
{
	buf_clear(bound);
	buf_span(bound, text);
}

void key_range_from(struct key_range *range, struct span start)
{
	if (span_compare(start, buf_view(&range->start)) > 0) {
		replace(&range->start, start);
	}
}

void key_range_until(struct key_range *range, struct span end)
{
	if (end.len != 0 && (range->end.len == 0 || span_compare(end, buf_view(&range->end)) < 0)) {
		replace(&range->end, end);
	}
}

/* Keys are UTF-8: no byte is 0xff, so right behind all keys with a prefix is the prefix with its
 * last byte one higher. */
void key_range_within(struct key_range *range, struct span prefix)
{
	if (prefix.len == 0) {
		return;
	}
	struct buf edge = {0};
	buf_span(&edge, prefix);
	edge.ptr[edge.len - 1]++;
	key_range_from(range, prefix);
	key_range_until(range, buf_view(&edge));
	buf_free(&edge);
}

/* Keys hold no byte 0: right behind a key is the key with one. */
void key_range_behind(struct key_range *range, struct span key)
{
	struct buf edge = {0};
	buf_span(&edge, key);
	buf_byte(&edge, '\0');
	key_range_from(range, buf_view(&edge));
	buf_free(&edge);
}

bool key_range_is_empty(const struct key_range *range)
{
	return range->end.len != 0 &&
	       span_compare(buf_view(&range->start), buf_view(&range->end)) >= 0;
}

struct adapter_range key_range_view(const struct key_range *range, struct span scope)
{
	return (struct adapter_range){
	        .space = SPACE_STATE,
	        .part = scope,
	        .start = range->start.len != 0 ? buf_view(&range->start) : SPAN_NONE,
	        .end = range->end.len != 0 ? buf_view(&range->end) : SPAN_NONE};
}
