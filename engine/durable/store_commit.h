/* This file writes groups: it hands them over, and they become durable or are lost. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_COMMIT_H
#define ENGINE_DURABLE_STORE_COMMIT_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

struct store;
struct store_group;

void store_commit_open_group(struct store *store, uint64_t number);
void store_commit_ask(struct store *store);        /* the open group is to be written now... */
void store_commit_ask_lazily(struct store *store); /* ...or soon */
void store_commit_note_crowd(struct store *store);

/* False while the view is too far behind. */
bool store_commit_may_write(const struct store *store);
/* Gives the writer what is next, if it is idle. */
void store_commit_feed_writer(struct store *store);
/* The view has everything up to this group. */
void store_commit_note_applied(struct store *store, uint64_t number);
void store_commit_tell_follower(struct store *store, const struct store_group *group);

/* The adapter is of no use any more: what is queued is lost, and it will be opened again.
 * `failed` is the group whose write failed, or NULL. */
void store_commit_fail(struct store *store, struct store_group *failed, const struct err *cause);

#endif
