/* This file tells how far a long work is: a bar on a terminal, now and then a line elsewhere. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include "base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAR_MS = 100, LINE_MS = 5000, BAR_WIDTH = 24, NUMBER_ROOM = 32 };

void progress_begin(struct progress *progress, const char *what, uint64_t total, bool quiet)
{
	const char *term = getenv("TERM");
	int64_t now_ms = clock_mono_ms();
	*progress = (struct progress){
	        .what = what,
	        .total = total,
	        .began_ms = now_ms,
	        .shown_ms = now_ms,
	        .is_bar = isatty(STDERR_FILENO) && (term == NULL || strcmp(term, "dumb") != 0),
	        .is_quiet = quiet,
	};
}

void progress_number(uint64_t number, char *out)
{
	char digits[24];
	(void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
	size_t len = strlen(digits);
	for (size_t i = 0; i < len; i++) {
		if (i != 0 && (len - i) % 3 == 0) {
			*out++ = ',';
		}
		*out++ = digits[i];
	}
	*out = '\0';
}

/* Things a second, since the beginning. */
static uint64_t rate(const struct progress *progress, uint64_t count)
{
	int64_t passed_ms = clock_mono_ms() - progress->began_ms;
	return count * 1000 / (uint64_t)(passed_ms > 0 ? passed_ms : 1);
}

/* "ETA 1:05", from the share that is done. */
static void write_eta(const struct progress *progress, uint64_t done, char *out, size_t room)
{
	out[0] = '\0';
	if (progress->total != 0 && done != 0 && done <= progress->total) {
		double passed_s = (double)(clock_mono_ms() - progress->began_ms) / 1000;
		double left = passed_s * (double)(progress->total - done) / (double)done;
		unsigned left_s = left < 1e6 ? (unsigned)left : 1000000;
		(void)snprintf(out, room, "  ETA %u:%02u", left_s / 60, left_s % 60);
	}
}

static void draw_share(const struct progress *progress, uint64_t done)
{
	char bar[BAR_WIDTH + 1];
	if (progress->total == 0) {
		return;
	}
	double share = (double)done / (double)progress->total;
	share = share > 1 ? 1 : share;
	int filled = (int)(share * BAR_WIDTH);
	for (int i = 0; i < BAR_WIDTH; i++) {
		bar[i] = i < filled ? '#' : '.';
	}
	bar[BAR_WIDTH] = '\0';
	(void)fprintf(stderr, "[%s] %3d %%  ", bar, (int)(share * 100));
}

void progress_tell(struct progress *progress, uint64_t done, uint64_t count)
{
	int64_t now_ms = clock_mono_ms();
	if (progress->is_quiet ||
	    now_ms - progress->shown_ms < (progress->is_bar ? BAR_MS : LINE_MS)) {
		return;
	}
	char number[NUMBER_ROOM];
	char speed[NUMBER_ROOM];
	char eta[NUMBER_ROOM];
	progress->shown_ms = now_ms;
	progress_number(count, number);
	progress_number(rate(progress, count), speed);
	write_eta(progress, done, eta, sizeof eta);
	if (progress->is_bar) {
		(void)fputs("\r\033[K", stderr);
		progress->has_drawn = true;
	}
	draw_share(progress, done);
	(void)fprintf(stderr, "%s %s  %s/s%s%s", number, progress->what, speed, eta,
	              progress->is_bar ? "" : "\n");
	(void)fflush(stderr);
}

void progress_clear(struct progress *progress)
{
	if (progress->has_drawn) {
		(void)fputs("\r\033[K", stderr);
		progress->has_drawn = false;
	}
}

void progress_end(struct progress *progress, uint64_t count, const char *done)
{
	char number[NUMBER_ROOM];
	char speed[NUMBER_ROOM];
	progress_clear(progress);
	if (progress->is_quiet) {
		return;
	}
	progress_number(count, number);
	progress_number(rate(progress, count), speed);
	(void)fprintf(stderr, "%s %s %s in %.1f s (%s/s)\n", number, progress->what, done,
	              (double)(clock_mono_ms() - progress->began_ms) / 1000, speed);
}
