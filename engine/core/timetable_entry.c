/* This file encodes a cron trigger's record, and finds the last time that has come. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/timetable_entry.h"

#include "engine/core/binding.h"
#include "engine/durable/space.h"

enum { PLACE_FORMAT = 1 };

static const char WHAT[] = "cron trigger's record";

void timetable_place_encode(const struct timetable_place *place, struct buf *out)
{
	space_put_u8(out, PLACE_FORMAT);
	space_put_u64(out, (uint64_t)place->until_ms);
	space_put_u64(out, (uint64_t)place->last_ms);
	space_put_u64(out, place->last_seq);
	space_put_varint(out, place->fired);
	space_put_varint(out, place->skipped);
	space_put_varint(out, place->missed);
}

int timetable_place_decode(struct span value, struct timetable_place *out, struct err *err)
{
	struct space_reader reader;
	int status = space_reader_init(&reader, value, PLACE_FORMAT, WHAT, err);
	if (status != 0) {
		return status;
	}
	struct timetable_place place = {.until_ms = (int64_t)space_get_u64(&reader)};
	place.last_ms = (int64_t)space_get_u64(&reader);
	place.last_seq = space_get_u64(&reader);
	place.fired = space_get_varint(&reader);
	place.skipped = space_get_varint(&reader);
	place.missed = space_get_varint(&reader);
	status = space_reader_end(&reader, WHAT, err);
	if (status == 0) {
		*out = place;
	}
	return status;
}

int timetable_entry_last(const struct timetable_entry *entry, const struct cron_rule *rule,
                         int64_t now_ms, int64_t *out, struct err *err)
{
	int64_t until_ms = entry->place.until_ms;
	int64_t last_ms = until_ms;
	int status = cron_rule_last(rule, now_ms, &last_ms, err);
	if (status == 0 && last_ms > until_ms &&
	    last_ms + cron_rule_delay(rule, entry->binding->id, last_ms) > now_ms) {
		status = cron_rule_last(rule, last_ms - 1, &last_ms, err);
	}
	if (status != 0 && status != E_NOT_FOUND) {
		return status;
	}
	*out = status == 0 && last_ms > until_ms ? last_ms : until_ms;
	return 0;
}
