/* This file prints what base/cron says, for the comparison with another implementation. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cron_read.h"

#include <inttypes.h>
#include <stdio.h>

/* The zone, the instant and the number of times are read already. */
static void print(const struct zone *zone, int64_t at, int count, struct span text)
{
	struct cron cron;
	struct err err = {0};
	if (cron_read(text, &cron, &err) != 0) {
		printf("refused: %s\n", err.text);
		return;
	}
	bool is_back = count < 0;
	for (int left = is_back ? -count : count; left > 0; left--) {
		if (is_back ? !cron_previous(&cron, zone, at, &at)
		            : !cron_next(&cron, zone, at, &at)) {
			break;
		}
		printf("%" PRId64 " ", at);
	}
	printf("\n");
}

/* Of each line "zone unix-seconds count expression" so many times, the next or, if it is negative,
 * the previous ones; or why the expression is refused. */
int main(void)
{
	char name[ZONE_NAME_MAX + 1];
	char text[CRON_TEXT_MAX + 1];
	int64_t at;
	int count;
	while (scanf("%64s %" SCNd64 " %d %1024[^\n]", name, &at, &count, text) == 4) {
		const struct zone *zone;
		struct err err;
		if (zone_get(span_of(name), &zone, &err) != 0) {
			(void)fprintf(stderr, "%s\n", err.text);
			return 1;
		}
		print(zone, at, count, span_of(text));
	}
	return 0;
}
