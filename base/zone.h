/* This file tells what the clocks of a place show: IANA time zones from the system's tzdata. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "base/err.h"
#include "base/span.h"
#include "base/zone_stretch.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. A zone is read from $TZDIR, or /usr/share/zoneinfo, when it is first asked for, and kept;
 * of more than ZONE_KEPT_MAX the one goes that was not asked for the longest. So a zone is asked
 * for by name each time it is used: while it is kept that costs a comparison or a few. "UTC" needs
 * no file. What the system learns about a zone while it is kept is not seen. One thread.
 */
enum { ZONE_NAME_MAX = 64, ZONE_KEPT_MAX = 64 };

/* Instants and local times are within so many seconds of 1970: a million years. */
#define ZONE_SECONDS_MAX INT64_C(31556952000000)

struct zone;

/* Borrowed until the next zone_get. E_INVALID "unknown_zone": the name is none, or no file has it;
 * E_DAMAGED, E_VERSION, E_UNSUPPORTED: its file cannot be used; or what stops one from reading it.
 */
int zone_get(struct span name, const struct zone **out, struct err *err);

/* The stretch that holds the instant. */
struct zone_stretch zone_stretch_at(const struct zone *zone, int64_t unix_seconds);

/* Seconds that its clocks are ahead of UTC. */
void zone_offset_at(const struct zone *zone, int64_t unix_seconds, int *out_offset,
                    bool *out_is_dst);

/* The instants at which the clocks show a local time, which is told as the seconds that it would
 * be in UTC. 1, mostly; 2, the earlier first, when clocks are put back over it; 0 when they are
 * put forward over it: out[0] is then the instant at which that happens. */
size_t zone_local_to_unix(const struct zone *zone, int64_t local_seconds, int64_t out[2]);

#endif
