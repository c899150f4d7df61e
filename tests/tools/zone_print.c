/* This file prints what base/zone says, for zone_compare. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/zone.h"

#include <inttypes.h>
#include <stdio.h>

/* Of each line "zone unix-seconds local-seconds" the offset, whether it is summer time, and how
 * many instants the local time has, and which. */
int main(void)
{
	char name[ZONE_NAME_MAX + 1];
	int64_t at;
	int64_t local;
	while (scanf("%64s %" SCNd64 " %" SCNd64, name, &at, &local) == 3) {
		const struct zone *zone;
		struct err err;
		if (zone_get(span_of(name), &zone, &err) != 0) {
			(void)fprintf(stderr, "%s\n", err.text);
			return 1;
		}
		int offset;
		bool is_dst;
		int64_t instants[2] = {0, 0};
		zone_offset_at(zone, at, &offset, &is_dst);
		size_t count = zone_local_to_unix(zone, local, instants);
		printf("%d %d", offset, is_dst);
		for (size_t i = 0; i < count; i++) {
			printf(" %" PRId64, instants[i]);
		}
		printf("\n");
	}
	return 0;
}
