/* This file finds the type that a trigger names. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/triggers.h"

#include "base/json.h"
#include "triggers/on_alarm.h"
#include "triggers/on_cron.h"
#include "triggers/on_dead.h"
#include "triggers/on_event.h"
#include "triggers/on_http.h"
#include "triggers/on_message.h"
#include "triggers/on_state.h"

static const struct trigger_type types[] = {
        {"state", "Wakes when a key of the state changes.", on_state_parse, on_state_print},
        {"event", "Wakes when somebody sends a CloudEvent (POST /v1/events).", on_event_parse,
         on_event_print},
        {"dead", "Wakes when a delivery of another trigger becomes a dead letter.", on_dead_parse,
         on_dead_print},
        {"alarm", "Wakes when the time of an alarm on an object has come.", on_alarm_parse,
         on_alarm_print},
        {"cron", "Wakes when the clocks of a time zone show one of its times.", on_cron_parse,
         on_cron_print},
        {"http", "Wakes when a request comes to its path; the function's result answers it.",
         on_http_parse, on_http_print},
        {"durable:subscriber",
         "Wakes when somebody publishes to its topic (iii::durable::publish).",
         on_message_parse_durable, on_message_print},
        {"subscribe", "Wakes when somebody publishes to its topic (publish).",
         on_message_parse_subscribe, NULL},
        {"queue", "Runs the messages of a queue; made from the queues of the config.",
         on_message_parse_queue, NULL},
};

/* Types that are planned: refused by name, not taken for somebody else's. */
static const char *const planned[] = {"stream"};

size_t trigger_type_count(void)
{
	return sizeof types / sizeof *types;
}

const struct trigger_type *trigger_type_at(size_t index)
{
	return &types[index];
}

void trigger_print_fields(const char *prefix, struct buf *out)
{
	for (size_t i = 0; i < trigger_type_count(); i++) {
		if (types[i].print != NULL) {
			types[i].print(prefix, out);
		}
	}
}

static const struct trigger_type *find(struct span name)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (span_is(name, types[i].name)) {
			return &types[i];
		}
	}
	return NULL;
}

static bool is_planned(struct span name)
{
	for (size_t i = 0; i < sizeof planned / sizeof *planned; i++) {
		if (span_is(name, planned[i])) {
			return true;
		}
	}
	return false;
}

bool trigger_type_is_ours(struct span name)
{
	return find(name) != NULL || is_planned(name);
}

/* Knows what the types are, for who asked for another. */
static int refuse_type(struct span name, struct err *err)
{
	struct buf known = {0};
	for (size_t i = 0; i < trigger_type_count(); i++) {
		buf_format(&known, "%s%s", i == 0 ? "" : ", ", types[i].name);
	}
	int status = err_set(err, E_NOT_FOUND, "trigger_type_not_found",
	                     "there is no trigger type '%.*s'; the types are: %.*s",
	                     (int)(name.len < 64 ? name.len : 64), name.ptr ? name.ptr : "",
	                     SPAN_ARG(buf_view(&known)));
	buf_free(&known);
	return status;
}

int trigger_parse(const struct trigger_request *request, struct filter **out,
                  struct trigger_policy *out_policy, struct err *err)
{
	const struct trigger_type *type = find(request->type);
	if (type == NULL && is_planned(request->type)) {
		return err_set(err, E_UNSUPPORTED, "not_available",
		               "triggers of type '%.*s' are not available yet",
		               SPAN_ARG(request->type));
	}
	if (type == NULL) {
		return refuse_type(request->type, err);
	}
	if (json_kind(request->config) != JSON_OBJECT) {
		return err_set(err, E_INVALID, "invalid_trigger",
		               "the config of a trigger must be an object, not %s",
		               json_kind_name(json_kind(request->config)));
	}
	return type->parse(request, out, out_policy, err);
}
