/* This file names the arguments that state functions take, and reads them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_ARGUMENT_H
#define ENGINE_CORE_ARGUMENT_H

#include "adapters/batch.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/* Arguments that are in no form are ignored, for the SDKs send some of their own. */
enum argument_kind {
	KIND_ANY, /* null is a value; everywhere else it is the same as absent */
	KIND_STRING,
	KIND_BOOL,
	KIND_COUNT, /* a whole number from 1 on */
	KIND_ARRAY
};

#define ARGUMENTS(X)                                                                               \
	X(ARG_SCOPE, "scope", KIND_STRING)                                                         \
	X(ARG_KEY, "key", KIND_STRING)                                                             \
	X(ARG_TYPE, "type", KIND_STRING)                                                           \
	X(ARG_VALUE, "value", KIND_ANY)                                                            \
	X(ARG_DATA, "data", KIND_ANY)                                                              \
	X(ARG_OPS, "ops", KIND_ARRAY)                                                              \
	X(ARG_ATOMIC, "atomic", KIND_BOOL)                                                         \
	X(ARG_IF_REV, "if_rev", KIND_STRING)                                                       \
	X(ARG_EVENT_ON_NOOP, "event_on_noop", KIND_BOOL)                                           \
	X(ARG_WITH_REV, "with_rev", KIND_BOOL)                                                     \
	X(ARG_PREFIX, "prefix", KIND_STRING)                                                       \
	X(ARG_START, "start", KIND_STRING)                                                         \
	X(ARG_END, "end", KIND_STRING)                                                             \
	X(ARG_LIMIT, "limit", KIND_COUNT)                                                          \
	X(ARG_CURSOR, "cursor", KIND_STRING)                                                       \
	X(ARG_REVERSE, "reverse", KIND_BOOL)                                                       \
	X(ARG_WITH_KEYS, "with_keys", KIND_BOOL)                                                   \
	X(ARG_KEYS, "keys", KIND_ARRAY)                                                            \
	X(ARG_ITEMS, "items", KIND_ARRAY)                                                          \
	X(ARG_TTL_MS, "ttl_ms", KIND_COUNT)                                                        \
	X(ARG_TTL, "ttl", KIND_STRING)                                                             \
	X(ARG_EXPIRES_AT, "expires_at", KIND_ANY)                                                  \
	X(ARG_ENCODING, "encoding", KIND_STRING)                                                   \
	X(ARG_WITH_ENCODING, "with_encoding", KIND_BOOL)                                           \
	X(ARG_KEYS_ONLY, "keys_only", KIND_BOOL)                                                   \
	X(ARG_NAMESPACE, "namespace", KIND_STRING)                                                 \
	X(ARG_KEEP_ALARMS, "keep_alarms", KIND_BOOL)                                               \
	X(ARG_IDEMPOTENCY_KEY, "idempotency_key", KIND_STRING)

enum argument {
#define X(name, text, kind) name,
	ARGUMENTS(X)
#undef X
	        ARG_COUNT
};

enum { ARGUMENT_FORM_MAX = 14, ARGUMENT_SCOPE_MAX = 512, ARGUMENT_KEY_MAX = 1024 };

/* What one function takes: the first `required` of the list must be there. */
struct argument_form {
	struct span name; /* "state::set": begins every error */
	uint8_t required;
	uint8_t count;
	uint8_t list[ARGUMENT_FORM_MAX]; /* enum argument */
};

/* Reads a valid object. Only the slots of the form are filled: a value, or absent. E_INVALID
 * "argument_required" or "invalid_argument". */
int arguments_read(const struct argument_form *form, struct span object, struct span out[ARG_COUNT],
                   struct err *err);

/* Unescaped. `scratch` gets what had to be unescaped and must have room for it already (see
 * argument_reserve). E_INVALID "invalid_key". */
int argument_scope(struct span name, struct span value, struct buf *scratch, struct span *out,
                   struct err *err);
int argument_key(struct span name, struct span value, struct buf *scratch, struct span *out,
                 struct err *err);
/* Both, from ARG_SCOPE and ARG_KEY, for functions that name one record. Makes its own room. */
int argument_record(const struct argument_form *form, const struct span args[ARG_COUNT],
                    struct buf *scratch, struct record_key *out, struct err *err);
/* Room for every string of `data`, if one of them is escaped at all. */
void argument_reserve(struct buf *scratch, struct span data);

bool argument_is_true(struct span value);
uint64_t argument_count(struct span value, uint64_t otherwise); /* for when it is absent */

#endif
