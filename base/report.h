/* This file collects everything that is wrong with one input file, line by line. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_REPORT_H
#define BASE_REPORT_H

#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REPORT_ITEMS_MAX = 100 };

struct report_item {
	uint32_t line;    /* from 1; 0 = the whole file */
	uint32_t column;  /* from 1; 0 = the whole line */
	const char *code; /* static: "unknown_key" */
	char *text;
};

/* All zero is an empty report. */
struct report {
	struct report_item items[REPORT_ITEMS_MAX];
	size_t count;
	size_t dropped; /* found when the report was already full */
};

/* Of several faults at one line and column the first is kept: the others follow from it. */
void report_add(struct report *report, uint32_t line, uint32_t column, const char *code,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
void report_close(struct report *report);

/* Sorts the items by place. Returns 0 when there are none, else E_INVALID with the first one in
 * err, as "name:line:column: text", and how many more there are. */
int report_finish(struct report *report, const char *name, struct err *err);

#endif
