/* This file reads cron expressions. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CRON_READ_H
#define BASE_CRON_READ_H

#include "base/cron.h"
#include "base/err.h"
#include "base/span.h"

/*
 * DESIGN. Five fields, or six with the second in front: second 0-59, minute 0-59, hour 0-23, day of
 * the month 1-31, month 1-12 or JAN-DEC, weekday 0-7 or SUN-SAT (0 and 7 are Sunday). A field is a
 * list, with commas, of
 *
 *   *  a  a-b  and, with a step  * /n  a-b/n  a/n  (from a to the end of the field)
 *
 * Day of the month also: ?  (as *), L (the last), LW (the last Monday to Friday), 15W (that one of
 * them nearest to the 15th, in the same month). Weekday also: ?, and behind a day or a range #1 to
 * #5 (the first to the fifth in its month), #L or L (the last). A field that has a `*` or `?`
 * without a step restricts nothing. When both day fields restrict, a day needs to satisfy one of
 * them, and both when the weekday begins with `+`.
 *
 * Or one of @yearly @annually @monthly @weekly @daily @midnight @hourly. Names are read in upper
 * and lower case.
 */
enum { CRON_TEXT_MAX = 1024 };

/* E_INVALID, E_LIMIT "invalid_cron": which field, what it says, and what it may say; also for days
 * that never come (30 FEB). */
int cron_read(struct span text, struct cron *out, struct err *err);

#endif
