/* This file lays answers out for a terminal. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS_MAX = 16, CELL_MAX = 60 };

struct column {
	struct span title;
	struct span member;
	struct span
	        first; /* member of the cell's object that stands before the others; or absent */
	size_t width;
	size_t most; /* bytes of a cell */
};

static struct span until_colon(const char **text)
{
	size_t len = strcspn(*text, ": ");
	struct span word = span_make(*text, len);
	*text += len + ((*text)[len] == ':');
	return word;
}

static size_t parse_columns(const char *text, bool wide, struct column columns[COLUMNS_MAX])
{
	size_t count = 0;
	while (*text != '\0' && count < COLUMNS_MAX) {
		struct column *column = &columns[count++];
		column->title = until_colon(&text);
		column->member = until_colon(&text);
		column->first = until_colon(&text);
		column->width = column->title.len;
		column->most = wide ? SIZE_MAX : CELL_MAX;
		text += *text == ' ';
	}
	return count;
}

/* The object with one of its members before the others. */
static void write_first(struct span object, struct span first, struct buf *out)
{
	struct span value;
	struct span name;
	const char *comma = "";
	bool has_first = first.len != 0 && json_kind(object) == JSON_OBJECT &&
	                 json_get(object, first, &value);
	if (!has_first) {
		json_compact(object, out);
		return;
	}
	for (int others = 0; others < 2; others++) {
		for (struct json_iter iter = json_iter(object);
		     json_next_member(&iter, &name, &value);) {
			if (span_equal(name, first) == (others == 0)) {
				buf_format(out, "%s\"%.*s\":", *comma ? comma : "{",
				           SPAN_ARG(name));
				json_compact(value, out);
				comma = ",";
			}
		}
	}
	buf_byte(out, '}');
}

static void cut(struct buf *out, size_t most)
{
	if (out->len <= most) {
		return;
	}
	size_t len = most - 3;
	while (len > 0 && ((unsigned char)out->ptr[len] & 0xc0) == 0x80) {
		len--; /* not in the middle of a character */
	}
	out->len = len;
	BUF_LITERAL(out, "...");
}

/* What a cell shows: text without quotes and control characters, other values compact. */
static void cell(struct span object, const struct column *column, struct buf *out)
{
	struct span value;
	buf_clear(out);
	if (!json_get(object, column->member, &value) || json_is_null(value)) {
		buf_byte(out, '-');
	} else if (json_kind(value) == JSON_STRING) {
		json_string(value, out);
	} else {
		write_first(value, column->first, out);
	}
	for (size_t i = 0; i < out->len; i++) {
		if ((unsigned char)out->ptr[i] < 0x20) {
			out->ptr[i] = ' ';
		}
	}
	if (out->len == 0) {
		buf_byte(out, '-');
	}
	cut(out, column->most);
}

static void print_row(struct span object, const struct column columns[], size_t count,
                      struct buf *text)
{
	for (size_t i = 0; i < count; i++) {
		if (object.ptr != NULL) {
			cell(object, &columns[i], text);
		} else {
			buf_clear(text);
			buf_span(text, columns[i].title);
		}
		bool last = i + 1 == count;
		printf("%.*s%*s%s", SPAN_ARG(buf_view(text)),
		       last ? 0 : (int)(columns[i].width - text->len), "", last ? "\n" : "  ");
	}
}

/* The last column may fill the line of a terminal. */
static void widen(struct column columns[], size_t count)
{
	struct winsize size = {0};
	size_t used = 0;
	for (size_t i = 0; i + 1 < count; i++) {
		used += columns[i].width + 2;
	}
	if (count != 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
	    size.ws_col > used + CELL_MAX && columns[count - 1].most == CELL_MAX) {
		columns[count - 1].most = size.ws_col - used;
	}
}

void print_table(struct span array, const char *spec, bool wide)
{
	struct column columns[COLUMNS_MAX];
	size_t count = parse_columns(spec, wide, columns);
	struct buf text = {0};
	struct span item;
	for (struct json_iter iter = json_iter(array); json_next_item(&iter, &item);) {
		for (size_t i = 0; i < count; i++) {
			cell(item, &columns[i], &text);
			columns[i].width =
			        text.len > columns[i].width ? text.len : columns[i].width;
		}
	}
	widen(columns, count);
	print_row(SPAN_NONE, columns, count, &text);
	for (struct json_iter iter = json_iter(array); json_next_item(&iter, &item);) {
		print_row(item, columns, count, &text);
	}
	buf_free(&text);
}

static void new_line(struct buf *out, size_t level)
{
	buf_byte(out, '\n');
	for (size_t i = 0; i < level; i++) {
		BUF_LITERAL(out, "  ");
	}
}

static void indent(struct span compact, struct buf *out)
{
	size_t level = 0;
	bool in_string = false;
	for (size_t i = 0; i < compact.len; i++) {
		char byte = compact.ptr[i];
		char next = i + 1 < compact.len ? compact.ptr[i + 1] : '\0';
		if (in_string || byte == '"') {
			in_string = byte == '"' ? !in_string : in_string;
			buf_byte(out, byte);
			if (byte == '\\') {
				buf_byte(out, next);
				i++;
			}
		} else if ((byte == '{' && next == '}') || (byte == '[' && next == ']')) {
			buf_byte(out, byte);
			buf_byte(out, next);
			i++;
		} else if (byte == '{' || byte == '[') {
			buf_byte(out, byte);
			new_line(out, ++level);
		} else if (byte == '}' || byte == ']') {
			new_line(out, --level);
			buf_byte(out, byte);
		} else {
			buf_byte(out, byte);
			if (byte == ',') {
				new_line(out, level);
			} else if (byte == ':') {
				buf_byte(out, ' ');
			}
		}
	}
}

void print_json(struct span value)
{
	struct buf compact = {0};
	struct buf text = {0};
	json_compact(value, &compact);
	indent(buf_view(&compact), &text);
	printf("%.*s\n", SPAN_ARG(buf_view(&text)));
	buf_free(&compact);
	buf_free(&text);
}

void print_problem(struct span problem)
{
	struct span found[3] = {SPAN_NONE, SPAN_NONE, SPAN_NONE};
	static const struct span names[3] = {{"detail", 6}, {"code", 4}, {"agent_instruction", 17}};
	if (json_check_object(problem, names, 3, found, NULL) != 0 || found[0].ptr == NULL) {
		(void)fprintf(stderr, "pawl: the engine answered: %.*s\n", SPAN_ARG(problem));
		return;
	}
	struct buf text = {0};
	BUF_LITERAL(&text, "pawl: ");
	json_string(found[0], &text);
	if (found[1].ptr != NULL) {
		BUF_LITERAL(&text, " (");
		json_string(found[1], &text);
		BUF_LITERAL(&text, ")");
	}
	if (found[2].ptr != NULL) {
		BUF_LITERAL(&text, "\n      ");
		json_string(found[2], &text);
	}
	(void)fprintf(stderr, "%.*s\n", SPAN_ARG(buf_view(&text)));
	buf_free(&text);
}
