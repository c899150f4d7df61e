/* This file reads the queues that a configuration declares, and makes their triggers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_queues.h"

#include "base/json.h"
#include "base/json_splice.h"
#include "base/mem.h"
#include "base/yaml_json.h"
#include "engine/core/alarm_names.h"
#include "engine/core/queue_names.h"

enum { QUEUES_MAX = 10000, NAME_MAX_BYTES = 128 };

static void check_id(const struct config_trigger *trigger, struct report *report)
{
	if (trigger->id != NULL && span_starts_with(span_of(trigger->id), SPAN(ALARM_TRIGGERS))) {
		report_add(report, trigger->line, 0, "invalid_value",
		           "the ids that begin with '" ALARM_TRIGGERS
		           "' are the engine's; choose another one");
	}
}

/* Queues are declared in `queues` only. */
static void check_triggers(const struct config *config, struct report *report)
{
	for (size_t i = 0; i < config->trigger_count; i++) {
		const struct config_trigger *trigger = &config->triggers[i];
		check_id(trigger, report);
		bool is_queue = trigger->type != NULL && strcmp(trigger->type, QUEUE_TYPE) == 0;
		bool is_named_so = trigger->id != NULL &&
		                   span_starts_with(span_of(trigger->id), SPAN(QUEUE_TRIGGER));
		if (is_queue || is_named_so) {
			report_add(report, trigger->line, 0, "invalid_value",
			           is_queue ? "a queue is no trigger of its own; declare it in "
			                      "'queues'"
			                    : "the ids that begin with '" QUEUE_TRIGGER
			                      "' are those of the queues; choose another one");
		}
	}
}

/* The options as they stand, and the name beside them. */
static char *write_config(const struct yaml_node *node, struct span name, struct report *report)
{
	struct buf raw = {0};
	struct buf quoted = {0};
	struct buf whole = {0};
	struct buf canonical = {0};
	if (yaml_is_null(node)) {
		BUF_LITERAL(&raw, "{}");
	} else {
		yaml_to_json(node, &raw, report);
	}
	json_write_string(&quoted, name);
	json_set(buf_view(&raw), SPAN("queue"), buf_view(&quoted), &whole);
	json_canonical(buf_view(&whole), &canonical);
	buf_byte(&canonical, '\0');
	buf_free(&raw);
	buf_free(&quoted);
	buf_free(&whole);
	return canonical.ptr;
}

static struct config_trigger *add(struct config *config, struct span name, char *text)
{
	struct buf id = {0};
	struct config_trigger *queue = &config->queues[config->queue_count++];
	buf_format(&id, QUEUE_TRIGGER "%.*s", SPAN_ARG(name));
	buf_byte(&id, '\0');
	*queue = (struct config_trigger){
	        .id = id.ptr,
	        .type = mem_text(QUEUE_TYPE),
	        .function = mem_text(QUEUE_RUN),
	        .namespace_ = mem_text("engine"),
	        .config = text,
	};
	return queue;
}

static void judge_queue(const struct yaml_entry *entry, const struct config_trigger *queue,
                        const struct config_judge *judge, struct report *report)
{
	struct err err = {0};
	const char *member = NULL;
	if (judge->trigger(judge->ctx, queue, &member, &err) != 0) {
		report_add(report, entry->line, entry->column, err.code, "queue '%.*s': %s",
		           SPAN_ARG(entry->key), err.text);
	}
}

static bool is_well_formed(const struct yaml_entry *entry, struct report *report)
{
	bool is_options = entry->value->kind == YAML_MAPPING || yaml_is_null(entry->value);
	bool is_name = entry->key.len != 0 && entry->key.len <= NAME_MAX_BYTES;
	if (!is_name) {
		report_add(report, entry->line, entry->column, "invalid_value",
		           "the name of a queue has 1 to %d bytes", NAME_MAX_BYTES);
	} else if (!is_options) {
		report_add(report, entry->line, entry->column, "invalid_value",
		           "a queue must be a mapping of its options, not %s",
		           yaml_kind_name(entry->value));
	} else if (!yaml_is_null(entry->value) && yaml_find(entry->value, SPAN("queue")) != NULL) {
		report_add(report, entry->line, entry->column, "unknown_field",
		           "a queue has no 'queue': its name stands before its options");
		is_name = false;
	}
	return is_name && is_options;
}

static void read_one(const struct yaml_entry *entry, struct config *config,
                     const struct config_judge *judge, struct report *report)
{
	size_t faults = report->count;
	if (!is_well_formed(entry, report)) {
		return;
	}
	char *text = write_config(entry->value, entry->key, report);
	struct config_trigger *queue = add(config, entry->key, text);
	queue->line = entry->line;
	if (judge != NULL && report->count == faults) {
		judge_queue(entry, queue, judge, report);
	}
}

void config_read_queues(const struct yaml_node *root, struct config *config,
                        const struct config_judge *judge, struct report *report)
{
	const struct yaml_entry *entry = yaml_find(root, SPAN("queues"));
	const struct yaml_node *map = entry != NULL ? entry->value : NULL;
	check_triggers(config, report);
	if (map != NULL && yaml_is_null(map)) {
		map = NULL;
	}
	if (map != NULL && (map->kind != YAML_MAPPING || map->count > QUEUES_MAX)) {
		report_add(report, entry->line, entry->column, "invalid_value",
		           "'queues' must be a mapping of at most %d names to options", QUEUES_MAX);
		map = NULL;
	}
	size_t count = map != NULL ? map->count : 0;
	bool has_default = false;
	config->queues = MEM_ARRAY(struct config_trigger, count + 1);
	for (size_t i = 0; i < count; i++) {
		read_one(&map->entries[i], config, judge, report);
		has_default = has_default || span_is(map->entries[i].key, QUEUE_DEFAULT);
	}
	if (!has_default) {
		add(config, SPAN(QUEUE_DEFAULT), mem_text("{\"queue\":\"" QUEUE_DEFAULT "\"}"));
	}
}

void config_free_queues(struct config *config)
{
	for (size_t i = 0; i < config->queue_count; i++) {
		struct config_trigger *queue = &config->queues[i];
		mem_free(queue->id);
		mem_free(queue->type);
		mem_free(queue->function);
		mem_free(queue->namespace_);
		mem_free(queue->config);
	}
	mem_free(config->queues);
}
