/* This file tells the time, and lets a test turn it by hand. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. Wall time (ms since 1970, UTC) is what records keep; monotonic time is what waits are
 * measured in; real time is monotonic too, for what must go on while people hold the clock: peers,
 * processes and the engine's own bookkeeping.
 *
 *            wall, monotonic      real
 *   as is    the system's         the system's
 *   virtual  clock_advance        the system's     the daemon with --clock manual
 *   manual   clock_advance        clock_advance    unit tests
 *
 * Set it before threads start; threads may read it while it is turned.
 */
int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);
int64_t clock_real_ms(void);
int64_t clock_real_wall_ms(void); /* for a peer that compares it with its own clock */
int64_t clock_real_wall_us(void);
int64_t clock_mono_us(void);             /* never turned by hand: for measuring our own work */
int64_t clock_mono_ns(void);             /* likewise, of what takes less */
void clock_set_manual(int64_t wall_ms);  /* from here on only clock_advance moves the time */
void clock_set_virtual(int64_t wall_ms); /* the same, but real time goes on */
void clock_advance(int64_t by_ms);
bool clock_is_manual(void); /* or virtual */
bool clock_is_virtual(void);

/* Nobody turns the clock further, 9000-01-01: what waits from there on has a year of four digits.
 */
#define CLOCK_MOST_MS INT64_C(221845392000000)

enum { CLOCK_TEXT_LEN = 24 };
/* RFC 3339, UTC, milliseconds: "2026-01-02T03:04:05.678Z" and a NUL. */
void clock_format(int64_t wall_ms, char out[CLOCK_TEXT_LEN + 1]);

#endif
