/* This file feeds any text to the readers of timestamps and durations, and reads their spelling. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/moment.h"
#include "triggers/expr/moment_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int read_fn(struct span text, int64_t *out_seconds, uint32_t *out_nanos);
typedef void write_fn(int64_t seconds, uint32_t nanos, struct buf *out);

static void check(struct span text, read_fn *read, write_fn *write)
{
	int64_t seconds = 0;
	uint32_t nanos = 0;
	int status = read(text, &seconds, &nanos);
	if (status != 0) {
		PRE(status == E_INVALID || status == E_LIMIT);
		return;
	}
	int64_t again_seconds = 0;
	uint32_t again_nanos = 0;
	struct buf out = {0};
	write(seconds, nanos, &out);
	PRE(read(buf_view(&out), &again_seconds, &again_nanos) == 0);
	PRE(seconds == again_seconds && nanos == again_nanos);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};
	check(text, moment_read_timestamp, moment_write_timestamp);
	check(text, moment_read_duration, moment_write_duration);
	return 0;
}
