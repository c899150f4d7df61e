/* This file is the table of a cron trigger's own fields, and makes filters by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/on_cron.h"

#include "base/clock.h"
#include "base/cron_read.h"
#include "base/field.h"
#include "base/field_print.h"
#include "base/mem.h"
#include "triggers/cron_rule.h"
#include "triggers/own_fields.h"

static const char CODE[] = "invalid_trigger";

enum { HOUR_MS = 60 * 60 * 1000, CATCH_UP_MOST = 1000 };

struct config {
	char *expression;
	char *zone;
	int overlap; /* enum cron_overlap */
	int64_t jitter_ms;
	int catch_up; /* enum cron_catch_up */
	int64_t most;
};

static const char *const overlap_words[] = {[OVERLAP_SKIP] = "skip",
                                            [OVERLAP_QUEUE] = "queue",
                                            [OVERLAP_ALLOW] = "allow",
                                            [OVERLAP_CANCEL] = "cancel",
                                            NULL};
static const char *const catch_up_words[] = {
        [CRON_ONCE] = "once", [CRON_ALL] = "all", [CRON_SKIP] = "skip", NULL};

static const struct field cron_fields[] = {
        {.name = "expression",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, expression),
         .min = 1,
         .max = CRON_TEXT_MAX,
         .required = true,
         .help = "type: cron. When it fires: five fields, or six with the second in front, or "
                 "@daily and the like. See docs/cron.md."},
        {.name = "zone",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, zone),
         .otherwise = "UTC",
         .min = 1,
         .max = ZONE_NAME_MAX,
         .help = "type: cron. By the clocks of which IANA time zone: Europe/Berlin."},
        {.name = "overlap",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct config, overlap),
         .otherwise = "skip",
         .words = overlap_words,
         .help = "type: cron. What a fire does that comes while the last one still runs or waits: "
                 "it is skipped, starts behind it, starts beside it, or takes its place."},
        {.name = "jitter",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct config, jitter_ms),
         .max = HOUR_MS,
         .help = "type: cron. Each fire comes later by up to this, never as late as the next "
                 "one."},
        {.name = "catch_up",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct config, catch_up),
         .otherwise = "once",
         .words = catch_up_words,
         .help = "type: cron. What becomes of times that passed while the engine was away or the "
                 "trigger was paused: one fire for all of them, one for each, or none."},
        {.name = "max",
         .kind = FIELD_INT,
         .offset = offsetof(struct config, most),
         .otherwise = "100",
         .min = 1,
         .max = CATCH_UP_MOST,
         .help = "type: cron. With catch_up: all, the last so many of them."},
        {.name = NULL},
};

/* What speaks of a change, what `overlap` says, and what makes one delivery of many. */
static const char *const foreign[] = {"scope", "key",   "key_regex", "events", "changed",
                                      "fire",  "order", "debounce",  "batch",  NULL};

static const struct own_fields own_fields = {
        .type = "cron",
        .table = cron_fields,
        .foreign = foreign,
        .asks_by = "expression, zone, overlap, jitter, catch_up and when",
};

static int check_words(const struct config *config, const struct trigger_policy *policy,
                       struct err *err)
{
	bool is_one = config->overlap == OVERLAP_SKIP || config->overlap == OVERLAP_CANCEL;
	if (config->catch_up == CRON_ALL && is_one) {
		return err_set(err, E_INVALID, CODE,
		               "'catch_up' can be all only with overlap: queue or allow: with %s "
		               "there is never more than one",
		               overlap_words[config->overlap]);
	}
	if (policy->on_exhausted == EXHAUSTED_PAUSE_KEY) {
		return err_set(err, E_INVALID, CODE,
		               "'on_exhausted' cannot be pause_key: the fires of a cron trigger "
		               "have no keys; say pause_trigger");
	}
	return 0;
}

static int build(const struct config *config, struct filter *filter, struct trigger_policy *policy,
                 struct err *err)
{
	int64_t first;
	int status = check_words(config, policy, err);
	if (status == 0) {
		status = cron_rule_new(span_of(config->expression), span_of(config->zone),
		                       &filter->cron, err);
	}
	if (status != 0) {
		return status;
	}
	struct cron_rule *rule = filter->cron;
	rule->overlap = (enum cron_overlap)config->overlap;
	rule->catch_up = (enum cron_catch_up)config->catch_up;
	rule->most = config->most;
	rule->jitter_ms = config->jitter_ms;
	filter->events = 1u << EVENT_CRON;
	policy->order = rule->overlap == OVERLAP_QUEUE ? ORDER_TRIGGER : ORDER_NONE;
	status = cron_rule_next(rule, clock_wall_ms(), &first, err);
	return status == E_NOT_FOUND
	               ? err_set(err, E_INVALID, "invalid_cron",
	                         "'expression' never fires: from now on the clocks of %s never "
	                         "show a time that \"%s\" names",
	                         config->zone, config->expression)
	               : status;
}

int on_cron_parse(const struct trigger_request *request, struct filter **out,
                  struct trigger_policy *out_policy, struct err *err)
{
	struct config config = {0};
	struct filter *filter = NULL;
	struct trigger_policy policy;
	int status = own_fields_parse(&own_fields, request, &config, &filter, &policy, err);
	if (status == 0) {
		status = build(&config, filter, &policy, err);
	}
	if (status == 0) {
		*out = filter;
		*out_policy = policy;
		filter = NULL;
	}
	filter_free(filter);
	field_free(cron_fields, &config);
	return status;
}

void on_cron_print(const char *prefix, struct buf *out)
{
	field_print_text(cron_fields, prefix, out);
}
