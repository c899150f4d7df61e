/* This file knows what a terminal shows: how wide a text is, what would steer it, and colours. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>

enum terminal_color {
	TERMINAL_PLAIN,
	TERMINAL_RED,
	TERMINAL_GREEN,
	TERMINAL_YELLOW,
	TERMINAL_BOLD
};

/* Are there colours on the standard output? `wish` is "auto", "always" or "never". */
bool terminal_has_color(const char *wish);
/* Its columns; 0: it is no terminal. */
size_t terminal_width(void);

/* Columns that a text takes, without control characters in it. Bytes that are no UTF-8 take one. */
size_t terminal_columns(struct span text);
/* The bytes of `text` that fit into so many columns: whole characters only. */
size_t terminal_fit(struct span text, size_t columns);

/* Appends a text in which nothing steers a terminal: controls (C0, DEL, C1), bidirectional
 * overrides and bytes that are no UTF-8 stand as \u001b, \xff; line breaks and tabs too. */
void terminal_write_safe(struct span text, struct buf *out);
/* Appends the text in a colour, if there are any. */
void terminal_write(struct span text, enum terminal_color color, bool has_color, struct buf *out);

#endif
