/* This file reads the rule by which a zone goes on after its last known transition. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ZONE_RULE_H
#define BASE_ZONE_RULE_H

#include "base/span.h"
#include "base/zone_stretch.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. The rule is a TZ string of POSIX with the hours of RFC 8536 (-167 to 167):
 * "CET-1CEST,M3.5.0,M10.5.0/3". Its offsets are positive west of Greenwich, ours are positive
 * east. Summer time may be the lesser offset (Dublin), and may last the whole year.
 */
enum zone_day_kind {
	ZONE_DAY_JULIAN,  /* Jn: 1 to 365, the leap day is not counted */
	ZONE_DAY_OF_YEAR, /* n: 0 to 365, the leap day is counted */
	ZONE_DAY_OF_MONTH /* Mm.w.d: the w-th weekday d of month m, 5 = the last */
};

struct zone_day {
	enum zone_day_kind kind;
	int day; /* of the year, or the weekday */
	int week;
	int month;
	int second; /* of the day by the clock before the change; below 0 and over 86400 too */
};

struct zone_rule {
	int offset;     /* seconds east of Greenwich */
	int dst_offset; /* the same in summer time */
	bool has_dst;
	struct zone_day dst_from;
	struct zone_day dst_until;
};

bool zone_rule_read(struct span text, struct zone_rule *out);
struct zone_stretch zone_rule_stretch(const struct zone_rule *rule, int64_t unix_seconds);

#endif
