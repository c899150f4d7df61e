/* This file derives the example file, the manual and JSON from option tables. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/field_print.h"

#include "base/field.h"
#include "base/json.h"

enum { WIDTH = 96 };

static bool is_section(const struct field *field)
{
	return field->kind == FIELD_SECTION ||
	       (field->kind == FIELD_OTHER && field->fields != NULL);
}

static bool is_printed(const struct field *field)
{
	return is_section(field) || (field->kind != FIELD_OTHER && field->kind != FIELD_RESERVED);
}

static void print_indent(int indent, struct buf *out)
{
	for (int i = 0; i < indent; i++) {
		buf_byte(out, ' ');
	}
}

/* Breaks text into lines of at most WIDTH columns, each behind indent and mark. */
static void print_wrapped(struct span text, int indent, const char *mark, struct buf *out)
{
	size_t room = WIDTH - (size_t)indent - strlen(mark);
	while (text.len != 0) {
		size_t len = text.len;
		if (len > room) {
			len = room;
			while (len > 1 && text.ptr[len] != ' ') {
				len--;
			}
		}
		print_indent(indent, out);
		buf_format(out, "%s%.*s\n", mark, (int)len, text.ptr);
		size_t skip = len < text.len ? len + 1 : len;
		text = span_make(text.ptr + skip, text.len - skip);
	}
}

/* The sentence, and in a second one the bounds. */
static void describe(const struct field *field, struct buf *out)
{
	buf_add(out, field->help, strlen(field->help));
	if (!is_section(field)) {
		buf_byte(out, ' ');
		size_t before = out->len;
		field_bounds(field, out);
		out->len -= out->len == before;
	}
	if (field->change == FIELD_RESTART) {
		BUF_LITERAL(out, " Needs a restart.");
	}
}

static const char *default_text(const struct field *field)
{
	switch (field->kind) {
	case FIELD_STRINGS:
		return field->otherwise ? field->otherwise : "[]";
	case FIELD_MAP:
		return "{}";
	default:
		return field->otherwise;
	}
}

static void print_row(const struct field *field, int indent, struct buf *out)
{
	const char *text = default_text(field);
	print_indent(indent, out);
	if (text == NULL) {
		buf_format(out, "#%s:\n", field->name);
	} else if (text[0] == 0) {
		buf_format(out, "%s: \"\"\n", field->name);
	} else {
		buf_format(out, "%s: %s\n", field->name, text);
	}
}

void field_print_yaml(const struct field *fields, int indent, struct buf *out)
{
	for (const struct field *field = fields; field->name != NULL; field++) {
		if (!is_printed(field)) {
			continue;
		}
		if (indent == 0) {
			buf_byte(out, '\n');
		}
		struct buf help = {0};
		describe(field, &help);
		print_wrapped(buf_view(&help), indent, "# ", out);
		buf_free(&help);
		if (is_section(field)) {
			print_indent(indent, out);
			buf_format(out, "%s:\n", field->name);
			field_print_yaml(field->fields, indent + 2, out);
		} else {
			print_row(field, indent, out);
		}
	}
}

void field_print_text(const struct field *fields, const char *prefix, struct buf *out)
{
	for (const struct field *field = fields; field->name != NULL; field++) {
		if (!is_printed(field)) {
			continue;
		}
		if (is_section(field)) {
			struct buf name = {0};
			buf_format(&name, "%s%s.", prefix, field->name);
			buf_byte(&name, 0);
			field_print_text(field->fields, name.ptr, out);
			buf_free(&name);
			continue;
		}
		const char *text = default_text(field);
		buf_format(out, "%s%s%s%s\n", prefix, field->name, text ? ": " : "",
		           text ? text : "");
		struct buf help = {0};
		describe(field, &help);
		print_wrapped(buf_view(&help), 4, "", out);
		buf_free(&help);
	}
}

static void write_strings(const struct field_strings *strings, struct buf *out)
{
	buf_byte(out, '[');
	for (size_t i = 0; i < strings->count; i++) {
		if (i != 0) {
			buf_byte(out, ',');
		}
		json_write_string(out, span_of(strings->items[i]));
	}
	buf_byte(out, ']');
}

void field_print_value(const struct field *field, const void *slot, struct buf *out)
{
	if (field->kind == FIELD_STRINGS) {
		write_strings(slot, out);
	} else {
		field_print_scalar(field, slot, out);
	}
}

static void write_map(const struct field_map *map, struct buf *out)
{
	buf_byte(out, '{');
	for (size_t i = 0; i < map->count; i++) {
		if (i != 0) {
			buf_byte(out, ',');
		}
		json_write_string(out, span_of(map->pairs[i].name));
		buf_byte(out, ':');
		json_write_string(out, span_of(map->pairs[i].value));
	}
	buf_byte(out, '}');
}

static void write_value(const struct field *field, const void *slot, struct buf *out)
{
	switch (field->kind) {
	case FIELD_BOOL:
		json_write_member_bool(out, field->name, *(const bool *)slot);
		break;
	case FIELD_INT:
	case FIELD_SIZE:
	case FIELD_DURATION:
		json_write_member_int(out, field->name, *(const int64_t *)slot);
		break;
	case FIELD_DECIMAL:
		json_write_name(out, field->name);
		field_print_thousandths(*(const int64_t *)slot, out);
		break;
	case FIELD_ENUM:
		json_write_member_string(out, field->name,
		                         span_of(field->words[*(const int *)slot]));
		break;
	case FIELD_STRING:
		if (*(char *const *)slot != NULL) {
			json_write_member_string(out, field->name, span_of(*(char *const *)slot));
		}
		break;
	case FIELD_STRINGS:
		json_write_name(out, field->name);
		write_strings(slot, out);
		break;
	case FIELD_MAP:
		json_write_name(out, field->name);
		write_map(slot, out);
		break;
	case FIELD_SECTION:
		json_write_name(out, field->name);
		field_write_json(field->fields, slot, out);
		break;
	default:
		break;
	}
}

void field_write_json(const struct field *fields, const void *data, struct buf *out)
{
	buf_byte(out, '{');
	for (const struct field *field = fields; field->name != NULL; field++) {
		write_value(field, (const char *)data + field->offset, out);
	}
	buf_byte(out, '}');
}
