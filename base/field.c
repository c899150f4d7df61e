/* This file fills a struct from a mapping, row by row, and frees it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/field.h"

#include "base/mem.h"
#include "base/yaml_json.h"
#include <stdio.h>

static void *slot_of(const struct field *field, void *data)
{
	return (char *)data + field->offset;
}

/* What the file says about a value, for a message; what the environment said stays unsaid. */
static void refuse_value(const struct field *field, const struct yaml_node *node,
                         struct report *report)
{
	struct buf wanted = {0};
	field_expectation(field, &wanted);
	if (node->kind != YAML_SCALAR) {
		report_add(report, node->line, node->column, "invalid_value",
		           "'%s' must be %.*s, not %s", field->name, (int)wanted.len, wanted.ptr,
		           yaml_kind_name(node));
	} else if (node->expanded) {
		report_add(report, node->line, node->column, "invalid_value",
		           "'%s' must be %.*s; what its variable says is not", field->name,
		           (int)wanted.len, wanted.ptr);
	} else {
		report_add(report, node->line, node->column, "invalid_value",
		           "'%s' must be %.*s, not '%.*s'", field->name, (int)wanted.len,
		           wanted.ptr, (int)(node->text.len < 64 ? node->text.len : 64),
		           node->text.ptr);
	}
	buf_free(&wanted);
}

static void refuse_later(const char *what, const char *help, uint32_t line, uint32_t column,
                         struct report *report)
{
	report_add(report, line, column, "not_available", "'%s' is not available yet%s%s%s", what,
	           help ? " (" : "", help ? help : "", help ? ")" : "");
}

static bool is_later(const struct field *field, const struct yaml_node *node)
{
	for (size_t i = 0; field->later != NULL && field->later[i] != NULL; i++) {
		if (span_is(node->text, field->later[i])) {
			return true;
		}
	}
	return false;
}

static void read_scalar(const struct field *field, const struct yaml_node *node, void *data,
                        struct report *report)
{
	if (yaml_is_null(node)) {
		report_add(report, node->line, node->column, "invalid_value",
		           "'%s' has no value; leave the line out for the default", field->name);
	} else if (node->kind != YAML_SCALAR) {
		refuse_value(field, node, report);
	} else if (is_later(field, node)) {
		char word[64];
		(void)snprintf(word, sizeof word, "%s: %.40s", field->name, node->text.ptr);
		refuse_later(word, NULL, node->line, node->column, report);
	} else if (!field_parse(field, node->text, slot_of(field, data))) {
		refuse_value(field, node, report);
	}
}

static bool is_text(const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR && !yaml_is_null(node) &&
	       node->text.len <= FIELD_TEXT_MAX &&
	       memchr(node->text.ptr, 0, node->text.len) == NULL;
}

/* Empty (`http:` with every line below it commented out) means the same as absent. */
static bool has_children(const struct field *field, const struct yaml_node *node,
                         enum yaml_kind kind, struct report *report)
{
	if (yaml_is_null(node) && field->min == 0) {
		return false;
	}
	if (node->kind != kind) {
		refuse_value(field, node, report);
		return false;
	}
	if (kind != YAML_MAPPING || field->kind == FIELD_MAP) {
		size_t most = field->max != 0 ? (size_t)field->max : FIELD_ITEMS_MAX;
		if (node->count > most || node->count < (size_t)field->min) {
			refuse_value(field, node, report);
			return false;
		}
	}
	return true;
}

static void refuse_item(const struct field *field, const struct yaml_node *node,
                        struct report *report)
{
	report_add(report, node->line, node->column, "invalid_value",
	           "an item of '%s' must be text of at most %d bytes", field->name, FIELD_TEXT_MAX);
}

static void read_strings(const struct field *field, const struct yaml_node *node, void *data,
                         struct report *report)
{
	if (!has_children(field, node, YAML_SEQUENCE, report)) {
		return;
	}
	struct field_strings *strings = slot_of(field, data);
	strings->items = MEM_ARRAY(char *, node->count + 1);
	for (size_t i = 0; i < node->count; i++) {
		if (is_text(node->items[i])) {
			struct span text = node->items[i]->text;
			strings->items[strings->count++] = mem_copy(text.ptr, text.len);
		} else {
			refuse_item(field, node->items[i], report);
		}
	}
}

static void read_map(const struct field *field, const struct yaml_node *node, void *data,
                     struct report *report)
{
	if (!has_children(field, node, YAML_MAPPING, report)) {
		return;
	}
	struct field_map *map = slot_of(field, data);
	map->pairs = MEM_ARRAY(struct field_pair, node->count + 1);
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_entry *entry = &node->entries[i];
		bool has_name = entry->key.len != 0 && entry->key.len <= FIELD_TEXT_MAX &&
		                memchr(entry->key.ptr, 0, entry->key.len) == NULL;
		if (has_name && is_text(entry->value)) {
			struct span text = entry->value->text;
			map->pairs[map->count++] =
			        (struct field_pair){mem_copy(entry->key.ptr, entry->key.len),
			                            mem_copy(text.ptr, text.len)};
		} else {
			refuse_item(field, entry->value, report);
		}
	}
}

static void read_one(const struct field *field, const struct yaml_entry *entry, void *data,
                     struct report *report)
{
	switch (field->kind) {
	case FIELD_STRINGS:
		read_strings(field, entry->value, data, report);
		break;
	case FIELD_MAP:
		read_map(field, entry->value, data, report);
		break;
	case FIELD_SECTION:
		if (has_children(field, entry->value, YAML_MAPPING, report)) {
			field_read(field->fields, entry->value, slot_of(field, data), report);
		} else {
			field_read(field->fields, NULL, slot_of(field, data), report);
		}
		break;
	case FIELD_OTHER:
		break;
	case FIELD_RESERVED:
		refuse_later(field->name, field->help, entry->line, entry->column, report);
		break;
	default:
		read_scalar(field, entry->value, data, report);
	}
}

static void read_absent(const struct field *field, const struct yaml_node *node, void *data,
                        struct report *report)
{
	if (field->required) {
		report_add(report, node ? node->line : 0, node ? node->column : 0, "missing_key",
		           "'%s' is missing", field->name);
	} else if (field->kind == FIELD_SECTION) {
		field_read(field->fields, NULL, slot_of(field, data), report);
	}
}

static void refuse_unknown(const struct field *fields, const struct yaml_entry *entry,
                           struct report *report)
{
	const struct field *near = field_nearest(fields, entry->key);
	report_add(report, entry->line, entry->column, "unknown_key",
	           "there is no option '%.*s' here%s%s%s",
	           (int)(entry->key.len < 64 ? entry->key.len : 64), entry->key.ptr,
	           near ? "; do you mean '" : "", near ? near->name : "", near ? "'?" : "");
}

void field_read(const struct field *fields, const struct yaml_node *node, void *data,
                struct report *report)
{
	for (const struct field *field = fields; field->name != NULL; field++) {
		field_set_default(field, data);
		const struct yaml_entry *entry =
		        node ? yaml_find(node, span_of(field->name)) : NULL;
		if (entry != NULL) {
			read_one(field, entry, data, report);
		} else {
			read_absent(field, node, data, report);
		}
	}
	for (size_t i = 0; node != NULL && i < node->count; i++) {
		if (field_find(fields, node->entries[i].key) == NULL) {
			refuse_unknown(fields, &node->entries[i], report);
		}
	}
}

static void free_strings(struct field_strings *strings)
{
	for (size_t i = 0; i < strings->count; i++) {
		mem_free(strings->items[i]);
	}
	mem_free(strings->items);
	*strings = (struct field_strings){0};
}

static void free_map(struct field_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		mem_free(map->pairs[i].name);
		mem_free(map->pairs[i].value);
	}
	mem_free(map->pairs);
	*map = (struct field_map){0};
}

void field_free(const struct field *fields, void *data)
{
	for (const struct field *field = fields; field->name != NULL; field++) {
		void *slot = slot_of(field, data);
		switch (field->kind) {
		case FIELD_STRING:
			mem_free(*(char **)slot);
			*(char **)slot = NULL;
			break;
		case FIELD_STRINGS:
			free_strings(slot);
			break;
		case FIELD_MAP:
			free_map(slot);
			break;
		case FIELD_SECTION:
			field_free(field->fields, slot);
			break;
		default:
			break;
		}
	}
}
