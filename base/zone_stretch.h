/* This file defines the time from one change of a zone's clocks to the next. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ZONE_STRETCH_H
#define BASE_ZONE_STRETCH_H

#include <stdbool.h>
#include <stdint.h>

/* [from, until), in seconds since 1970. Neighbours may have the same offset. */
struct zone_stretch {
	int64_t from;  /* INT64_MIN: always was */
	int64_t until; /* INT64_MAX: goes on */
	int offset;    /* seconds that the clocks are ahead of UTC */
	bool is_dst;
};

enum { ZONE_OFFSET_MAX = 93599 /* 25:59:59 either way, RFC 8536 */ };

#endif
