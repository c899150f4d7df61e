/* This file holds the names that the trigger of a queue is made of. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_QUEUE_NAMES_H
#define ENGINE_CORE_QUEUE_NAMES_H

/*
 * DESIGN. A queue is a trigger of type "queue" whose id is "queue:" and its name, made from the
 * config. It wakes a function of the engine, which nobody calls: who is called for a message is
 * said by the message.
 */
#define QUEUE_TYPE    "queue"
#define QUEUE_TRIGGER "queue:"
#define QUEUE_DEFAULT "default"
#define QUEUE_RUN     "engine::queue::run"
#define QUEUE_ENQUEUE "engine::queue::enqueue"

#endif
