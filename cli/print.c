/* This file lays answers out for a terminal. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/relative.h"
#include "cli/terminal.h"
#include <stdio.h>

enum { COLUMNS_MAX = 16, CELL_MAX = 60, CELL_LEAST = 8, GAP = 2 };

struct column {
	struct span title;
	struct span member;
	struct span mark; /* "@time", "@state", or the member of the cell's object that stands
	                   * before the others; may be absent */
	size_t natural;   /* what its widest cell takes */
	size_t width;
};

static const struct {
	const char *word;
	enum terminal_color color;
} states[] = {
        {"live", TERMINAL_GREEN},      {"ok", TERMINAL_GREEN},        {"running", TERMINAL_GREEN},
        {"available", TERMINAL_GREEN}, {"connected", TERMINAL_GREEN}, {"lagging", TERMINAL_YELLOW},
        {"waiting", TERMINAL_YELLOW},  {"sleeping", TERMINAL_YELLOW}, {"parked", TERMINAL_YELLOW},
        {"draining", TERMINAL_YELLOW}, {"unbound", TERMINAL_YELLOW},  {"paused", TERMINAL_RED},
        {"failed", TERMINAL_RED},      {"dead", TERMINAL_RED},
};

static struct span until_colon(const char **text)
{
	size_t len = strcspn(*text, ": ");
	struct span word = span_make(*text, len);
	*text += len + ((*text)[len] == ':');
	return word;
}

static size_t parse_columns(const char *text, struct column columns[COLUMNS_MAX])
{
	size_t count = 0;
	while (*text != '\0' && count < COLUMNS_MAX) {
		struct column *column = &columns[count++];
		column->title = until_colon(&text);
		column->member = until_colon(&text);
		column->mark = until_colon(&text);
		column->natural = column->title.len;
		column->width = 0;
		text += *text == ' ';
	}
	return count;
}

bool print_has_times(const char *columns)
{
	return strstr(columns, ":@time") != NULL;
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

/* Nothing in it steers a terminal, and it stands on one line. */
static void make_safe(struct buf *out)
{
	struct buf text = {0};
	for (size_t i = 0; i < out->len; i++) {
		bool is_space = out->ptr[i] == '\n' || out->ptr[i] == '\t' || out->ptr[i] == '\r';
		out->ptr[i] = is_space ? ' ' : out->ptr[i];
	}
	terminal_write_safe(buf_view(out), &text);
	buf_free(out);
	*out = text;
}

/* What a cell shows: text without quotes, times, other values compact. */
static void write_cell(struct span object, const struct column *column,
                       const struct print_style *style, struct buf *out)
{
	struct span value;
	int64_t at_ms;
	buf_clear(out);
	if (!json_get(object, column->member, &value) || json_is_null(value)) {
		buf_byte(out, '-');
	} else if (span_is(column->mark, "@time") && relative_read(value, &at_ms)) {
		if (style->now_ms != 0) {
			relative_write(at_ms, style->now_ms, out);
		} else {
			relative_write_exact(at_ms, out);
		}
	} else if (json_kind(value) == JSON_STRING) {
		json_string(value, out);
	} else {
		write_first(value, column->mark, out);
	}
	make_safe(out);
	if (out->len == 0) {
		buf_byte(out, '-');
	}
}

static void cut(struct buf *out, size_t width)
{
	if (terminal_columns(buf_view(out)) > width) {
		out->len = terminal_fit(buf_view(out), width > 3 ? width - 3 : 0);
		BUF_LITERAL(out, "...");
	}
}

static enum terminal_color color_of(const struct column *column, struct span cell)
{
	for (size_t i = 0; span_is(column->mark, "@state") && i < sizeof states / sizeof *states;
	     i++) {
		if (span_is(cell, states[i].word)) {
			return states[i].color;
		}
	}
	return TERMINAL_PLAIN;
}

/* The titles where the object is absent. */
static void print_row(struct span object, const struct column columns[], size_t count,
                      const struct print_style *style)
{
	struct buf line = {0};
	struct buf text = {0};
	for (size_t i = 0; i < count; i++) {
		const struct column *column = &columns[i];
		enum terminal_color color = TERMINAL_BOLD;
		buf_clear(&text);
		if (object.ptr != NULL) {
			write_cell(object, column, style, &text);
			color = color_of(column, buf_view(&text));
		} else {
			buf_span(&text, column->title);
		}
		cut(&text, column->width);
		size_t used = terminal_columns(buf_view(&text));
		terminal_write(buf_view(&text), color, style->color, &line);
		if (i + 1 < count) {
			buf_format(&line, "%*s", (int)(column->width - used + GAP), "");
		}
	}
	buf_byte(&line, '\n');
	(void)fwrite(line.ptr, 1, line.len, stdout);
	buf_free(&line);
	buf_free(&text);
}

static size_t sum_widths(const struct column columns[], size_t count)
{
	size_t sum = 0;
	for (size_t i = 0; i < count; i++) {
		sum += columns[i].width + (i + 1 < count ? GAP : 0);
	}
	return sum;
}

/* The widest column that can still be cut; NULL: there is none. */
static struct column *widest(struct column columns[], size_t count)
{
	struct column *found = NULL;
	for (size_t i = 0; i < count; i++) {
		bool may = columns[i].width > CELL_LEAST && columns[i].width > columns[i].title.len;
		if (may && (found == NULL || columns[i].width >= found->width)) {
			found = &columns[i];
		}
	}
	return found;
}

static void choose_widths(struct column columns[], size_t count, const struct print_style *style)
{
	for (size_t i = 0; i < count; i++) {
		size_t most = style->wide ? SIZE_MAX : CELL_MAX;
		columns[i].width = columns[i].natural < most ? columns[i].natural : most;
	}
	if (style->wide || style->columns == 0 || count == 0) {
		return;
	}
	struct column *last = &columns[count - 1];
	size_t used = sum_widths(columns, count) - last->width;
	size_t left = used < style->columns ? style->columns - used : 0;
	last->width = last->natural < left ? last->natural : last->width;
	if (last->natural > left && left > CELL_MAX) {
		last->width = left;
	}
	for (struct column *column; sum_widths(columns, count) > style->columns &&
	                            (column = widest(columns, count)) != NULL;) {
		column->width--;
	}
}

void print_table(struct span array, const char *spec, const struct print_style *style)
{
	struct column columns[COLUMNS_MAX];
	size_t count = parse_columns(spec, columns);
	struct buf text = {0};
	struct span item;
	for (struct json_iter iter = json_iter(array); json_next_item(&iter, &item);) {
		for (size_t i = 0; i < count; i++) {
			write_cell(item, &columns[i], style, &text);
			size_t width = terminal_columns(buf_view(&text));
			columns[i].natural =
			        width > columns[i].natural ? width : columns[i].natural;
		}
	}
	choose_widths(columns, count, style);
	print_row(SPAN_NONE, columns, count, style);
	for (struct json_iter iter = json_iter(array); json_next_item(&iter, &item);) {
		print_row(item, columns, count, style);
	}
	buf_free(&text);
}

/* ---- JSON ---- */

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
	struct buf safe = {0};
	json_compact(value, &compact);
	terminal_write_safe(buf_view(&compact), &safe); /* escapes that JSON has, too */
	indent(buf_view(&safe), &text);
	printf("%.*s\n", SPAN_ARG(buf_view(&text)));
	buf_free(&compact);
	buf_free(&safe);
	buf_free(&text);
}

void print_problem(struct span problem)
{
	struct span found[3] = {SPAN_NONE, SPAN_NONE, SPAN_NONE};
	static const struct span names[3] = {{"detail", 6}, {"code", 4}, {"agent_instruction", 17}};
	if (json_check_object(problem, names, 3, found, NULL) != 0 || found[0].ptr == NULL) {
		struct buf shown = {0};
		terminal_write_safe(problem, &shown);
		(void)fprintf(stderr, "pawl: the engine answered: %.*s\n",
		              SPAN_ARG(buf_view(&shown)));
		buf_free(&shown);
		return;
	}
	struct buf text = {0};
	struct buf safe = {0};
	json_string(found[0], &text);
	if (found[1].ptr != NULL) {
		BUF_LITERAL(&text, " (");
		json_string(found[1], &text);
		BUF_LITERAL(&text, ")");
	}
	BUF_LITERAL(&safe, "pawl: ");
	terminal_write_safe(buf_view(&text), &safe);
	if (found[2].ptr != NULL) {
		buf_clear(&text);
		json_string(found[2], &text);
		BUF_LITERAL(&safe, "\n      ");
		terminal_write_safe(buf_view(&text), &safe);
	}
	(void)fprintf(stderr, "%.*s\n", SPAN_ARG(buf_view(&safe)));
	buf_free(&text);
	buf_free(&safe);
}
