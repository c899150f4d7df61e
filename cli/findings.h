/* This file collects what a checkup finds, and shows it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FINDINGS_H
#define CLI_FINDINGS_H

#include "base/buf.h"
#include <stdbool.h>
#include <stddef.h>

enum findings_level { FINDINGS_OK, FINDINGS_WARN, FINDINGS_FAIL, FINDINGS_LEVELS };

struct findings {
	bool json;
	bool color;
	struct buf items; /* of the JSON list */
	size_t counts[FINDINGS_LEVELS];
};

/* One finding, printed at once unless as JSON. `advice` says what to do; NULL when nothing is. */
void findings_add(struct findings *findings, enum findings_level level, const char *topic,
                  const char *advice, const char *format, ...)
        __attribute__((format(printf, 5, 6)));
/* The sum, and the end of the list. True when nothing failed. */
bool findings_end(struct findings *findings);

#endif
