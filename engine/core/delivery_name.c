/* This file writes and reads "<event id>/<trigger id>[/r<n>]". */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/delivery_name.h"

#include "engine/core/binding.h"
#include "triggers/event.h"

void delivery_write_id(const struct delivery *delivery, struct span log, uint64_t epoch,
                       struct buf *out)
{
	event_write_id(log, epoch, delivery->seq, out);
	buf_byte(out, '/');
	buf_span(out, delivery->binding->id);
	if (delivery->replay != 0) {
		buf_format(out, "/r%u", delivery->replay);
	}
}

/* "/r<n>" at the end; else it is part of the trigger's id. */
static bool parse_replay(struct span text, uint32_t *out)
{
	uint64_t number = 0;
	if (text.len < 3 || text.len > 11 || text.ptr[0] != '/' || text.ptr[1] != 'r' ||
	    text.ptr[2] == '0') {
		return false;
	}
	for (size_t i = 2; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9') {
			return false;
		}
		number = number * 10 + (uint64_t)(text.ptr[i] - '0');
	}
	*out = (uint32_t)number;
	return number <= UINT32_MAX;
}

bool delivery_parse_id(struct span id, struct delivery_name *out)
{
	const char *slash = id.len != 0 ? memchr(id.ptr, '/', id.len) : NULL;
	struct span log;
	struct delivery_name name = {0};
	if (slash == NULL || !event_parse_id(span_make(id.ptr, (size_t)(slash - id.ptr)), &log,
	                                     &name.epoch, &name.seq)) {
		return false;
	}
	name.trigger = span_make(slash + 1, id.len - (size_t)(slash + 1 - id.ptr));
	const char *last = memrchr(slash, '/', id.len - (size_t)(slash - id.ptr));
	size_t at = (size_t)(last - id.ptr);
	if (last != slash && parse_replay(span_make(last, id.len - at), &name.replay)) {
		name.trigger.len = (size_t)(last - name.trigger.ptr);
	}
	*out = name;
	return true;
}
