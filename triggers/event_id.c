/* This file spells the ids of events and takes them apart. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/event_id.h"

#include "base/id.h"

void event_write_id(struct span log, uint64_t epoch, uint64_t seq, struct buf *out)
{
	buf_span(out, log);
	buf_byte(out, '-');
	buf_uint(out, epoch);
	buf_byte(out, '-');
	buf_uint(out, seq);
}

/* Splits at the last '-': the name of a log may have one of its own. */
static bool cut_number(struct span *text, uint64_t *out)
{
	size_t at = text->len;
	while (at > 0 && text->ptr[at - 1] != '-') {
		at--;
	}
	if (at == 0 || !id_parse_uint(span_make(text->ptr + at, text->len - at), out)) {
		return false;
	}
	text->len = at - 1;
	return true;
}

bool event_parse_id(struct span id, struct span *out_log, uint64_t *out_epoch, uint64_t *out_seq)
{
	uint64_t epoch = 0;
	uint64_t seq = 0;
	if (!cut_number(&id, &seq) || !cut_number(&id, &epoch) || id.len == 0) {
		return false;
	}
	*out_log = id;
	*out_epoch = epoch;
	*out_seq = seq;
	return true;
}
