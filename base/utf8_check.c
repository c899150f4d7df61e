/* This file checks that text is UTF-8 although it comes in pieces. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8_check.h"

#include "base/json_scan.h"

/* The first byte of a character of several: how many follow, and the range of the next (RFC 3629,
 * section 4). */
static bool open_character(struct utf8_check *check, unsigned char lead)
{
	if (lead < 0xc2 || lead > 0xf4) {
		return false;
	}
	check->missing = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
	check->low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	check->high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	return true;
}

bool utf8_check_feed(struct utf8_check *check, struct span piece)
{
	if (piece.len == 0) {
		return true; /* its pointer may be none */
	}
	const unsigned char *at = (const unsigned char *)piece.ptr;
	const unsigned char *end = at + piece.len;
	while (at < end) {
		if (check->missing == 0) {
			at = (const unsigned char *)json_scan_not_ascii((const char *)at,
			                                                (const char *)end);
			if (at == end) {
				return true;
			}
			if (!open_character(check, *at++)) {
				return false;
			}
			continue;
		}
		if (*at < check->low || *at > check->high) {
			return false;
		}
		check->missing--;
		check->low = 0x80;
		check->high = 0xbf;
		at++;
	}
	return true;
}
