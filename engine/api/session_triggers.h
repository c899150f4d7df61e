/* This file registers triggers of workers, and trigger types that workers provide themselves. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_SESSION_TRIGGERS_H
#define ENGINE_API_SESSION_TRIGGERS_H

#include "base/err.h"
#include "base/span.h"
#include "engine/core/catalog.h"
#include "engine/core/worker.h"
#include "wire/message.h"

/*
 * DESIGN. A binding to a type of our own goes to the catalog and is durable. A binding to any other
 * type is parked until some worker provides that type; then, and whenever such a provider comes
 * again, it is forwarded to it. It ends with its worker's connection; the provider is told.
 */
struct session_triggers;

/* How a frame reaches a worker; with `err` it is sent as a failure. Does nothing while it is away.
 */
typedef void session_send_fn(void *ctx, struct worker *worker, const struct message *frame,
                             const struct err *err);

struct session_triggers *session_triggers_new(struct catalog *catalog, session_send_fn *send,
                                              void *ctx);
void session_triggers_free(struct session_triggers *triggers);

void session_register_trigger(struct session_triggers *triggers, struct worker *worker,
                              const struct message *frame);
void session_unregister_trigger(struct session_triggers *triggers, struct worker *worker,
                                struct span id);

void session_register_type(struct session_triggers *triggers, struct worker *worker,
                           const struct message *frame);
void session_unregister_type(struct session_triggers *triggers, struct worker *worker,
                             struct span id);
/* A provider's word on a binding: passed on to whoever asked for it. */
void session_type_answered(struct session_triggers *triggers, struct worker *worker,
                           const struct message *frame);
/* The worker's connection is gone: its types and its bindings to others' types are too. */
void session_types_lost(struct session_triggers *triggers, struct worker *worker);

#endif
