/* This file tells how far a long work is: a bar on a terminal, now and then a line elsewhere. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. It goes to the standard error, so that what the command writes stays clean. On a terminal
 * one line is drawn again, at most ten times a second; elsewhere a line is written every five
 * seconds, so that a log tells of a long work and stays silent about a short one.
 */
struct progress {
	const char *what; /* "keys" */
	uint64_t total;   /* of `done`; 0: not known */
	int64_t began_ms;
	int64_t shown_ms;
	bool is_bar;
	bool is_quiet;
	bool has_drawn;
};

void progress_begin(struct progress *progress, const char *what, uint64_t total, bool quiet);
/* `done` of the total, `count` things so far. */
void progress_tell(struct progress *progress, uint64_t done, uint64_t count);
/* Takes the bar away, for a line that is to stand there. */
void progress_clear(struct progress *progress);
/* "120,000 keys in 2.4 s (50,000/s)" to the standard error, unless quiet. */
void progress_end(struct progress *progress, uint64_t count, const char *done);

/* "1,234,567"; `out` has room for 32. */
void progress_number(uint64_t number, char *out);

#endif
