/* This file shows an alarm's event as JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/alarm_json.h"

#include "base/json.h"

void alarm_json_write(const char *event_type, struct span scope, struct span key, struct span told,
                      struct buf *out)
{
	BUF_LITERAL(out, "{\"type\":\"alarm\"");
	json_write_member_string(out, "event_type", span_of(event_type));
	json_write_member_string(out, "scope", scope);
	json_write_member_string(out, "key", key);
	if (told.len > 2) {
		buf_byte(out, ',');
		buf_span(out, span_make(told.ptr + 1, told.len - 2));
	}
}

void alarm_json_write_attempt(uint32_t attempt, struct span value, struct buf *out)
{
	uint32_t retries = attempt > 1 ? attempt - 1 : 0;
	json_write_member_uint(out, "retry_count", retries);
	json_write_member_bool(out, "is_retry", retries != 0);
	json_write_member_raw(out, "value", value.ptr != NULL ? value : SPAN("null"));
}
