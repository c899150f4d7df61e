/* This file knows what a terminal shows: how wide a text is, what would steer it, and colours. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/terminal.h"

#include "base/utf8_char.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

static const char *const colors[] = {
        [TERMINAL_PLAIN] = "",          [TERMINAL_RED] = "\033[31m", [TERMINAL_GREEN] = "\033[32m",
        [TERMINAL_YELLOW] = "\033[33m", [TERMINAL_BOLD] = "\033[1m",
};

bool terminal_has_color(const char *wish)
{
	const char *none = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	if (wish != NULL && strcmp(wish, "auto") != 0) {
		return strcmp(wish, "always") == 0;
	}
	return isatty(STDOUT_FILENO) && (none == NULL || none[0] == '\0') &&
	       (term == NULL || strcmp(term, "dumb") != 0);
}

size_t terminal_width(void)
{
	struct winsize size = {0};
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* ---- characters ---- */

/* The character at the beginning of the text, which is not empty, and its bytes; 0 bytes: these are
 * no UTF-8. */
static size_t next_character(struct span text, uint32_t *out)
{
	const unsigned char *at = (const unsigned char *)text.ptr;
	size_t len = utf8_char_len(text.ptr, text.ptr + text.len);
	*out = len > 1 ? at[0] & (0x7fU >> len) : at[0];
	for (size_t i = 1; i < len; i++) {
		*out = *out << 6 | (at[i] & 0x3fU);
	}
	return len;
}

/* Would it steer the terminal, or change the order of what stands around it? */
static bool is_steering(uint32_t character)
{
	return character < ' ' || (character >= 0x7f && character < 0xa0) || character == 0x061c ||
	       character == 0x200e || character == 0x200f ||
	       (character >= 0x2028 && character <= 0x202e) ||
	       (character >= 0x2066 && character <= 0x2069) || character == 0xfeff;
}

static size_t columns_of(uint32_t character)
{
	int columns = character < 0x7f ? 1 : wcwidth((wchar_t)character);
	return columns < 0 ? 1 : (size_t)columns;
}

size_t terminal_fit(struct span text, size_t columns)
{
	size_t at = 0;
	size_t used = 0;
	while (at < text.len) {
		uint32_t character;
		size_t len = next_character(span_make(text.ptr + at, text.len - at), &character);
		used += len != 0 ? columns_of(character) : 1;
		if (used > columns) {
			break;
		}
		at += len != 0 ? len : 1;
	}
	return at;
}

size_t terminal_columns(struct span text)
{
	size_t columns = 0;
	for (size_t at = 0; at < text.len;) {
		uint32_t character;
		size_t len = next_character(span_make(text.ptr + at, text.len - at), &character);
		columns += len != 0 ? columns_of(character) : 1;
		at += len != 0 ? len : 1;
	}
	return columns;
}

void terminal_write_safe(struct span text, struct buf *out)
{
	for (size_t at = 0; at < text.len;) {
		uint32_t character;
		size_t len = next_character(span_make(text.ptr + at, text.len - at), &character);
		if (len == 0) {
			buf_format(out, "\\x%02x", (unsigned char)text.ptr[at]);
			len = 1;
		} else if (is_steering(character)) {
			buf_format(out, "\\u%04x", (unsigned)character);
		} else {
			buf_add(out, text.ptr + at, len);
		}
		at += len;
	}
}

void terminal_write(struct span text, enum terminal_color color, bool has_color, struct buf *out)
{
	bool is_colored = has_color && color != TERMINAL_PLAIN;
	buf_span(out, is_colored ? span_of(colors[color]) : SPAN(""));
	buf_span(out, text);
	buf_span(out, is_colored ? SPAN("\033[0m") : SPAN(""));
}
