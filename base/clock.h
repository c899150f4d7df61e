/* This file tells the time, and lets a test turn it by hand. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. Wall time (ms since 1970, UTC) is what records keep; monotonic time is what waits are
 * measured in. A manual clock stands still until clock_advance moves both. Set it before threads
 * start.
 */
int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);            /* never turned by hand: for measuring our own work */
int64_t clock_mono_ns(void);            /* likewise, of what takes less */
void clock_set_manual(int64_t wall_ms); /* from here on only clock_advance moves the time */
void clock_advance(int64_t by_ms);
bool clock_is_manual(void);

enum { CLOCK_TEXT_LEN = 24 };
/* RFC 3339, UTC, milliseconds: "2026-01-02T03:04:05.678Z" and a NUL. */
void clock_format(int64_t wall_ms, char out[CLOCK_TEXT_LEN + 1]);

#endif
