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
