/* This file spells timestamps and durations. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_MOMENT_H
#define TRIGGERS_EXPR_MOMENT_H

#include "base/buf.h"
#include <stdint.h>

/* Both take seconds rounded down and 0..999999999 nanoseconds on top of them, as a value has them.
 */

/* RFC 3339, UTC, as many digits behind the point as are needed: "2009-02-13T23:31:30.5Z". Years
 * beyond 0001..9999 are written with all their digits. */
void moment_write_timestamp(int64_t seconds, uint32_t nanos, struct buf *out);
/* "1.5s", "-0.5s", "0s". */
void moment_write_duration(int64_t seconds, uint32_t nanos, struct buf *out);

#endif
