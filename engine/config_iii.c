/* This file finds what pawl understands of an iii configuration: state, queues and ports. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_iii.h"

#include "base/mem.h"

enum iii_part { III_STATE, III_KV_SERVER, III_QUEUES, III_LISTENER, III_HTTP, III_OTHER };

static const struct {
	const char *name; /* as `class` or `name` says it */
	enum iii_part part;
} parts[] = {
        {"modules::state::StateModule", III_STATE},
        {"iii-state", III_STATE},
        {"modules::kv_server::KvServer", III_KV_SERVER},
        {"kv_server", III_KV_SERVER},
        {"iii-kv-server", III_KV_SERVER},
        {"modules::queue::QueueModule", III_QUEUES},
        {"iii-queue", III_QUEUES},
        {"queue", III_QUEUES},
        {"modules::worker::WorkerModule", III_LISTENER},
        {"iii-worker-manager", III_LISTENER},
        {"modules::api::RestApiModule", III_HTTP},
        {"iii-http", III_HTTP},
};

static const char *const kv_adapters[] = {"modules::state::adapters::KvStore", "kv"};

static bool is_list(const struct yaml_entry *entry)
{
	return entry != NULL && entry->value->kind == YAML_SEQUENCE;
}

bool config_is_iii(const struct yaml_node *root)
{
	return root->kind == YAML_MAPPING && (yaml_find(root, SPAN("modules")) != NULL ||
	                                      is_list(yaml_find(root, SPAN("workers"))));
}

static void ignore(struct config_iii *iii, struct span above, struct span name)
{
	buf_format(&iii->ignored, "%s%.*s%s%.*s", iii->ignored.len ? ", " : "", SPAN_ARG(above),
	           above.len ? "." : "", SPAN_ARG(name));
}

/* A member that is a mapping; NULL when it is absent or empty, and reported when it is neither. */
static const struct yaml_node *mapping_at(const struct yaml_node *node, const char *name,
                                          struct report *report)
{
	const struct yaml_entry *entry = yaml_find(node, span_of(name));
	if (entry == NULL || (entry->value->kind == YAML_SCALAR && entry->value->text.len == 0)) {
		return NULL;
	}
	if (entry->value->kind != YAML_MAPPING) {
		report_add(report, entry->line, entry->column, "invalid_value",
		           "'%s' must be a mapping, not %s", name, yaml_kind_name(entry->value));
		return NULL;
	}
	return entry->value;
}

/* What is known of kv and not said yet is taken over. */
static void take_kv(struct config_iii *iii, const struct yaml_node *node, struct span above)
{
	static const char *const names[] = {"store_method", "file_path", "save_interval_ms"};
	for (size_t i = 0; node != NULL && i < node->count; i++) {
		bool is_known = false;
		for (size_t j = 0; j < sizeof names / sizeof *names; j++) {
			is_known = is_known || span_is(node->entries[i].key, names[j]);
		}
		if (!is_known) {
			ignore(iii, above, node->entries[i].key);
		} else if (yaml_find(&iii->kv, node->entries[i].key) == NULL) {
			iii->kv.entries = mem_grow(iii->kv.entries,
			                           (iii->kv.count + 1) * sizeof *iii->kv.entries);
			iii->kv.entries[iii->kv.count++] = node->entries[i];
		}
	}
}

static void read_state(struct config_iii *iii, const struct yaml_node *config, struct span name,
                       struct report *report)
{
	for (size_t i = 0; config != NULL && i < config->count; i++) {
		if (!span_is(config->entries[i].key, "adapter")) {
			ignore(iii, name, config->entries[i].key);
		}
	}
	const struct yaml_node *adapter = config ? mapping_at(config, "adapter", report) : NULL;
	if (adapter == NULL) {
		return;
	}
	const struct yaml_entry *word = yaml_find(adapter, SPAN("class"));
	word = word != NULL ? word : yaml_find(adapter, SPAN("name"));
	bool is_kv = word == NULL;
	for (size_t i = 0; word != NULL && i < sizeof kv_adapters / sizeof *kv_adapters; i++) {
		is_kv = is_kv || (word->value->kind == YAML_SCALAR &&
		                  span_is(word->value->text, kv_adapters[i]));
	}
	if (!is_kv) {
		report_add(report, word->value->line, word->value->column, "not_available",
		           "the state's adapter '%.*s' is not available yet; KvStore (kv) is",
		           word->value->kind == YAML_SCALAR ? (int)word->value->text.len : 0,
		           word->value->kind == YAML_SCALAR ? word->value->text.ptr : "");
		return;
	}
	take_kv(iii, mapping_at(adapter, "config", report), name);
}

/* The options of one queue that pawl has too, under the same names. */
static void take_queue(struct config_iii *iii, const struct yaml_entry *from,
                       struct yaml_node *options)
{
	static const char *const names[] = {"type",       "concurrency", "max_retries",
	                                    "backoff_ms", "timeout_ms",  "message_group_field"};
	*options = *from->value;
	options->entries = MEM_ARRAY(struct yaml_entry, from->value->count + 1);
	options->count = 0;
	for (size_t i = 0; i < from->value->count; i++) {
		bool is_known = false;
		for (size_t j = 0; j < sizeof names / sizeof *names; j++) {
			is_known = is_known || span_is(from->value->entries[i].key, names[j]);
		}
		if (is_known) {
			options->entries[options->count++] = from->value->entries[i];
		} else {
			ignore(iii, from->key, from->value->entries[i].key);
		}
	}
}

static void read_queues(struct config_iii *iii, const struct yaml_node *config, struct span name,
                        struct report *report)
{
	for (size_t i = 0; config != NULL && i < config->count; i++) {
		if (!span_is(config->entries[i].key, "queue_configs")) {
			ignore(iii, name, config->entries[i].key);
		}
	}
	const struct yaml_node *list = config ? mapping_at(config, "queue_configs", report) : NULL;
	if (list == NULL || iii->queue_options != NULL) {
		return;
	}
	iii->queues = *list;
	iii->queues.entries = MEM_ARRAY(struct yaml_entry, list->count + 1);
	iii->queue_options = MEM_ARRAY(struct yaml_node, list->count + 1);
	for (size_t i = 0; i < list->count; i++) {
		iii->queues.entries[i] = list->entries[i];
		if (list->entries[i].value->kind == YAML_MAPPING) {
			take_queue(iii, &list->entries[i], &iii->queue_options[i]);
			iii->queues.entries[i].value = &iii->queue_options[i];
		}
	}
}

/* Unless pawl's own words for them stand beside. */
static void put_queues(struct config_iii *iii, const struct yaml_node *root, struct report *report)
{
	const struct yaml_entry *own = yaml_find(root, SPAN("queues"));
	if (iii->queue_options != NULL && own != NULL) {
		report_add(report, own->line, own->column, "invalid_value",
		           "the queues are said twice: here and in 'queue_configs'; keep one of "
		           "them");
	} else if (iii->queue_options != NULL) {
		iii->own.entries[iii->own.count++] =
		        (struct yaml_entry){.key = SPAN("queues"),
		                            .line = iii->queues.line,
		                            .column = iii->queues.column,
		                            .value = &iii->queues};
	}
}

static void read_listener(struct config_iii *iii, const struct yaml_node *config, struct span name)
{
	for (size_t i = 0; config != NULL && i < config->count; i++) {
		if (span_is(config->entries[i].key, "port")) {
			iii->port = config->entries[i].value;
		} else {
			ignore(iii, name, config->entries[i].key);
		}
	}
}

static void read_http(struct config_iii *iii, const struct yaml_node *config, struct span name)
{
	iii->has_http = true;
	for (size_t i = 0; config != NULL && i < config->count; i++) {
		const struct yaml_entry *entry = &config->entries[i];
		bool is_loopback = span_is(entry->key, "host") &&
		                   entry->value->kind == YAML_SCALAR &&
		                   span_is(entry->value->text, "127.0.0.1");
		if (span_is(entry->key, "port")) {
			iii->http_port = entry->value;
		} else if (!is_loopback) {
			ignore(iii, name, entry->key);
		}
	}
}

static enum iii_part part_of(struct span name)
{
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (span_is(name, parts[i].name)) {
			return parts[i].part;
		}
	}
	return III_OTHER;
}

/* In this order, whatever theirs is: the state's words go before the server's. */
static void read_items(struct config_iii *iii, const struct yaml_entry *list, enum iii_part wanted,
                       struct report *report)
{
	for (size_t i = 0; i < list->value->count; i++) {
		const struct yaml_node *item = list->value->items[i];
		const struct yaml_entry *word = NULL;
		if (item->kind == YAML_MAPPING) {
			word = yaml_find(item, SPAN("class"));
			word = word != NULL ? word : yaml_find(item, SPAN("name"));
		}
		if (word == NULL || word->value->kind != YAML_SCALAR) {
			report_add(report, item->line, item->column, "invalid_value",
			           "an item of '%.*s' is a mapping with 'class' or 'name'",
			           SPAN_ARG(list->key));
			continue;
		}
		struct span name = word->value->text;
		if (part_of(name) != wanted) {
			continue;
		}
		const struct yaml_node *config = mapping_at(item, "config", report);
		switch (wanted) {
		case III_STATE:
			iii->kv_at = list;
			read_state(iii, config, name, report);
			break;
		case III_KV_SERVER:
			take_kv(iii, config, name);
			break;
		case III_QUEUES:
			read_queues(iii, config, name, report);
			break;
		case III_LISTENER:
			read_listener(iii, config, name);
			break;
		case III_HTTP:
			read_http(iii, config, name);
			break;
		case III_OTHER:
			ignore(iii, SPAN(""), name);
			break;
		}
	}
}

void config_iii_read(const struct yaml_node *root, struct config_iii *out, struct report *report)
{
	*out = (struct config_iii){.own = *root, .kv = {.kind = YAML_MAPPING}};
	out->own.entries = MEM_ARRAY(struct yaml_entry, root->count + 1);
	out->own.count = 0;
	out->kv.line = root->line;
	for (size_t i = 0; i < root->count; i++) {
		const struct yaml_entry *entry = &root->entries[i];
		bool is_items = span_is(entry->key, "modules") ||
		                (span_is(entry->key, "workers") && is_list(entry));
		if (is_items && !is_list(entry)) {
			report_add(report, entry->line, entry->column, "invalid_value",
			           "'%.*s' must be a list, not %s", SPAN_ARG(entry->key),
			           yaml_kind_name(entry->value));
		} else if (is_items) {
			for (int part = III_STATE; part <= III_OTHER; part++) {
				read_items(out, entry, (enum iii_part)part, report);
			}
		} else if (span_is(entry->key, "port")) {
			out->port = entry->value;
		} else if (field_find(config_fields, entry->key) != NULL) {
			out->own.entries[out->own.count++] = *entry;
		} else {
			ignore(out, SPAN(""), entry->key);
		}
	}
	put_queues(out, root, report);
}

void config_iii_close(struct config_iii *iii)
{
	for (size_t i = 0; iii->queue_options != NULL && i < iii->queues.count; i++) {
		mem_free(iii->queue_options[i].entries);
	}
	mem_free(iii->queue_options);
	mem_free(iii->queues.entries);
	mem_free(iii->own.entries);
	mem_free(iii->kv.entries);
	buf_free(&iii->ignored);
}
