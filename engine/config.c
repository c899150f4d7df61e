/* This file puts a configuration together from its tables and checks what no single row can. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config.h"

#include "base/field_print.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/yaml.h"
#include "base/yaml_json.h"
#include "engine/config_iii.h"
#include "engine/config_listeners.h"
#include "engine/config_queues.h"
#include "engine/config_scopes.h"
#include "engine/config_secrets.h"
#include "engine/config_telemetry.h"
#include "engine/config_tokens.h"
#include "engine/core/secrets.h"
#include <unistd.h>

/* The entry at the end of up to three names; NULL when the file does not say it. */
static const struct yaml_entry *entry_at(const struct yaml_node *root, const char *first,
                                         const char *second, const char *third)
{
	const char *const names[] = {first, second, third};
	const struct yaml_entry *entry = NULL;
	for (size_t i = 0; i < 3 && names[i] != NULL; i++) {
		entry = yaml_find(i == 0 ? root : entry->value, span_of(names[i]));
		if (entry == NULL) {
			return NULL;
		}
	}
	return entry;
}

/* The same, or what stands nearest above it. */
static const struct yaml_entry *entry_near(const struct yaml_node *root, const char *first,
                                           const char *second, const char *third)
{
	const struct yaml_entry *entry = entry_at(root, first, second, third);
	if (entry == NULL) {
		entry = entry_at(root, first, second, NULL);
	}
	return entry != NULL ? entry : entry_at(root, first, NULL, NULL);
}

static void refuse(struct report *report, const struct yaml_entry *entry, const char *sentence)
{
	report_add(report, entry ? entry->line : 0, entry ? entry->column : 0, "invalid_value",
	           "%s", sentence);
}

/* The listener for HTTP triggers, and whether there is one if there are such triggers. */
static void check_front(const struct yaml_node *root, const struct config *config,
                        struct report *report)
{
	const struct yaml_entry *entry = entry_at(root, "http", "listen", NULL);
	char *host = NULL;
	uint16_t port;
	if (config->http.listen == NULL) {
		for (size_t i = 0; i < config->trigger_count; i++) {
			const struct config_trigger *trigger = &config->triggers[i];
			if (trigger->type != NULL && strcmp(trigger->type, "http") == 0) {
				report_add(report, trigger->line, 0, "invalid_value",
				           "the trigger '%s' is of type http, but nobody listens "
				           "for requests: set http.listen, such as 127.0.0.1:3111",
				           trigger->id ? trigger->id : "");
			}
		}
	} else if (!config_split_listen(config->http.listen, &host, &port)) {
		refuse(report, entry, "'http.listen' must be host:port, such as 127.0.0.1:3111");
	}
	mem_free(host);
}

int config_override(struct config *config, const struct config_source *source, struct err *err)
{
	if (source->data != NULL) {
		mem_free(config->data);
		config->data = mem_text(source->data);
	}
	if (source->listen == NULL) {
		return 0;
	}
	mem_free(config->listen);
	config->listen = mem_text(source->listen);
	const char *refused = config_take_listen(config);
	return refused ? err_set(err, E_INVALID, "invalid_listen", "%s", refused) : 0;
}

void config_open_log(const struct config *config)
{
	bool json = config->log.format == CONFIG_LOG_JSON ||
	            (config->log.format == CONFIG_LOG_AUTO && !isatty(STDERR_FILENO));
	log_open((enum log_level)config->log.level, json);
}

static void check_limits(const struct yaml_node *root, const struct config *config,
                         struct report *report)
{
	const struct config_delivery *delivery = &config->delivery;
	const struct config_limits *limits = &config->limits;
	const struct {
		bool holds;
		const char *section;
		const char *name;
		const char *inner;
		const char *sentence;
	} rules[] = {
	        {delivery->timeout <= delivery->timeout_max, "delivery", "timeout", NULL,
	         "'timeout' must not be over 'timeout_max'"},
	        {delivery->retry.initial_ms <= delivery->retry.max_ms, "delivery", "retry",
	         "initial_ms", "'initial_ms' must not be over 'max_ms'"},
	        {limits->max_value <= limits->max_message, "limits", "max_value", NULL,
	         "'max_value' must not be over 'max_message'"},
	        {limits->transact_bytes <= limits->max_message, "limits", "transact_bytes", NULL,
	         "'transact_bytes' must not be over 'max_message'"},
	};
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		if (!rules[i].holds) {
			refuse(report,
			       entry_near(root, rules[i].section, rules[i].name, rules[i].inner),
			       rules[i].sentence);
		}
	}
}

static void check_schedule(const struct yaml_node *root, const char *section,
                           const struct config_retry *retry, struct report *report)
{
	int64_t waits[RETRY_SCHEDULE_MAX];
	size_t count;
	struct err err;
	if (retry_read_schedule(&retry->schedule, "invalid_value", waits, &count, &err) != 0) {
		refuse(report, entry_near(root, section, "retry", "schedule"), err.text);
	}
}

static char *text_of(struct buf *buf)
{
	buf_byte(buf, 0);
	return buf->ptr;
}

static void read_kv(const struct yaml_node *node, struct config *config, struct report *report)
{
	struct config_kv kv = {0};
	struct buf json = {0};
	field_read(config_kv_fields, node, &kv, report);
	field_write_json(config_kv_fields, &kv, &json);
	field_free(config_kv_fields, &kv);
	config->state.adapter.config = text_of(&json);
}

static void read_plugin(const struct yaml_node *node, const struct yaml_entry *adapter,
                        struct config *config, struct report *report)
{
	const struct yaml_entry *path = node ? yaml_find(node, SPAN("path")) : NULL;
	if (path == NULL || path->value->kind != YAML_SCALAR || path->value->text.len == 0) {
		refuse(report, path ? path : adapter,
		       "the adapter 'plugin' needs config.path, the shared object to load");
		return;
	}
	struct buf json = {0};
	yaml_to_json(node, &json, report);
	config->state.adapter.config = text_of(&json);
	config->state.adapter.plugin = mem_copy(path->value->text.ptr, path->value->text.len);
}

static void read_adapter(const struct yaml_node *root, struct config *config, struct report *report)
{
	const struct yaml_entry *adapter = entry_at(root, "state", "adapter", NULL);
	const struct yaml_entry *entry = entry_at(root, "state", "adapter", "config");
	const struct yaml_node *node = entry && !yaml_is_null(entry->value) ? entry->value : NULL;
	if (node != NULL && node->kind != YAML_MAPPING) {
		refuse(report, entry, "the adapter's config must be a mapping");
	} else if (config->state.adapter.name == CONFIG_ADAPTER_PLUGIN) {
		read_plugin(node, adapter, config, report);
	} else {
		read_kv(node, config, report);
	}
}

static void judge_together(const struct config *config, const struct config_judge *judge,
                           struct report *report)
{
	size_t index = 0;
	struct err err;
	if (judge != NULL && judge->together != NULL && report->count == 0 &&
	    judge->together(judge->ctx, config, &index, &err) != 0) {
		const struct config_trigger *trigger = &config->triggers[index];
		report_add(report, trigger->line, 0, err.code, "trigger '%s': %s", trigger->id,
		           err.text);
	}
}

static void read_all(const struct yaml_node *root, const struct config_judge *judge,
                     struct config *config, struct report *report)
{
	field_read(config_fields, root, config, report);
	read_adapter(root, config, report);
	config_read_scopes(root, config, report);
	config->secrets = config_read_secrets(root, report);
	config_read_tokens(root, config, report);
	config_read_functions(root, config, judge, report);
	config_read_triggers(root, config, judge, report);
	config_read_queues(root, config, judge, report);
	config_read_listeners(root, config, report);
	config_check_telemetry(root, config, report);
	check_limits(root, config, report);
	check_schedule(root, "delivery", &config->delivery.retry, report);
	check_schedule(root, "alarms", &config->alarms.retry, report);
}

/* The state of iii's file, unless pawl's own words for it stand beside. */
static void take_iii_state(const struct config_iii *iii, struct config *config,
                           struct report *report)
{
	const struct yaml_entry *own = yaml_find(&iii->own, SPAN("state"));
	if (iii->kv_at != NULL && own != NULL) {
		report_add(report, own->line, own->column, "invalid_value",
		           "the state is said twice: here and in '%.*s'; keep one of them",
		           SPAN_ARG(iii->kv_at->key));
	}
	if (own == NULL) {
		mem_free(config->state.adapter.config);
		read_kv(&iii->kv, config, report);
	}
}

/* *out = "127.0.0.1:port", unless that is no port. */
static bool listen_at(const struct yaml_node *node, char **out, struct report *report)
{
	uint64_t port = 0;
	if (node->kind != YAML_SCALAR || !id_parse_uint(node->text, &port) || port > UINT16_MAX) {
		report_add(report, node->line, node->column, "invalid_value",
		           "'port' must be a number up to 65535");
		return false;
	}
	struct buf listen = {0};
	buf_format(&listen, "127.0.0.1:%llu", (unsigned long long)port);
	*out = text_of(&listen);
	return true;
}

static void take_iii_port(struct config_iii *iii, struct config *config, struct report *report)
{
	char *listen = NULL;
	if (iii->port == NULL || !listen_at(iii->port, &listen, report)) {
		return;
	}
	if (yaml_find(&iii->own, SPAN("listen")) != NULL) {
		buf_format(&iii->ignored, "%sport (listen says it)", iii->ignored.len ? ", " : "");
		mem_free(listen);
		return;
	}
	mem_free(config->listen);
	config->listen = listen;
	(void)config_take_listen(config); /* it is loopback and a port */
}

/* The listener for HTTP triggers, unless pawl's own word for it stands beside. */
static void take_iii_http(const struct config_iii *iii, struct config *config,
                          struct report *report)
{
	if (!iii->has_http || config->http.listen != NULL) {
		return;
	}
	if (iii->http_port == NULL) {
		config->http.listen = mem_text("127.0.0.1:3111");
	} else {
		(void)listen_at(iii->http_port, &config->http.listen, report);
	}
}

static void read_iii(const struct yaml_node *root, const struct config_judge *judge,
                     struct config *config, struct report *report)
{
	struct config_iii iii;
	config_iii_read(root, &iii, report);
	read_all(&iii.own, judge, config, report);
	take_iii_state(&iii, config, report);
	take_iii_port(&iii, config, report);
	take_iii_http(&iii, config, report);
	config->iii_ignored = mem_copy(iii.ignored.ptr, iii.ignored.len);
	config_iii_close(&iii);
}

void config_describe_iii(const struct config *config, struct buf *out)
{
	if (config->iii_ignored == NULL) {
		return;
	}
	buf_format(out, "an iii configuration: listen %s, state %s\n", config->listen,
	           config->state.adapter.config);
	if (config->http.listen != NULL) {
		buf_format(out, "HTTP triggers: listen %s\n", config->http.listen);
	}
	if (config->iii_ignored[0] != '\0') {
		buf_format(out, "ignored: %s\n", config->iii_ignored);
	}
}

void config_warn_iii(const struct config *config)
{
	if (config->iii_ignored != NULL && config->iii_ignored[0] != '\0') {
		log_warn(
		        "config",
		        "of this iii configuration only the state, the queues and the ports count; "
		        "ignored: %s",
		        config->iii_ignored);
	}
}

int config_load(const char *path, const struct config_judge *judge, struct config **out,
                struct report *report, struct err *err)
{
	PRE(report->count == 0);
	struct yaml *yaml = NULL;
	int result = path ? yaml_load(path, &yaml, err) : yaml_parse(SPAN(""), "", &yaml, err);
	if (result != 0) {
		return result;
	}
	struct config *config = MEM_NEW(struct config);
	const struct yaml_node *root = yaml_root(yaml);
	yaml_expand(yaml, report);
	if (config_is_iii(root)) {
		read_iii(root, judge, config, report);
	} else if (root->kind == YAML_MAPPING || yaml_is_null(root)) {
		read_all(root, judge, config, report);
	} else {
		report_add(report, root->line, root->column, "invalid_value",
		           "a configuration must be a mapping, not %s", yaml_kind_name(root));
	}
	check_front(root, config, report);
	judge_together(config, judge, report);
	result = report_finish(report, path ? path : "the defaults", err);
	yaml_close(yaml);
	if (result == 0) {
		*out = config;
	} else {
		config_free(config);
	}
	return result;
}

void config_free(struct config *config)
{
	if (config == NULL) {
		return;
	}
	config_free_items(config);
	config_free_scopes(config);
	config_free_queues(config);
	config_free_tokens(config);
	secrets_free(config->secrets);
	mem_free(config->iii_ignored);
	mem_free(config->state.adapter.config);
	mem_free(config->state.adapter.plugin);
	config_free_listeners(config);
	field_free(config_fields, config);
	mem_free(config);
}
