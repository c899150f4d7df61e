/* This file spells the record of a trigger. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_TRIGGER_RECORD_H
#define ENGINE_CORE_TRIGGER_RECORD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "engine/core/binding.h"

/* A format byte and JSON: what `sqlite3` shows is what pawl knows. */
void trigger_record_encode(const struct binding *binding, struct buf *out);

/* A record taken apart; texts are unescaped into `scratch` and live as long as it. */
struct trigger_record {
	struct span id, type, namespace_, function_id, config, metadata;
	uint32_t version;
	enum binding_origin origin;
	uint64_t from_seq, until_seq;
	struct pause pause;
};
int trigger_record_decode(struct span value, struct trigger_record *out, struct buf *scratch,
                          struct err *err);

/* Frees a binding that nobody knows any more. */
void trigger_record_free(struct binding *binding);

#endif
