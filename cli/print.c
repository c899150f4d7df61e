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
	size_t width;
};

static size_t parse_columns(const char *text, struct column columns[COLUMNS_MAX])
{
	size_t count = 0;
	while (*text != '\0' && count < COLUMNS_MAX) {
		size_t len = strcspn(text, " ");
		size_t colon = strcspn(text, ":");
		columns[count].title = span_make(text, colon);
		columns[count].member = span_make(text + colon + 1, len - colon - 1);
		columns[count].width = colon;
		count++;
		text += len;
		text += *text == ' ';
	}
	return count;
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
		json_compact(value, out);
	}
	for (size_t i = 0; i < out->len; i++) {
		if ((unsigned char)out->ptr[i] < 0x20) {
			out->ptr[i] = ' ';
		}
	}
	if (out->len == 0) {
		buf_byte(out, '-');
	}
	if (out->len > CELL_MAX) {
		size_t len = CELL_MAX - 3;
		while (len > 0 && ((unsigned char)out->ptr[len] & 0xc0) == 0x80) {
			len--; /* not in the middle of a character */
		}
		out->len = len;
		BUF_LITERAL(out, "...");
	}
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

void print_table(struct span array, const char *spec)
{
	struct column columns[COLUMNS_MAX];
	size_t count = parse_columns(spec, columns);
	struct buf text = {0};
	struct span item;
	for (struct json_iter iter = json_iter(array); json_next_item(&iter, &item);) {
		for (size_t i = 0; i < count; i++) {
			cell(item, &columns[i], &text);
			columns[i].width =
			        text.len > columns[i].width ? text.len : columns[i].width;
		}
	}
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
