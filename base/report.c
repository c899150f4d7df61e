/* This file keeps a bounded list of faults and turns it into one error. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/report.h"

#include "base/mem.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void report_add(struct report *report, uint32_t line, uint32_t column, const char *code,
                const char *format, ...)
{
	for (size_t i = 0; i < report->count && column != 0; i++) {
		if (report->items[i].line == line && report->items[i].column == column) {
			return;
		}
	}
	if (report->count == REPORT_ITEMS_MAX) {
		report->dropped++;
		return;
	}
	char text[ERR_TEXT_MAX];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	report->items[report->count++] = (struct report_item){line, column, code, mem_text(text)};
}

void report_close(struct report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		mem_free(report->items[i].text);
	}
	*report = (struct report){0};
}

static int item_order(const void *a, const void *b)
{
	const struct report_item *left = a;
	const struct report_item *right = b;
	if (left->line != right->line) {
		return left->line < right->line ? -1 : 1;
	}
	return (left->column > right->column) - (left->column < right->column);
}

int report_finish(struct report *report, const char *name, struct err *err)
{
	if (report->count == 0) {
		return 0;
	}
	qsort(report->items, report->count, sizeof report->items[0], item_order);
	const struct report_item *first = &report->items[0];
	char more[48] = "";
	size_t others = report->count - 1 + report->dropped;
	if (others != 0) {
		(void)snprintf(more, sizeof more, " (and %zu more)", others);
	}
	char place[32] = "";
	if (first->line != 0 && first->column != 0) {
		(void)snprintf(place, sizeof place, "%u:%u: ", first->line, first->column);
	} else if (first->line != 0) {
		(void)snprintf(place, sizeof place, "%u: ", first->line);
	}
	return err_set(err, E_INVALID, first->code, "%s:%s%s%s%s", name, place[0] ? "" : " ", place,
	               first->text, more);
}
