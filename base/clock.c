/* This file reads the system's clocks or the hand-turned one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include "base/civil.h"
#include "base/err.h"
#include <stddef.h>
#include <time.h>

enum clock_kind { CLOCK_AS_IS, CLOCK_VIRTUAL, CLOCK_MANUAL };

static enum clock_kind kind;
static _Atomic int64_t turned_wall_ms;
static _Atomic int64_t turned_mono_ms;

static int64_t read_us(clockid_t which)
{
	struct timespec now;
	int failed = clock_gettime(which, &now);
	PRE(failed == 0);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_ms(void)
{
	return kind != CLOCK_AS_IS ? turned_wall_ms : read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_mono_ms(void)
{
	return kind != CLOCK_AS_IS ? turned_mono_ms : read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_real_ms(void)
{
	return kind == CLOCK_MANUAL ? turned_mono_ms : read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_real_wall_ms(void)
{
	return kind == CLOCK_MANUAL ? turned_wall_ms : read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_real_wall_us(void)
{
	return kind == CLOCK_MANUAL ? turned_wall_ms * 1000 : read_us(CLOCK_REALTIME);
}

int64_t clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int64_t clock_mono_ns(void)
{
	struct timespec now;
	int failed = clock_gettime(CLOCK_MONOTONIC, &now);
	PRE(failed == 0);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void hold(enum clock_kind how, int64_t wall_ms)
{
	kind = how;
	turned_wall_ms = wall_ms;
	turned_mono_ms = 1; /* no moment is 0, which may mean none */
}

void clock_set_manual(int64_t wall_ms)
{
	hold(CLOCK_MANUAL, wall_ms);
}

void clock_set_virtual(int64_t wall_ms)
{
	hold(CLOCK_VIRTUAL, wall_ms);
}

void clock_advance(int64_t by_ms)
{
	PRE(kind != CLOCK_AS_IS && by_ms >= 0);
	turned_wall_ms += by_ms;
	turned_mono_ms += by_ms;
}

bool clock_is_manual(void)
{
	return kind != CLOCK_AS_IS;
}

bool clock_is_virtual(void)
{
	return kind == CLOCK_VIRTUAL;
}

static char *put_digits(char *at, int64_t value, int count)
{
	for (int i = count - 1; i >= 0; i--) {
		at[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return at + count;
}

/* Every event that is shown has a time: this costs a tenth of gmtime and strftime. */
void clock_format(int64_t wall_ms, char out[CLOCK_TEXT_LEN + 1])
{
	const int64_t day_ms = INT64_C(86400000);
	int64_t day = wall_ms / day_ms - (wall_ms % day_ms < 0);
	int64_t ms = wall_ms - day * day_ms;
	struct civil_date date = civil_date_of(day);
	PRE(date.year >= 1000 && date.year <= 9999);

	char *at = put_digits(out, date.year, 4);
	*at++ = '-';
	at = put_digits(at, date.month, 2);
	*at++ = '-';
	at = put_digits(at, date.day, 2);
	*at++ = 'T';
	at = put_digits(at, ms / 3600000, 2);
	*at++ = ':';
	at = put_digits(at, ms / 60000 % 60, 2);
	*at++ = ':';
	at = put_digits(at, ms / 1000 % 60, 2);
	*at++ = '.';
	at = put_digits(at, ms % 1000, 3);
	*at++ = 'Z';
	*at = '\0';
}
