/* This file takes times as the texts that they are shown as. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/time_bound.h"

#include <string.h>

bool time_bound_is_good(struct span text)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	if (text.len < 4 || text.len >= sizeof shape) {
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		bool is_digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
		if (shape[i] == 'd' ? !is_digit : text.ptr[i] != shape[i]) {
			return false;
		}
	}
	return true;
}

/* Times of one shape are in the order of their bytes; a beginning comes before what it begins. */
bool time_bound_is_before(struct span time, struct span bound)
{
	size_t len = time.len < bound.len ? time.len : bound.len;
	int order = memcmp(time.ptr, bound.ptr, len);
	return order < 0 || (order == 0 && time.len < bound.len);
}
