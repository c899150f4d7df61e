/* This file reads the functions and triggers that a configuration declares. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_items.h"

#include "base/field_print.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/yaml_json.h"
#include "engine/config_endpoint.h"
#include "engine/runtime_env.h"
#include "triggers/on_message.h"
#include "triggers/triggers.h"

enum { SECOND = 1000, HOUR = 3600 * SECOND, ITEMS_MAX = 10000 };
#define DAY (24LL * HOUR)

static const char *const exec_modes[] = {"call", "lines", NULL};
static const char *const trigger_types_later[] = {"stream", "flow", NULL};

static const struct field exec_fields[] = {
        {.name = "command",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct config_exec, command),
         .min = 1,
         .max = 256,
         .required = true,
         .help = "The program and its arguments."},
        {.name = "mode",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct config_exec, mode),
         .otherwise = "call",
         .words = exec_modes,
         .help = "One process a call, or one that is kept and answers line by line."},
        {.name = "cwd",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_exec, cwd),
         .min = 1,
         .max = 4095,
         .help = "Where it runs."},
        {.name = "env",
         .kind = FIELD_MAP,
         .offset = offsetof(struct config_exec, env),
         .help = "Variables that it gets besides those of pawl."},
        {.name = "timeout",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct config_exec, timeout),
         .otherwise = "30s",
         .min = 1,
         .max = 7 * DAY,
         .help = "How long a call may take."},
        {.name = "concurrency",
         .kind = FIELD_INT,
         .offset = offsetof(struct config_exec, concurrency),
         .otherwise = "10",
         .min = 1,
         .max = 1000,
         .help = "How many calls run at a time."},
        {.name = "state",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct config_exec, state),
         .max = 500,
         .help = "Namespaces of the state that it may use: the address of room is in "
                 "PAWL_STATE_ROOM, its token in PAWL_RUNTIME_TOKEN."},
        {.name = "rights",
         .kind = FIELD_SECTION,
         .offset = offsetof(struct config_exec, rights),
         .fields = rights_fields,
         .help = "What else that token may do."},
        {.name = NULL},
};

static const struct field function_fields[] = {
        {.name = "id",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_function, id),
         .min = 1,
         .max = 256,
         .required = true,
         .help = "The name of the function."},
        {.name = "description",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_function, description),
         .help = "What it does."},
        {.name = "namespace",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_function, namespace_),
         .otherwise = "default",
         .min = 1,
         .max = 128,
         .help = "The namespace that it belongs to."},
        {.name = "exec", .kind = FIELD_OTHER, .help = "A program serves it."},
        {.name = "http", .kind = FIELD_OTHER, .help = "An HTTP endpoint serves it."},
        {.name = "flow", .kind = FIELD_RESERVED, .help = "a workflow serves it"},
        {.name = "queue", .kind = FIELD_RESERVED, .help = "a queue before it"},
        {.name = "concurrency",
         .kind = FIELD_INT,
         .offset = offsetof(struct config_function, concurrency),
         .min = 1,
         .max = 100000,
         .help = "How many calls of it run at a time, of all triggers and callers together; "
                 "without it as many as come."},
        {.name = "retry",
         .kind = FIELD_SECTION,
         .offset = offsetof(struct config_function, retry),
         .fields = retry_fields,
         .help = "What happens after it has failed; a trigger may say otherwise for itself."},
        {.name = NULL},
};

static const struct field trigger_fields[] = {
        {.name = "id",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_trigger, id),
         .min = 1,
         .max = 256,
         .required = true,
         .help = "The name of the trigger."},
        {.name = "type",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_trigger, type),
         .otherwise = "state",
         .min = 1,
         .max = 128,
         .later = trigger_types_later,
         .help = "What wakes it."},
        {.name = "function",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_trigger, function),
         .min = 1,
         .max = 256,
         .required = true,
         .help = "The function that it calls."},
        {.name = "namespace",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_trigger, namespace_),
         .otherwise = "default",
         .min = 1,
         .max = 128,
         .help = "The namespace in which the function is looked up."},
        {.name = "metadata", .kind = FIELD_OTHER, .help = "JSON that travels with every call."},
        {.name = NULL},
};

/* The list under `name`, or NULL. */
static const struct yaml_node *list_of(const struct yaml_node *root, const char *name,
                                       struct report *report)
{
	const struct yaml_entry *entry = yaml_find(root, span_of(name));
	if (entry == NULL || yaml_is_null(entry->value)) {
		return NULL;
	}
	if (entry->value->kind != YAML_SEQUENCE) {
		report_add(report, entry->value->line, entry->value->column, "invalid_value",
		           "'%s' must be a list, not %s", name, yaml_kind_name(entry->value));
		return NULL;
	}
	if (entry->value->count > ITEMS_MAX) {
		report_add(report, entry->line, entry->column, "invalid_value",
		           "'%s' may have at most %d items", name, ITEMS_MAX);
		return NULL;
	}
	return entry->value;
}

static bool is_mapping(const struct yaml_node *node, const char *what, struct report *report)
{
	if (node->kind != YAML_MAPPING) {
		report_add(report, node->line, node->column, "invalid_value",
		           "a %s must be a mapping, not %s", what, yaml_kind_name(node));
	}
	return node->kind == YAML_MAPPING;
}

static bool same_text(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* How it is called. False: nothing of that is said. */
static bool read_policy(const struct yaml_node *node, struct config_function *function,
                        struct report *report)
{
	const struct yaml_entry *retry = yaml_find(node, SPAN("retry"));
	struct err err;
	if (retry_finish(&function->retry, "invalid_value", &err) != 0) {
		report_add(report, retry->line, retry->column, err.code, "%s", err.text);
	}
	return retry != NULL || yaml_find(node, SPAN("concurrency")) != NULL;
}

static void judge_function(const struct yaml_node *http, const struct config *config,
                           const struct config_judge *judge, struct report *report)
{
	struct err err = {0};
	const struct config_function *function = &config->functions[config->function_count];
	if (judge->function(judge->ctx, config, function, &err) != 0) {
		report_add(report, http->line, http->column, err.code, "function '%s': %s",
		           function->id, err.text);
	}
}

static void check_exec(const struct yaml_node *node, struct config_exec *exec,
                       struct report *report)
{
	struct err err;
	int status = rights_finish(&exec->rights, &err);
	for (size_t i = 0; status == 0 && i < exec->state.count; i++) {
		status = runtime_env_check_name(span_of(exec->state.items[i]), &err);
	}
	if (status != 0) {
		report_add(report, node->line, node->column, err.code, "%s", err.text);
	}
}

static void read_function(const struct yaml_node *node, struct config *config,
                          const struct config_judge *judge, struct report *report)
{
	struct config_function *function = &config->functions[config->function_count];
	size_t faults = report->count;
	function->line = node->line;
	function->retry = (struct retry_text)RETRY_UNSAID;
	field_read(function_fields, node, function, report);
	bool has_policy = read_policy(node, function, report);
	const struct yaml_entry *exec = yaml_find(node, SPAN("exec"));
	const struct yaml_entry *http = yaml_find(node, SPAN("http"));
	function->kind = CONFIG_FUNCTION_WORKER;
	if (exec == NULL && http == NULL && has_policy) {
		return;
	}
	if ((exec == NULL) == (http == NULL)) {
		report_add(report, node->line, node->column, "invalid_value",
		           "a function has either 'exec' or 'http', or 'retry' or 'concurrency'");
		return;
	}
	const struct yaml_node *served = exec ? exec->value : http->value;
	if (!is_mapping(served, exec ? "function's exec" : "function's http", report)) {
		return;
	}
	if (exec != NULL) {
		function->kind = CONFIG_FUNCTION_EXEC;
		field_read(exec_fields, served, &function->exec, report);
		check_exec(served, &function->exec, report);
	} else {
		function->kind = CONFIG_FUNCTION_HTTP;
		config_read_endpoint(served, &function->http, report);
		if (judge != NULL && judge->function != NULL && report->count == faults) {
			judge_function(served, config, judge, report);
		}
	}
}

void config_read_functions(const struct yaml_node *root, struct config *config,
                           const struct config_judge *judge, struct report *report)
{
	const struct yaml_node *list = list_of(root, "functions", report);
	if (list == NULL) {
		return;
	}
	config->functions = MEM_ARRAY(struct config_function, list->count + 1);
	for (size_t i = 0; i < list->count; i++) {
		if (!is_mapping(list->items[i], "function", report)) {
			continue;
		}
		struct config_function *function = &config->functions[config->function_count];
		read_function(list->items[i], config, judge, report);
		for (size_t j = 0; j < config->function_count; j++) {
			if (same_text(config->functions[j].id, function->id) &&
			    same_text(config->functions[j].namespace_, function->namespace_)) {
				report_add(report, function->line, 0, "duplicate_id",
				           "the function '%s' stands in line %u already",
				           function->id, config->functions[j].line);
			}
		}
		config->function_count++;
	}
}

/* The same mapping with only those entries whose names are rows of `fields`, or only the others.
 * Its entries are the caller's to mem_free. */
static struct yaml_node split(const struct yaml_node *node, const struct field *fields,
                              bool want_known)
{
	struct yaml_node part = *node;
	part.entries = MEM_ARRAY(struct yaml_entry, node->count + 1);
	part.count = 0;
	for (size_t i = 0; i < node->count; i++) {
		if ((field_find(fields, node->entries[i].key) != NULL) == want_known) {
			part.entries[part.count++] = node->entries[i];
		}
	}
	return part;
}

static char *json_text(const struct yaml_node *node, struct report *report)
{
	struct buf raw = {0};
	struct buf canonical = {0};
	yaml_to_json(node, &raw, report);
	json_canonical(buf_view(&raw), &canonical);
	buf_free(&raw);
	buf_byte(&canonical, 0);
	return canonical.ptr;
}

static void judge_trigger(const struct yaml_node *node, const struct config_trigger *trigger,
                          const struct config_judge *judge, struct report *report)
{
	struct err err = {0};
	const char *member = NULL;
	if (trigger->id == NULL || trigger->function == NULL ||
	    judge->trigger(judge->ctx, trigger, &member, &err) == 0) {
		return;
	}
	const struct yaml_entry *entry = member ? yaml_find(node, span_of(member)) : NULL;
	report_add(report, entry ? entry->line : node->line, entry ? entry->column : node->column,
	           err.code, "trigger '%s': %s", trigger->id, err.text);
}

static void read_trigger(const struct yaml_node *node, struct config_trigger *trigger,
                         const struct config_judge *judge, struct report *report)
{
	size_t faults = report->count;
	struct yaml_node own = split(node, trigger_fields, true);
	struct yaml_node others = split(node, trigger_fields, false);
	trigger->line = node->line;
	field_read(trigger_fields, &own, trigger, report);
	trigger->config = json_text(&others, report);
	const struct yaml_entry *metadata = yaml_find(node, SPAN("metadata"));
	if (metadata != NULL && !yaml_is_null(metadata->value)) {
		trigger->metadata = json_text(metadata->value, report);
	}
	mem_free(own.entries);
	mem_free(others.entries);
	if (judge != NULL && report->count == faults) {
		judge_trigger(node, trigger, judge, report);
	}
}

void config_read_triggers(const struct yaml_node *root, struct config *config,
                          const struct config_judge *judge, struct report *report)
{
	const struct yaml_node *list = list_of(root, "triggers", report);
	if (list == NULL) {
		return;
	}
	config->triggers = MEM_ARRAY(struct config_trigger, list->count + 1);
	for (size_t i = 0; i < list->count; i++) {
		if (!is_mapping(list->items[i], "trigger", report)) {
			continue;
		}
		struct config_trigger *trigger = &config->triggers[config->trigger_count];
		read_trigger(list->items[i], trigger, judge, report);
		for (size_t j = 0; j < config->trigger_count; j++) {
			if (same_text(config->triggers[j].id, trigger->id)) {
				report_add(report, trigger->line, 0, "duplicate_id",
				           "the trigger '%s' stands in line %u already",
				           trigger->id, config->triggers[j].line);
			}
		}
		config->trigger_count++;
	}
}

void config_free_items(struct config *config)
{
	for (size_t i = 0; i < config->function_count; i++) {
		struct config_function *function = &config->functions[i];
		field_free(exec_fields, &function->exec);
		field_free(config_endpoint_fields, &function->http);
		field_free(function_fields, function);
	}
	for (size_t i = 0; i < config->trigger_count; i++) {
		struct config_trigger *trigger = &config->triggers[i];
		mem_free(trigger->config);
		mem_free(trigger->metadata);
		field_free(trigger_fields, trigger);
	}
	mem_free(config->functions);
	mem_free(config->triggers);
}

void config_print_item_tables(struct buf *out)
{
	field_print_text(function_fields, "functions[].", out);
	field_print_text(exec_fields, "functions[].exec.", out);
	field_print_text(config_endpoint_fields, "functions[].http.", out);
	field_print_text(trigger_fields, "triggers[].", out);
	trigger_print_fields("triggers[].", out);
	on_message_print_queue("queues.", out);
}

void config_write_function(const struct config_function *function, struct buf *out)
{
	field_write_json(function_fields, function, out);
	out->len--; /* the brace */
	if (function->kind == CONFIG_FUNCTION_EXEC) {
		json_write_name(out, "exec");
		field_write_json(exec_fields, &function->exec, out);
	} else if (function->kind == CONFIG_FUNCTION_HTTP) {
		json_write_name(out, "http");
		field_write_json(config_endpoint_fields, &function->http, out);
	}
	buf_byte(out, '}');
}

void config_write_trigger(const struct config_trigger *trigger, struct buf *out)
{
	struct span own = span_of(trigger->config);
	field_write_json(trigger_fields, trigger, out);
	out->len--;
	if (trigger->metadata != NULL) {
		json_write_member_raw(out, "metadata", span_of(trigger->metadata));
	}
	if (own.len > 2) {
		buf_byte(out, ',');
		buf_add(out, own.ptr + 1, own.len - 2);
	}
	buf_byte(out, '}');
}
