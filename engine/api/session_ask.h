/* This file lets a worker call functions: the engine's own and those of others. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_SESSION_ASK_H
#define ENGINE_API_SESSION_ASK_H

#include "base/buf.h"
#include "engine/core/function.h"
#include "engine/core/tracer.h"
#include "engine/core/worker.h"
#include "wire/message.h"

/* Does what an `invokefunction` frame of a worker asks for; the answer goes to wherever the worker
 * is connected by then. Reading from it stops while too many calls of the engine's own are on their
 * way. */
/* `tracer`: NULL, or who makes a span of it. */
void session_ask(struct functions *functions, struct tracer *tracer, struct worker *worker,
                 const struct message *frame, struct buf *scratch);

/* It is about the very worker that asks: nobody else need allow it. */
bool session_ask_is_own(const struct message *frame);

#endif
