/* This file compares times with what people write of one: its beginning is enough. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_TIME_BOUND_H
#define ENGINE_CORE_TIME_BOUND_H

#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/* "2026-11-26T20:13:05.120Z", or its first characters from the year on. */
bool time_bound_is_good(struct span text);
/* `time` is a whole one, as clock_format writes it. */
bool time_bound_is_before(struct span time, struct span bound);

#endif
