/* This file says whether the answer of a condition function means yes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_CONSENT_H
#define ENGINE_CORE_CONSENT_H

#include "base/json.h"
#include "base/span.h"
#include <stdbool.h>

/* Absent, null, false, "" and 0 mean no; with `only_false_means_no` (compat.condition: iii) only
 * false does. */
static inline bool consent_given(struct span answer, bool only_false_means_no)
{
	if (only_false_means_no) {
		return !span_is(answer, "false");
	}
	if (json_is_null(answer) || span_is(answer, "false") || span_is(answer, "\"\"")) {
		return false;
	}
	double number;
	return json_kind(answer) != JSON_NUMBER || !json_double(answer, &number) || number < 0.0 ||
	       number > 0.0;
}

#endif
