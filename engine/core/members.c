/* This file adds to lists of seqs, and spells them for records. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/members.h"

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"

void members_free(struct members *members)
{
	mem_free(members->seqs);
	*members = (struct members){0};
}

void members_add(struct members *members, uint64_t seq)
{
	PRE(members->count == 0 || members->seqs[members->count - 1] < seq);
	if (members->count == members->room) {
		members->room = members->room != 0 ? members->room * 2 : 1;
		members->seqs = mem_grow(members->seqs, members->room * sizeof *members->seqs);
	}
	members->seqs[members->count++] = seq;
}

void members_clear(struct members *members)
{
	members->count = 0;
}

bool members_have(const struct members *members, uint64_t seq)
{
	for (size_t i = 0; i < members->count && members->seqs[i] <= seq; i++) {
		if (members->seqs[i] == seq) {
			return true;
		}
	}
	return false;
}

void members_keep(struct members *members, const bool keeps[])
{
	size_t count = 0;
	for (size_t i = 0; i < members->count; i++) {
		if (keeps[i]) {
			members->seqs[count++] = members->seqs[i];
		}
	}
	members->count = count;
}

void members_cut(struct members *members, uint64_t to_seq)
{
	size_t count = 0;
	for (size_t i = 0; i < members->count; i++) {
		if (members->seqs[i] > to_seq) {
			members->seqs[count++] = members->seqs[i];
		}
	}
	members->count = count;
}

void members_copy(const struct members *members, struct members *to)
{
	for (size_t i = 0; i < members->count; i++) {
		members_add(to, members->seqs[i]);
	}
}

void members_write(const struct members *members, struct buf *out)
{
	uint64_t last = 0;
	buf_byte(out, '[');
	for (size_t i = 0; i < members->count; i++) {
		json_write_comma(out);
		buf_uint(out, members->seqs[i] - last);
		last = members->seqs[i];
	}
	buf_byte(out, ']');
}

bool members_read(struct span json, struct members *out)
{
	struct members members = {0};
	struct span item;
	uint64_t last = 0;
	bool good = json.len != 0 && json_kind(json) == JSON_ARRAY;
	for (struct json_iter iter = json_iter(good ? json : SPAN("[]"));
	     good && json_next_item(&iter, &item);) {
		uint64_t step = 0;
		good = members.count < MEMBERS_MAX && json_uint64(item, &step) && step != 0 &&
		       step <= UINT64_MAX - last;
		if (good) {
			last += step;
			members_add(&members, last);
		}
	}
	if (!good || members.count == 0) {
		members_free(&members);
		return false;
	}
	*out = members;
	return true;
}
