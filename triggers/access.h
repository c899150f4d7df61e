/* This file finds postings by the values that an event has at their paths. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_ACCESS_H
#define TRIGGERS_ACCESS_H

#include "triggers/expr/activation.h"
#include "triggers/posting.h"
#include "triggers/ranges.h"
#include <stddef.h>

/*
 * DESIGN. Per path: a hash table from values to bins of postings, for strings also from prefixes
 * and suffixes (an event asks once for each length in use, at most 63), a tree of ranges, and a
 * list of those for which it is enough that the path is there. An event visits the paths that are
 * used here or those that it has, whichever are fewer. Equal is what CEL calls equal: 1, 1u and 1.0
 * are one key.
 */
struct access;

struct access *access_new(void);
void access_free(struct access *access); /* empty; NULL is harmless */
bool access_is_empty(const struct access *access);

/* A posting for the key, whose kind is not ACCESS_ALWAYS; entry, bucket and events are the
 * caller's to set. It stands under its key until access_remove, which frees it. */
struct posting *access_add(struct access *access, const struct access_key *key);
void access_remove(struct access *access, struct posting *posting);
/* How many an event that has this key would visit: those under it; of ranges a guess. */
size_t access_count(const struct access *access, const struct access_key *key);

void access_find(struct access *access, struct activation *values, posting_fn *found, void *ctx);

#endif
