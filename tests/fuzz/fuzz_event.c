/* This file feeds any bytes to the event decoder and checks that what it takes, it would write. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "triggers/event.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json(struct event event)
{
	struct buf out = {0};
	bool has_values = json_check(event.old_value, NULL, NULL) == 0 &&
	                  json_check(event.new_value, NULL, NULL) == 0;
	if (!has_values) {
		event.old_value = SPAN_NONE;
		event.new_value = SPAN_NONE;
	}
	event_write_json(&event, SPAN("log"), NULL, &out);
	PRE(json_check(buf_view(&out), NULL, NULL) == 0);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = {(const char *)data, size};
	struct event event;
	struct err err = {0};
	struct buf again = {0};
	uint32_t at = 0;
	struct span log;
	uint64_t epoch;
	uint64_t seq;
	if (event_parse_id(bytes, &log, &epoch, &seq)) {
		event_write_id(log, epoch, seq, &again);
		PRE(span_equal(buf_view(&again), bytes));
		buf_clear(&again);
	}
	int status = event_decode(7, bytes, &event, &err);
	PRE(status == 0 || status == E_DAMAGED || status == E_VERSION);
	if (status == 0) {
		event_encode(&event, &again, &at);
		PRE(span_equal(buf_view(&again), bytes));
		PRE(event.new_value.ptr == NULL || bytes.ptr + at == event.new_value.ptr);
		check_json(event);
	}
	buf_free(&again);
	return 0;
}
