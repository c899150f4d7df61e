/* This file places a fault in the text of an expression and shows it to people. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/fault.h"

#include <stdarg.h>
#include <stdio.h>

enum { SHOWN_MOST = 100 }; /* bytes of a line that are shown, about */

static bool continues_character(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

static size_t line_start(struct span source, size_t at)
{
	while (at > 0 && source.ptr[at - 1] != '\n') {
		at--;
	}
	return at;
}

static size_t line_end(struct span source, size_t at)
{
	while (at < source.len && source.ptr[at] != '\n' && source.ptr[at] != '\r') {
		at++;
	}
	return at;
}

static void place(struct fault *fault, struct span source, size_t at)
{
	fault->at = at < source.len ? at : source.len;
	fault->line = 1;
	fault->column = 1;
	for (size_t i = 0; i < fault->at; i++) {
		if (source.ptr[i] == '\n') {
			fault->line++;
			fault->column = 1;
		} else if (!continues_character(source.ptr[i])) {
			fault->column++;
		}
	}
}

int fault_set(struct fault *fault, struct span source, size_t at, const char *hint,
              const char *format, ...)
{
	if (fault->text[0] == '\0') {
		place(fault, source, at);
		va_list args;
		va_start(args, format);
		(void)vsnprintf(fault->text, sizeof fault->text, format, args);
		va_end(args);
		(void)snprintf(fault->hint, sizeof fault->hint, "%s", hint ? hint : "");
	}
	return E_INVALID;
}

/* One character, so that it takes one column and cannot steer a terminal. */
static void show_byte(char byte, struct buf *out)
{
	buf_byte(out, (unsigned char)byte < ' ' || byte == 0x7f ? ' ' : byte);
}

/* The part of the line around the place, and the caret under it. */
static void show_line(const struct fault *fault, struct span source, struct buf *out)
{
	size_t from = line_start(source, fault->at);
	size_t to = line_end(source, fault->at);
	bool is_cut = fault->at - from > SHOWN_MOST / 2 && to - from > SHOWN_MOST;
	if (is_cut) {
		from = fault->at - SHOWN_MOST / 2;
		while (from < fault->at && continues_character(source.ptr[from])) {
			from++;
		}
	}
	size_t shown = from;
	BUF_LITERAL(out, "  ");
	buf_span(out, is_cut ? SPAN("...") : SPAN(""));
	while (shown < to &&
	       (shown - from < SHOWN_MOST || continues_character(source.ptr[shown]))) {
		show_byte(source.ptr[shown++], out);
	}
	buf_span(out, shown < to ? SPAN("...\n") : SPAN("\n"));
	BUF_LITERAL(out, "  ");
	buf_span(out, is_cut ? SPAN("   ") : SPAN(""));
	for (size_t i = from; i < fault->at; i++) {
		if (!continues_character(source.ptr[i])) {
			buf_byte(out, ' ');
		}
	}
	buf_byte(out, '^');
}

static void show_sentence(const struct fault *fault, struct buf *out)
{
	buf_format(out, "%s (line %zu, column %zu)%s%s", fault->text, fault->line, fault->column,
	           fault->hint[0] ? "; " : "", fault->hint);
}

void fault_print(const struct fault *fault, struct span source, struct buf *out)
{
	show_sentence(fault, out);
	buf_byte(out, '\n');
	show_line(fault, source, out);
}

int fault_err(const struct fault *fault, struct err *err)
{
	return err_set(err, E_INVALID, "invalid_expression", "%s (line %zu, column %zu)%s%s",
	               fault->text, fault->line, fault->column, fault->hint[0] ? "; " : "",
	               fault->hint);
}
