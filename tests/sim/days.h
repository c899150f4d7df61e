/* This file lives random days one after the other, and notes the seed of the one that it lives. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_DAYS_H
#define TESTS_SIM_DAYS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

static inline long days_number(const char *name, long otherwise)
{
	const char *text = getenv(name);
	return text != NULL ? strtol(text, NULL, 10) : otherwise;
}

/* DAYS of them from SEED on, as the environment says, else `count` from `first`. What cmocka says
 * of a failure does not name the day: its seed is left in `note`, a path. */
static inline void days_live(void (*live)(uint64_t seed), long first, long count, const char *note)
{
	long seed = days_number("SEED", first);
	long days = days_number("DAYS", count);
	for (long day = 0; day < days; day++) {
		FILE *file = fopen(note, "w");
		if (file != NULL) {
			(void)fprintf(file, "%ld\n", seed + day);
			(void)fclose(file);
		}
		live((uint64_t)(seed + day));
	}
	print_message("%ld days from SEED=%ld\n", days, seed);
}

#endif
