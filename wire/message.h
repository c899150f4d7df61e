/* This file defines the frames of the worker protocol; one table reads, checks, writes them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. A message is its type and one span for every field that any type has. The table in
 * message.c says which fields a type takes, of which JSON kind, and which of them it needs;
 * reading, error text and writing all follow it. Fields of kind string are plain bytes here and
 * quoted on the wire; all others (data, config, error, ...) are the JSON text itself, in both
 * directions.
 *
 * null in a field that may be absent is the same as absent, save in `data` and `result`, where it
 * is a value. Members that the table does not know are ignored.
 */
#define MESSAGE_FIELDS(X)                                                                          \
	X(id)                                                                                      \
	X(function_id)                                                                             \
	X(invocation_id)                                                                           \
	X(data)                                                                                    \
	X(result)                                                                                  \
	X(error)                                                                                   \
	X(action)                                                                                  \
	X(metadata)                                                                                \
	X(traceparent)                                                                             \
	X(baggage)                                                                                 \
	X(namespace)                                                                               \
	X(trigger_type)                                                                            \
	X(config)                                                                                  \
	X(trigger_namespace)                                                                       \
	X(description)                                                                             \
	X(request_format)                                                                          \
	X(response_format)                                                                         \
	X(invocation)                                                                              \
	X(trigger_request_format)                                                                  \
	X(call_request_format)                                                                     \
	X(name)                                                                                    \
	X(parent_service_id)                                                                       \
	X(code)                                                                                    \
	X(worker_name)                                                                             \
	X(owner_worker_id)                                                                         \
	X(worker_id)                                                                               \
	X(reattach_token)                                                                          \
	X(previous_worker_id)

enum message_field {
#define X(name) MESSAGE_FIELD_##name,
	MESSAGE_FIELDS(X)
#undef X
	        MESSAGE_FIELD_COUNT
};

enum message_type {
	MESSAGE_UNKNOWN,
	MESSAGE_REGISTER_FUNCTION,
	MESSAGE_UNREGISTER_FUNCTION,
	MESSAGE_REGISTER_TRIGGER,
	MESSAGE_UNREGISTER_TRIGGER,
	MESSAGE_TRIGGER_REGISTRATION_RESULT,
	MESSAGE_REGISTER_TRIGGER_TYPE,
	MESSAGE_UNREGISTER_TRIGGER_TYPE,
	MESSAGE_REGISTER_SERVICE,
	MESSAGE_INVOKE_FUNCTION,
	MESSAGE_INVOCATION_RESULT,
	MESSAGE_REGISTRATION_REJECTED,
	MESSAGE_WORKER_REGISTERED,
	MESSAGE_REATTACH,
	MESSAGE_PING,
	MESSAGE_PONG,
	MESSAGE_TYPE_COUNT
};

enum message_sender { MESSAGE_FROM_WORKER = 1, MESSAGE_FROM_ENGINE = 2 };

struct message {
	enum message_type type;
	union {
		struct {
#define X(name) struct span name;
			MESSAGE_FIELDS(X)
#undef X
		};
		struct span fields[MESSAGE_FIELD_COUNT]; /* by enum message_field */
	};
};

const char *message_type_name(enum message_type type); /* "invokefunction" */

/*
 * Reads one frame. The spans point into `frame`, or into `scratch` (cleared first) for strings that
 * were escaped. E_INVALID: "invalid_json", or "invalid_message" (a missing field, a wrong kind);
 * E_NOT_FOUND "unknown_type": no type of this sender. On failure `out` holds the type as far as it
 * is known and those fields that were right, so that the caller finds the id to answer to.
 */
int message_parse(struct span frame, enum message_sender from, struct buf *scratch,
                  struct message *out, struct err *err);

/* Appends the frame's JSON; every field that its type needs must be set. */
void message_write(struct buf *out, const struct message *message);
/* The same with `last` composed in place: the caller appends its JSON value, then message_end. */
void message_begin(struct buf *out, const struct message *message, enum message_field last);
void message_end(struct buf *out);

struct message_error {
	struct span code;
	struct span text;
	struct span stacktrace; /* may be absent */
};
/* {"code":...,"message":...,"stacktrace":...} */
void message_write_error(struct buf *out, const struct message_error *error);
/* A message whose `error` is this one. */
void message_write_failed(struct buf *out, const struct message *message,
                          const struct message_error *error);

/* The members of `error`, plain; absent where they are missing or no strings. `scratch` may be that
 * of message_parse, here and below: it does not move then. */
void message_error_parse(struct span error, struct buf *scratch, struct message_error *out);

/* `action`, absent or {"type":"void"} or {"type":"enqueue","queue":Q,...}. E_INVALID
 * "invalid_message". */
enum message_action_kind { MESSAGE_CALL, MESSAGE_VOID, MESSAGE_ENQUEUE };
struct message_action {
	enum message_action_kind kind;
	struct span queue; /* plain; of an enqueue */
	struct span text;  /* the action of an enqueue as it is: it may say when */
};
int message_action_parse(struct span action, struct buf *scratch, struct message_action *out,
                         struct err *err);

#endif
