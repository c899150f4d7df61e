/* This file defines when a cron trigger fires, and what a fire does about the others. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_CRON_RULE_H
#define TRIGGERS_CRON_RULE_H

#include "base/cron.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/* A fire that comes while the last one still runs or waits. */
enum cron_overlap { OVERLAP_SKIP, OVERLAP_QUEUE, OVERLAP_ALLOW, OVERLAP_CANCEL };

/* Times that have passed while nobody could fire. */
enum cron_catch_up { CRON_ONCE, CRON_ALL, CRON_SKIP };

struct cron_rule {
	struct cron cron;
	struct span expression; /* owned, as the next one */
	struct span zone;       /* a name that was found */
	enum cron_overlap overlap;
	enum cron_catch_up catch_up;
	int64_t most; /* fires at a time, of those that catch up */
	int64_t jitter_ms;
};

/* `expression` may have a seventh field, the year, if that is "*". E_INVALID, E_LIMIT
 * "invalid_cron", "unknown_zone", or what stops one from reading the zone's file. */
int cron_rule_new(struct span expression, struct span zone, struct cron_rule **out,
                  struct err *err);
void cron_rule_free(struct cron_rule *rule); /* NULL is harmless */

/* Both have the same times, jitter aside. */
bool cron_rule_is_as(const struct cron_rule *a, const struct cron_rule *b);

/* Times are ms since 1970, and whole seconds; `out` is untouched when there is none, which is
 * E_NOT_FOUND "never_fires". Other errors are those of zone_get: its file has gone. */
int cron_rule_next(const struct cron_rule *rule, int64_t after_ms, int64_t *out, struct err *err);
/* The last time that is not after `until_ms`. */
int cron_rule_last(const struct cron_rule *rule, int64_t until_ms, int64_t *out, struct err *err);
/* How many there are after the one and not after the other; `most` if there are more. */
int cron_rule_count(const struct cron_rule *rule, int64_t after_ms, int64_t until_ms, uint64_t most,
                    uint64_t *out, struct err *err);

/* How much later than `time_ms` it fires for jitter: the same whenever it is asked, and always less
 * than what is left until the time after it. */
int64_t cron_rule_delay(const struct cron_rule *rule, struct span id, int64_t time_ms);

#endif
