/* This file keeps the seqs of the events that are delivered together, least first. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_MEMBERS_H
#define ENGINE_CORE_MEMBERS_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEMBERS_MAX = 1000 };

/* All zero is none. */
struct members {
	uint64_t *seqs;
	size_t count;
	size_t room;
};

void members_free(struct members *members); /* the memory; it is empty again */
/* Greater than all that are there. */
void members_add(struct members *members, uint64_t seq);
void members_clear(struct members *members);
bool members_have(const struct members *members, uint64_t seq);
/* Only those stay, in their order, for which keeps[i] is true. */
void members_keep(struct members *members, const bool keeps[]);
/* Those up to this one go. */
void members_cut(struct members *members, uint64_t to_seq);
/* To one that has none. */
void members_copy(const struct members *members, struct members *to);

/* As a JSON array: the first seq, then how much greater each is than the one before. */
void members_write(const struct members *members, struct buf *out);
/* Reads what members_write wrote into an empty one. False, and it stays empty: it is none. */
bool members_read(struct span json, struct members *out);

#endif
