/* This file tells when a cron expression fires in a time zone. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CRON_H
#define BASE_CRON_H

#include "base/cron_days.h"
#include "base/zone.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. An expression is sets of bits (base/cron_read makes them of a text); a search steps from
 * set bit to set bit, and never walks through minutes. It is done by the clocks of the zone, and
 * what they show is then turned into an instant:
 *
 * - Fixed times (no `*` and no step in second, minute and hour) fire at the first instant at which
 *   the clocks show that time or a later one. So a time that clocks are put forward over fires when
 *   that happens, several such times fire once, and a time that comes twice fires the first time. A
 *   day that a zone leaves out as a whole (Apia, 30 December 2011) has no times.
 * - Intervals (all others) fire whenever the clocks show one of their times: never for a time that
 *   they are put forward over, twice for one that comes twice.
 *
 * Intervals may name only times that a zone never has; and a search ends after CRON_YEARS_MAX
 * years. Both say that there is nothing to come.
 */
struct cron {
	uint64_t seconds; /* bits 0 to 59; none of the three is empty */
	uint64_t minutes;
	uint64_t hours; /* bits 0 to 23 */
	struct cron_days days;
	bool is_fixed;
};

/* Instants are within so many seconds of 1970. */
#define CRON_SECONDS_MAX (ZONE_SECONDS_MAX / 2)

/* The first time that it fires after the instant; false: it does not. */
bool cron_next(const struct cron *cron, const struct zone *zone, int64_t after, int64_t *out);

/* The last time that it fired before the instant; false: it did not. */
bool cron_previous(const struct cron *cron, const struct zone *zone, int64_t before, int64_t *out);

/* How many times it fires after the one instant and not after the other; `most` if it is more. */
uint64_t cron_count(const struct cron *cron, const struct zone *zone, int64_t after, int64_t until,
                    uint64_t most);

#endif
