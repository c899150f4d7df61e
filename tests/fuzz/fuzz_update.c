/* This file feeds update_apply with a value on the first line and operations on the second. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/json.h"
#include "engine/core/update.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = {(const char *)data, size};
	const char *line = size ? memchr(data, '\n', size) : NULL;
	if (line == NULL) {
		return 0;
	}
	struct span value = span_make(input.ptr, (size_t)(line - input.ptr));
	struct span ops = span_make(line + 1, size - value.len - 1);
	if (value.len == 0) {
		value = SPAN_NONE;
	} else if (json_check(value, &value, NULL) != 0) {
		return 0;
	}
	if (json_check(ops, &ops, NULL) != 0) {
		return 0;
	}
	for (int atomic = 0; atomic < 2; atomic++) {
		struct buf out = {0};
		struct buf errors = {0};
		int status = update_apply(value, ops, atomic != 0, &out, &errors, NULL);
		struct span whole;
		if (out.len != 0) {
			POST(json_check(buf_view(&out), &whole, NULL) == 0 && whole.len == out.len);
		}
		if (errors.len != 0) {
			POST(json_check(buf_view(&errors), NULL, NULL) == 0);
		}
		POST(status == 0 || (out.len == 0 && errors.len == 0));
		POST(atomic == 0 || errors.len == 0 || span_equal(buf_view(&out), value));
		buf_free(&out);
		buf_free(&errors);
	}
	return 0;
}
