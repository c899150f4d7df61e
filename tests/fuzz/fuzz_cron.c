/* This file feeds any text to the reader of cron expressions, and asks what it accepts for times.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"
#include "base/cron_read.h"
#include "base/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TIMES = 8, MINUTE = 60, HOUR = 3600 };

static bool names(const struct cron *cron, int64_t local)
{
	int second = 0;
	struct civil_date date = civil_date_of(civil_split(local, &second));
	return (cron->hours >> second / HOUR & 1) != 0 &&
	       (cron->minutes >> second / MINUTE % MINUTE & 1) != 0 &&
	       (cron->seconds >> second % MINUTE & 1) != 0 &&
	       (cron->days.months >> date.month & 1) != 0 &&
	       (cron_days_in(&cron->days, date.year, date.month) >> date.day & 1) != 0;
}

/* The clocks show one of its times; or they have just been put forward over one that is fixed. */
static void check_time(const struct cron *cron, const struct zone *zone, int64_t at)
{
	struct zone_stretch stretch = zone_stretch_at(zone, at);
	int64_t local = at + stretch.offset;
	int64_t before = at - 1 + zone_stretch_at(zone, at - 1).offset;
	bool is_named = names(cron, local);
	for (int64_t passed = before + 1; !is_named && cron->is_fixed && passed < local; passed++) {
		is_named = names(cron, passed);
	}
	PRE(is_named);
}

static void check_times(const struct cron *cron, const struct zone *zone, int64_t at)
{
	int64_t next = at;
	int64_t back = 0;
	for (int i = 0; i < TIMES && cron_next(cron, zone, at, &next); i++) {
		PRE(next > at);
		check_time(cron, zone, next);
		PRE(cron_previous(cron, zone, next + 1, &back) && back == next);
		PRE(i == 0 || (cron_previous(cron, zone, next, &back) && back == at));
		at = next;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const ZONES[] = {"UTC", "Europe/Berlin", "Australia/Lord_Howe",
	                                    "America/Nuuk", "Pacific/Apia"};
	struct span text = {(const char *)data, size};
	struct cron cron;
	struct err err = {0};
	int status = cron_read(text, &cron, &err);
	if (status != 0) {
		PRE(err.number == status && err.text[0] != '\0');
		return 0;
	}
	PRE(cron.seconds != 0 && cron.minutes != 0 && cron.hours != 0);
	/* Any time from 1970 to 2106. */
	int64_t at = (int64_t)(hash_stable(text, 0) >> 32);
	for (size_t i = 0; i < sizeof ZONES / sizeof *ZONES; i++) {
		const struct zone *zone = NULL;
		if (zone_get(span_of(ZONES[i]), &zone, NULL) == 0) {
			check_times(&cron, zone, at);
		}
	}
	return 0;
}
