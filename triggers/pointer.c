/* This file unescapes the segments of a JSON Pointer: "/a~1b/0" is "a/b", then "0". */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/pointer.h"

bool pointer_next(struct span *rest, struct buf *out)
{
	size_t at = 1;
	buf_clear(out);
	for (; at < rest->len && rest->ptr[at] != '/'; at++) {
		char byte = rest->ptr[at];
		if (byte == '~') {
			at++;
			byte = at < rest->len ? rest->ptr[at] : '\0';
			if (byte != '0' && byte != '1') {
				return false;
			}
			byte = byte == '0' ? '~' : '/';
		}
		buf_byte(out, byte);
	}
	*rest = span_make(rest->ptr + at, rest->len - at);
	return true;
}
