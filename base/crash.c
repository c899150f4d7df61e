/* This file counts how often a point was passed, and kills the process at the one that is armed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[CRASH_POINTS] = {
        [CRASH_WRITE] = "write",   [CRASH_SYNC] = "sync",     [CRASH_ANSWER] = "answer",
        [CRASH_ROLL] = "roll",     [CRASH_APPLY] = "apply",   [CRASH_APPLIED] = "applied",
        [CRASH_CURSOR] = "cursor", [CRASH_JOB] = "job",       [CRASH_OUTCOME] = "outcome",
        [CRASH_WINDOW] = "window", [CRASH_EXPIRE] = "expire", [CRASH_ALARM] = "alarm",
        [CRASH_CRON] = "cron",
};

static enum crash_point armed = CRASH_POINTS; /* none */
static atomic_long left;

int crash_arm(struct err *err)
{
	const char *text = getenv("PAWL_CRASH_AT");
	if (text == NULL) {
		return 0;
	}
	size_t len = strcspn(text, ":");
	for (int i = 0; i < CRASH_POINTS; i++) {
		char *end;
		long n = text[len] == ':' ? strtol(text + len + 1, &end, 10) : 0;
		if (strlen(names[i]) == len && strncmp(names[i], text, len) == 0 && n > 0 &&
		    *end == '\0') {
			atomic_store(&left, n);
			armed = (enum crash_point)i;
			return 0;
		}
	}
	return err_set(err, E_INVALID, "invalid_crash_point",
	               "PAWL_CRASH_AT=%s is no <point>:<n>; unset it", text);
}

void crash_at(enum crash_point point)
{
	if (point == armed && atomic_fetch_sub(&left, 1) == 1) {
		(void)kill(getpid(), SIGKILL);
		for (;;) {
			(void)pause();
		}
	}
}
