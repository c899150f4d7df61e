/* This file reads a trigger that stands alone: one item of a configuration's triggers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/trigger_file.h"

#include "base/mem.h"
#include "base/yaml.h"
#include "engine/engine_judge.h"
#include <stdio.h>

enum { NAMES = 2 };

/* The trigger with what its file leaves out. `entries` and `nodes` have room for that. */
static struct yaml_node with_names(const struct yaml_node *trigger,
                                   const struct trigger_names *names, struct yaml_entry *entries,
                                   struct yaml_node nodes[NAMES])
{
	const struct {
		struct span name;
		const char *value;
	} rows[NAMES] = {{SPAN("id"), names->id}, {SPAN("function"), names->function}};
	struct yaml_node named = *trigger;
	for (size_t i = 0; i < trigger->count; i++) {
		entries[i] = trigger->entries[i];
	}
	for (size_t i = 0; i < NAMES; i++) {
		if (rows[i].value != NULL && yaml_find(trigger, rows[i].name) == NULL) {
			nodes[i] = (struct yaml_node){.kind = YAML_SCALAR,
			                              .quoted = true,
			                              .text = span_of(rows[i].value)};
			entries[named.count++] = (struct yaml_entry){rows[i].name, 1, 1, &nodes[i]};
		}
	}
	named.entries = entries;
	return named;
}

/* As the list of one that a configuration would have. */
static int read_alone(const struct yaml_node *file, const char *path,
                      const struct trigger_names *names, struct config *config,
                      struct report *report, struct err *err)
{
	bool is_mapping = file->kind == YAML_MAPPING;
	struct yaml_entry *entries = MEM_ARRAY(struct yaml_entry, file->count + NAMES);
	struct yaml_node nodes[NAMES];
	struct yaml_node named = is_mapping ? with_names(file, names, entries, nodes) : *file;
	const struct yaml_node *items[] = {&named};
	const struct yaml_node list = {
	        .kind = YAML_SEQUENCE, .line = 1, .column = 1, .items = items, .count = 1};
	struct yaml_entry entry = {SPAN("triggers"), 1, 1, &list};
	const struct yaml_node root = {
	        .kind = YAML_MAPPING, .line = 1, .column = 1, .entries = &entry, .count = 1};
	const struct config_judge judge = engine_judge();
	config_read_triggers(&root, config, &judge, report);
	mem_free(entries);
	return report_finish(report, path, err);
}

static int read_yaml(struct yaml *yaml, const char *path, const struct trigger_names *names,
                     struct config *config, struct report *report, struct err *err)
{
	yaml_expand(yaml, report);
	return read_alone(yaml_root(yaml), path, names, config, report, err);
}

int trigger_file_load(const char *path, const struct trigger_names *names, struct config *config,
                      struct report *report, struct err *err)
{
	struct yaml *yaml = NULL;
	int status = yaml_load(path, &yaml, err);
	if (status == 0) {
		status = read_yaml(yaml, path, names, config, report, err);
	}
	yaml_close(yaml);
	return status;
}

int trigger_file_parse(struct span text, const char *name, const struct trigger_names *names,
                       struct config *config, struct report *report, struct err *err)
{
	struct yaml *yaml = NULL;
	int status = yaml_parse(text, name, &yaml, err);
	if (status == 0) {
		status = read_alone(yaml_root(yaml), name, names, config, report, err);
	}
	yaml_close(yaml);
	return status;
}

void trigger_file_complain(const char *name, const struct report *report, const struct err *err)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct report_item *item = &report->items[i];
		(void)fprintf(stderr, "%s:%u:%u: %s\n", name, item->line, item->column, item->text);
	}
	if (report->count == 0) {
		(void)fprintf(stderr, "pawl: %s\n", err->text);
	}
}
