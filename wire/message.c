/* This file defines the frames of the worker protocol; one table reads, checks, writes them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/message.h"
#include "base/json.h"
#include "base/json_read.h"
#include "base/json_write.h"

enum field_kind {
	FIELD_NONE,
	FIELD_STRING,
	FIELD_OBJECT,
	FIELD_ANY,  /* any JSON; null is the same as absent */
	FIELD_VALUE /* any JSON, null included */
};

struct field_rule {
	enum message_field field;
	enum field_kind kind;
	bool needed;
};

enum { RULES_MAX = 9, BOTH = MESSAGE_FROM_WORKER | MESSAGE_FROM_ENGINE };

struct type_rule {
	struct span name;
	unsigned from; /* enum message_sender */
	struct field_rule fields[RULES_MAX];
};

#define NEED(name, kind)                                                                           \
	{                                                                                          \
		MESSAGE_FIELD_##name, FIELD_##kind, true                                           \
	}
#define MAY(name, kind)                                                                            \
	{                                                                                          \
		MESSAGE_FIELD_##name, FIELD_##kind, false                                          \
	}
#define NAME(literal)                                                                              \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}

/* clang-format off */
static const struct type_rule types[MESSAGE_TYPE_COUNT] = {
	[MESSAGE_UNKNOWN] = {NAME("unknown"), 0, {{0}}},
	[MESSAGE_REGISTER_FUNCTION] = {NAME("registerfunction"), MESSAGE_FROM_WORKER, {
		NEED(id, STRING), MAY(description, STRING), MAY(request_format, ANY),
		MAY(response_format, ANY), MAY(metadata, ANY), MAY(invocation, OBJECT)}},
	[MESSAGE_UNREGISTER_FUNCTION] = {NAME("unregisterfunction"), MESSAGE_FROM_WORKER, {
		NEED(id, STRING)}},
	[MESSAGE_REGISTER_TRIGGER] = {NAME("registertrigger"), BOTH, {
		NEED(id, STRING), NEED(trigger_type, STRING), NEED(function_id, STRING),
		MAY(config, ANY), MAY(metadata, ANY), MAY(namespace, STRING),
		MAY(trigger_namespace, STRING)}},
	[MESSAGE_UNREGISTER_TRIGGER] = {NAME("unregistertrigger"), BOTH, {
		NEED(id, STRING), MAY(trigger_type, STRING)}},
	[MESSAGE_TRIGGER_REGISTRATION_RESULT] = {NAME("triggerregistrationresult"), BOTH, {
		NEED(id, STRING), MAY(trigger_type, STRING), MAY(function_id, STRING),
		MAY(error, OBJECT)}},
	[MESSAGE_REGISTER_TRIGGER_TYPE] = {NAME("registertriggertype"), MESSAGE_FROM_WORKER, {
		NEED(id, STRING), MAY(description, STRING), MAY(trigger_request_format, ANY),
		MAY(call_request_format, ANY), MAY(namespace, STRING)}},
	[MESSAGE_UNREGISTER_TRIGGER_TYPE] = {NAME("unregistertriggertype"), MESSAGE_FROM_WORKER, {
		NEED(id, STRING), MAY(namespace, STRING)}},
	[MESSAGE_REGISTER_SERVICE] = {NAME("registerservice"), MESSAGE_FROM_WORKER, {
		NEED(id, STRING), MAY(name, STRING), MAY(description, STRING),
		MAY(parent_service_id, STRING)}},
	[MESSAGE_INVOKE_FUNCTION] = {NAME("invokefunction"), BOTH, {
		MAY(invocation_id, STRING), NEED(function_id, STRING), MAY(data, VALUE),
		MAY(action, OBJECT), MAY(metadata, ANY), MAY(traceparent, STRING),
		MAY(baggage, STRING), MAY(namespace, STRING)}},
	[MESSAGE_INVOCATION_RESULT] = {NAME("invocationresult"), BOTH, {
		NEED(invocation_id, STRING), MAY(function_id, STRING), MAY(result, VALUE),
		MAY(error, OBJECT), MAY(traceparent, STRING), MAY(baggage, STRING)}},
	[MESSAGE_REGISTRATION_REJECTED] = {NAME("registrationrejected"), MESSAGE_FROM_ENGINE, {
		NEED(code, STRING), MAY(namespace, STRING), MAY(worker_name, STRING),
		MAY(function_id, STRING), MAY(owner_worker_id, STRING)}},
	[MESSAGE_WORKER_REGISTERED] = {NAME("workerregistered"), MESSAGE_FROM_ENGINE, {
		NEED(worker_id, STRING), MAY(reattach_token, STRING)}},
	[MESSAGE_REATTACH] = {NAME("reattach"), MESSAGE_FROM_WORKER, {
		NEED(previous_worker_id, STRING), NEED(reattach_token, STRING)}},
	[MESSAGE_PING] = {NAME("ping"), BOTH, {{0}}},
	[MESSAGE_PONG] = {NAME("pong"), BOTH, {{0}}},
};
/* clang-format on */

/* The names of enum message_field, and behind them the name of the type. */
static const struct span names[MESSAGE_FIELD_COUNT + 1] = {
#define X(name) NAME(#name),
        MESSAGE_FIELDS(X)
#undef X
                NAME("type"),
};

const char *message_type_name(enum message_type type)
{
	return types[type].name.ptr;
}

/* ---- reading ---- */

static int fail_field(const struct type_rule *rule, const struct field_rule *field,
                      struct span value, struct err *err)
{
	const char *name = names[field->field].ptr;
	if (!value.ptr) {
		return err_set(err, E_INVALID, "invalid_message", "the field '%s' of %s is missing",
		               name, rule->name.ptr);
	}
	return err_set(err, E_INVALID, "invalid_message",
	               "the field '%s' of %s must be %s, and it is of kind %s", name,
	               rule->name.ptr, field->kind == FIELD_STRING ? "a string" : "an object",
	               json_kind_name(json_kind(value)));
}

static bool kind_is_right(enum field_kind kind, struct span value)
{
	switch (kind) {
	case FIELD_STRING:
		return value.ptr[0] == '"';
	case FIELD_OBJECT:
		return value.ptr[0] == '{';
	case FIELD_NONE:
	case FIELD_ANY:
	case FIELD_VALUE:
		break;
	}
	return true;
}

/* Room for everything that may be unescaped, now and by message_error_parse and
 * message_action_parse, so that what has been handed out does not move. */
static void reserve_scratch(const struct type_rule *rule, const struct span found[],
                            struct buf *scratch)
{
	size_t room = 0;
	for (const struct field_rule *field = rule->fields; field->kind != FIELD_NONE; field++) {
		bool is_unescaped = field->kind == FIELD_STRING ||
		                    field->field == MESSAGE_FIELD_error ||
		                    field->field == MESSAGE_FIELD_action;
		room += is_unescaped ? found[field->field].len : 0;
	}
	buf_clear(scratch);
	(void)buf_reserve(scratch, room);
}

static int take_fields(const struct type_rule *rule, const struct span found[], struct buf *scratch,
                       struct message *out, struct err *err)
{
	int failed = 0;
	reserve_scratch(rule, found, scratch);
	for (const struct field_rule *field = rule->fields; field->kind != FIELD_NONE; field++) {
		struct span value = found[field->field];
		bool is_absent = !value.ptr || (value.ptr[0] == 'n' && field->kind != FIELD_VALUE);
		if (is_absent && !field->needed) {
			continue;
		}
		if (is_absent || !kind_is_right(field->kind, value)) {
			failed = failed ? failed : fail_field(rule, field, value, err);
			continue;
		}
		out->fields[field->field] =
		        field->kind == FIELD_STRING ? json_plain(value, scratch) : value;
	}
	return failed;
}

static enum message_type find_type(struct span type, enum message_sender from)
{
	for (int i = MESSAGE_UNKNOWN + 1; i < MESSAGE_TYPE_COUNT; i++) {
		if ((types[i].from & from) && json_string_is(type, types[i].name)) {
			return (enum message_type)i;
		}
	}
	return MESSAGE_UNKNOWN;
}

int message_parse(struct span frame, enum message_sender from, struct buf *scratch,
                  struct message *out, struct err *err)
{
	*out = (struct message){.type = MESSAGE_UNKNOWN};
	struct span found[MESSAGE_FIELD_COUNT + 1];
	if (json_check_object(frame, names, MESSAGE_FIELD_COUNT + 1, found, err) != 0) {
		return E_INVALID;
	}
	struct span type = found[MESSAGE_FIELD_COUNT];
	if (!type.ptr || type.ptr[0] != '"') {
		return err_set(err, E_INVALID, "invalid_message",
		               type.ptr ? "the field 'type' must be a string"
		                        : "the field 'type' is missing");
	}
	out->type = find_type(type, from);
	if (out->type == MESSAGE_UNKNOWN) {
		int len = type.len < 64 ? (int)type.len : 64;
		return err_set(
		        err, E_NOT_FOUND, "unknown_type", "no frame from %s has the type %.*s",
		        from == MESSAGE_FROM_WORKER ? "a worker" : "an engine", len, type.ptr);
	}
	return take_fields(&types[out->type], found, scratch, out, err);
}

static struct span plain_string(struct span value, struct buf *scratch)
{
	return value.ptr && value.ptr[0] == '"' ? json_plain(value, scratch) : SPAN_NONE;
}

void message_error_parse(struct span error, struct buf *scratch, struct message_error *out)
{
	static const struct span members[] = {NAME("code"), NAME("message"), NAME("stacktrace")};
	struct span found[3];
	json_get_many(error, members, 3, found);
	(void)buf_reserve(scratch, error.len);
	out->code = plain_string(found[0], scratch);
	out->text = plain_string(found[1], scratch);
	out->stacktrace = plain_string(found[2], scratch);
}

int message_action_parse(struct span action, struct buf *scratch, struct message_action *out,
                         struct err *err)
{
	static const struct span members[] = {NAME("type"), NAME("queue")};
	struct span found[2] = {SPAN_NONE, SPAN_NONE};
	if (!action.ptr) {
		*out = (struct message_action){.kind = MESSAGE_CALL};
		return 0;
	}
	json_get_many(action, members, 2, found);
	if (found[0].ptr && json_string_is(found[0], SPAN("void"))) {
		*out = (struct message_action){.kind = MESSAGE_VOID};
		return 0;
	}
	if (!found[0].ptr || !json_string_is(found[0], SPAN("enqueue"))) {
		return err_set(err, E_INVALID, "invalid_message",
		               "the 'type' of an action is \"void\" or \"enqueue\"");
	}
	if (!found[1].ptr || found[1].ptr[0] != '"' || found[1].len == 2) {
		return err_set(err, E_INVALID, "invalid_message",
		               "an action of type \"enqueue\" needs the name of a 'queue'");
	}
	*out = (struct message_action){MESSAGE_ENQUEUE, json_plain(found[1], scratch), action};
	return 0;
}

/* ---- writing ---- */

static void write_fields(struct buf *out, const struct message *message, int left_out)
{
	const struct type_rule *rule = &types[message->type];
	PRE(message->type != MESSAGE_UNKNOWN);
	BUF_LITERAL(out, "{\"type\":\"");
	buf_span(out, rule->name);
	buf_byte(out, '"');
	for (const struct field_rule *field = rule->fields; field->kind != FIELD_NONE; field++) {
		struct span value = message->fields[field->field];
		if ((int)field->field == left_out) {
			continue;
		}
		if (!value.ptr) {
			PRE(!field->needed);
			continue;
		}
		BUF_LITERAL(out, ",\"");
		buf_span(out, names[field->field]);
		BUF_LITERAL(out, "\":");
		if (field->kind == FIELD_STRING) {
			json_write_string(out, value);
		} else {
			buf_span(out, value);
		}
	}
}

void message_write(struct buf *out, const struct message *message)
{
	write_fields(out, message, MESSAGE_FIELD_COUNT);
	buf_byte(out, '}');
}

void message_begin(struct buf *out, const struct message *message, enum message_field last)
{
	write_fields(out, message, (int)last);
	BUF_LITERAL(out, ",\"");
	buf_span(out, names[last]);
	BUF_LITERAL(out, "\":");
}

void message_end(struct buf *out)
{
	buf_byte(out, '}');
}

void message_write_error(struct buf *out, const struct message_error *error)
{
	BUF_LITERAL(out, "{\"code\":");
	json_write_string(out, error->code);
	BUF_LITERAL(out, ",\"message\":");
	json_write_string(out, error->text);
	if (error->stacktrace.len != 0) {
		BUF_LITERAL(out, ",\"stacktrace\":");
		json_write_string(out, error->stacktrace);
	}
	buf_byte(out, '}');
}

void message_write_failed(struct buf *out, const struct message *message,
                          const struct message_error *error)
{
	message_begin(out, message, MESSAGE_FIELD_error);
	message_write_error(out, error);
	message_end(out);
}
