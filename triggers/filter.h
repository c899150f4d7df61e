/* This file decides whether an event is one that a trigger wants. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_FILTER_H
#define TRIGGERS_FILTER_H

#include "base/buf.h"
#include "base/span.h"
#include "triggers/condition.h"
#include "triggers/cron_rule.h"
#include "triggers/event.h"
#include "triggers/filter_path.h"
#include "triggers/grouping.h"
#include "triggers/http_rule.h"
#include "triggers/matching.h"
#include "triggers/pacing.h"
#include "triggers/retry_fields.h"
#include "triggers/selection.h"
#include "triggers/shaping.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alarm_wish;
struct dead_wish;

/* What came of asking a filter. Not counted: events that the index did not ask it about. */
struct filter_tally {
	uint64_t considered;
	uint64_t evaluations; /* of the condition */
	uint64_t condition_false;
	uint64_t condition_errors;
	uint64_t samples;    /* evaluations that were timed: one of FILTER_SAMPLE */
	uint64_t samples_ns; /* their time together */
	uint64_t error_seq;  /* of the last error */
	struct value error;  /* the last one; its detail is error_detail */
	char *error_detail;  /* owned; NULL: none */
	char *error_text;    /* owned; NULL: nobody has asked for it yet */
};

enum { FILTER_SAMPLE = 64 };

/* What is asked of an event; all must hold. All texts are owned. In the order of asking: of a
 * hundred thousand filters none is in the cache, and most need two lines of memory. */
struct filter {
	struct span scope; /* absent: any */
	unsigned events;   /* bit 1 << kind for each wanted kind */
	enum condition_on_error on_error;
	struct span key;             /* exact; absent: any, or what one of the next two says */
	struct condition *condition; /* NULL: none */
	size_t changed_count;        /* 0: any change */
	struct span key_glob;        /* checked; absent: none */
	struct regex *key_regex;     /* NULL: none */
	struct span source;          /* of a CloudEvent; absent: any */
	struct span metadata;        /* JSON, the trigger's own: borrowed; absent: null */
	struct filter_tally tally;
	struct filter_path *changed;
	struct selection *selection;       /* NULL: the handler gets the whole event */
	struct grouping *concurrency_key;  /* NULL: none */
	struct pacing *pacing;             /* NULL: deliveries start as soon as they can */
	struct shaping *shaping;           /* NULL: each event is a delivery of its own */
	struct span condition_function_id; /* the policy's, kept here */
	struct dead_wish *dead;            /* of a dead letter; NULL: none */
	struct alarm_wish *alarm;          /* of an alarm; NULL: none */
	struct http_rule *http;   /* it is woken by requests, and by no event; NULL: by events */
	struct filter_path group; /* of a queue: where messages say theirs; may be empty */
	struct cron_rule *cron;   /* of a cron trigger: its times; NULL: it has none */
};

enum filter_answer {
	FILTER_NO,
	FILTER_YES,
	FILTER_ERROR,
	FILTER_LATER /* an index's: the event has cost enough for now, it was not asked */
};

enum filter_miss {
	MISS_NOTHING,
	MISS_SCOPE,
	MISS_EVENTS,
	MISS_KEY,
	MISS_SOURCE,
	MISS_DEAD,
	MISS_ALARM,
	MISS_CHANGED
};

enum trigger_order { ORDER_KEY, ORDER_NONE, ORDER_TRIGGER };

/* What a paused trigger does with events that come meanwhile. The number is on disk. */
enum trigger_pause { PAUSE_HOLD, PAUSE_DROP };

/* What else happens when a delivery that was tried is given up. */
enum trigger_exhausted { EXHAUSTED_DEAD, EXHAUSTED_PAUSE_KEY, EXHAUSTED_PAUSE_TRIGGER };

/* How a trigger wants its events delivered; 0 or absent where it says nothing. */
struct trigger_policy {
	uint32_t concurrency;
	enum trigger_order order;
	bool durable;
	enum trigger_exhausted on_exhausted;
	bool paused;              /* it begins so */
	enum trigger_pause pause; /* how, unless whoever pauses it says otherwise */
	int64_t timeout_ms;
	struct trigger_retry retry;
	struct span condition_function_id; /* owned by the filter */
};

/* A config that is to become a filter. */
struct trigger_request {
	struct condition_env *env; /* outlives the filter */
	struct span type;
	struct span config;
	struct condition_fault *where; /* may be NULL; its text is the caller's to free */
};

void filter_free(struct filter *filter); /* NULL is harmless */

/* Asks about the event that `matching` has begun: kind, scope, key, then what takes longer: glob or
 * regex, `changed`, the condition. Values are compared as JSON values; one that is missing differs
 * from any that is there. A regex of a key over its limit is "no". FILTER_ERROR: the condition came
 * to no answer; the tally says why. */
enum filter_answer filter_matches(struct filter *filter, struct matching *matching);
/* What the last error of the condition was, in words; there was one. Borrowed until the next. */
const char *filter_error(struct filter *filter);
/* Where the code of its condition is; NULL: it has none. */
const void *filter_code(const struct filter *filter);
/* Does a trigger with this answer get the event? */
bool filter_wakes(const struct filter *filter, enum filter_answer answer);
/* Everything but the condition: kind, scope, key, `changed`. */
bool filter_fits(const struct filter *filter, const struct event *event);
/* The kind of event that it is for, if that is no change of the state; else false. */
bool filter_is_beside(const struct filter *filter, enum event_kind *out);
/* Is it for messages of a queue or topic? */
bool filter_is_message(const struct filter *filter);
/* The first of them that does not fit. */
enum filter_miss filter_miss(const struct filter *filter, const struct event *event);

/* Appends the config (a valid JSON object) in the form whose bytes are its identity: canonical
 * JSON, members that are null left out at every level of objects. */
void filter_canonical(struct span config, struct buf *out);

#endif
