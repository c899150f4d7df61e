/* This file knows the options of a scope. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_scopes.h"

#include "base/field.h"
#include "base/field_print.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/yaml_json.h"
#include "engine/core/lifetime.h"
#include "engine/core/state.h"
#include "triggers/glob.h"

enum { SCOPES_MAX = 1000 };

static const struct field scope_fields[] = {
        {.name = "match",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_scope, match),
         .min = 1,
         .max = GLOB_PATTERN_MAX,
         .required = true,
         .help = "The scopes that this is about: a name, or a glob such as cache-*."},
        {.name = "ttl",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct config_scope, ttl),
         .otherwise = "0s",
         .min = 0,
         .max = (int64_t)LIFETIME_MAX_DAYS * 24 * 3600 * 1000,
         .unit = "ms",
         .help = "How long a record lasts whose write does not say it; 0 = for good."},
        {.name = "event_on_noop",
         .kind = FIELD_BOOL,
         .offset = offsetof(struct config_scope, event_on_noop),
         .otherwise = "false",
         .help = "Make an event also of a write that changes nothing."},
        {.name = NULL},
};

static void read_scope(const struct yaml_node *node, struct config *config, struct report *report)
{
	struct config_scope *scope = &config->scopes[config->scope_count];
	struct err err;
	if (node->kind != YAML_MAPPING) {
		report_add(report, node->line, node->column, "invalid_value",
		           "an item of 'scopes' must be a mapping, not %s", yaml_kind_name(node));
		return;
	}
	field_read(scope_fields, node, scope, report);
	config->scope_count++;
	if (scope->match != NULL && glob_check(span_of(scope->match), &err) != 0) {
		const struct yaml_entry *match = yaml_find(node, SPAN("match"));
		report_add(report, match->line, match->column, err.code, "'match': %s", err.text);
	}
}

void config_read_scopes(const struct yaml_node *root, struct config *config, struct report *report)
{
	const struct yaml_entry *entry = yaml_find(root, SPAN("scopes"));
	if (entry == NULL || yaml_is_null(entry->value)) {
		return;
	}
	const struct yaml_node *list = entry->value;
	if (list->kind != YAML_SEQUENCE || list->count > SCOPES_MAX) {
		report_add(report, entry->line, entry->column, "invalid_value",
		           "'scopes' must be a list of at most %d items", SCOPES_MAX);
		return;
	}
	config->scopes = MEM_ARRAY(struct config_scope, list->count + 1);
	for (size_t i = 0; i < list->count; i++) {
		read_scope(list->items[i], config, report);
	}
}

void config_free_scopes(struct config *config)
{
	for (size_t i = 0; i < config->scope_count; i++) {
		field_free(scope_fields, &config->scopes[i]);
	}
	mem_free(config->scopes);
}

void config_write_scopes(const struct config *config, struct buf *out)
{
	buf_byte(out, '[');
	for (size_t i = 0; i < config->scope_count; i++) {
		json_write_comma(out);
		field_write_json(scope_fields, &config->scopes[i], out);
	}
	buf_byte(out, ']');
}

void config_print_scope_table(struct buf *out)
{
	field_print_text(scope_fields, "scopes[].", out);
}

void config_take_scopes(const struct config *config, struct state *state)
{
	struct scope_rule *list = MEM_ARRAY(struct scope_rule, config->scope_count + 1);
	for (size_t i = 0; i < config->scope_count; i++) {
		list[i] = (struct scope_rule){.match = span_of(config->scopes[i].match),
		                              .ttl_ms = config->scopes[i].ttl,
		                              .event_on_noop = config->scopes[i].event_on_noop};
	}
	const struct scope_rules rules = {list, config->scope_count};
	state_set_scopes(state, &rules);
	mem_free(list);
}
