/* This file reads the system's clocks or the hand-turned one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include "base/err.h"
#include <stddef.h>
#include <time.h>

static bool manual;
static int64_t manual_wall_ms;
static int64_t manual_mono_ms;

static int64_t read_us(clockid_t which)
{
	struct timespec now;
	int failed = clock_gettime(which, &now);
	PRE(failed == 0);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_ms(void)
{
	return manual ? manual_wall_ms : read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_mono_ms(void)
{
	return manual ? manual_mono_ms : read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

void clock_set_manual(int64_t wall_ms)
{
	manual = true;
	manual_wall_ms = wall_ms;
	manual_mono_ms = 0;
}

void clock_advance(int64_t by_ms)
{
	PRE(manual && by_ms >= 0);
	manual_wall_ms += by_ms;
	manual_mono_ms += by_ms;
}

bool clock_is_manual(void)
{
	return manual;
}

void clock_format(int64_t wall_ms, char out[CLOCK_TEXT_LEN + 1])
{
	int64_t seconds = wall_ms / 1000;
	int64_t ms = wall_ms % 1000;
	if (ms < 0) {
		ms += 1000;
		seconds--;
	}
	time_t whole = (time_t)seconds;
	struct tm parts = {0};
	(void)gmtime_r(&whole, &parts);
	size_t len = strftime(out, CLOCK_TEXT_LEN + 1, "%Y-%m-%dT%H:%M:%S.000Z", &parts);
	PRE(len == CLOCK_TEXT_LEN); /* years 1000 to 9999 */
	out[20] = (char)('0' + ms / 100);
	out[21] = (char)('0' + ms / 10 % 10);
	out[22] = (char)('0' + ms % 10);
}
