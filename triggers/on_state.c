/* This file is the table of a state trigger's fields, and makes filters and policies by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/on_state.h"

#include "base/field.h"
#include "base/field_json.h"
#include "base/field_print.h"
#include "base/json.h"
#include "base/mem.h"
#include "triggers/expr/regex.h"
#include "triggers/filter_path.h"
#include "triggers/glob.h"
#include "triggers/retry_fields.h"

static const char CODE[] = "invalid_trigger";

enum { SCOPE_MAX = 512, KEY_MAX = 1024, FUNCTION_MAX = 256, CHANGED_MAX = 64, SHOWN_MOST = 60 };
#define DAY (INT64_C(24) * 60 * 60 * 1000)

/* A config as it is written. */
struct config {
	char *scope;
	char *key;
	char *key_regex;
	struct field_strings events;
	struct span changed;
	char *condition_function_id;
	int64_t concurrency;
	char *concurrency_key;
	int order; /* enum trigger_order */
	int64_t timeout_ms;
	bool durable;
	bool paused;
	int pause;        /* enum trigger_pause */
	int on_exhausted; /* enum trigger_exhausted */
	struct retry_text retry;
	struct shaping_text shaping;
	struct pacing_text pacing;
	struct span when;
	int fire;     /* enum condition_fire */
	int on_error; /* enum condition_on_error */
	struct span select;
};

static const char *const fire_words[] = {
        [FIRE_CHANGE] = "change", [FIRE_RISING] = "rising", [FIRE_FALLING] = "falling", NULL};
static const char *const on_error_words[] = {
        [ON_ERROR_IGNORE] = "ignore", [ON_ERROR_FIRE] = "fire", [ON_ERROR_DEAD] = "dead", NULL};
static const char *const order_words[] = {
        [ORDER_KEY] = "key", [ORDER_NONE] = "none", [ORDER_TRIGGER] = "trigger", NULL};

static const char *const exhausted_words[] = {[EXHAUSTED_DEAD] = "dead",
                                              [EXHAUSTED_PAUSE_KEY] = "pause_key",
                                              [EXHAUSTED_PAUSE_TRIGGER] = "pause_trigger",
                                              NULL};
static const char *const pause_words[] = {[PAUSE_HOLD] = "hold", [PAUSE_DROP] = "drop", NULL};

#define LATER(what, says)                                                                          \
	{                                                                                          \
		.name = (what), .kind = FIELD_RESERVED, .help = (says)                             \
	}

static const struct field state_fields[] = {
        {.name = "scope",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, scope),
         .min = 1,
         .max = SCOPE_MAX,
         .help = "Only changes in this scope; without it, in every scope."},
        {.name = "key",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, key),
         .min = 1,
         .max = KEY_MAX,
         .help = "Only changes of this key, or of keys like user_*: * is any run of bytes ('/' "
                 "and ':' too), ? one character, [a-z] or [!a-z] one of a set; \\ takes the next "
                 "byte as it is."},
        {.name = "key_regex",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, key_regex),
         .min = 1,
         .max = REGEX_PATTERN_MAX,
         .help = "Only keys in which this regular expression (RE2) is found; ^ and $ anchor it. "
                 "Instead of key."},
        {.name = "events",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct config, events),
         .otherwise = "[created, updated, deleted]",
         .min = 1,
         .max = 16,
         .help = "Which changes: created, updated, deleted, touched (only the expiry)."},
        {.name = "changed",
         .kind = FIELD_JSON,
         .offset = offsetof(struct config, changed),
         .help = "Only when the value at one of these paths differs between old and new. A path "
                 "is a name, a JSON Pointer (\"/a/b\") or a list of segments."},
        {.name = "when",
         .kind = FIELD_JSON,
         .offset = offsetof(struct config, when),
         .help = "Only when this expression (CEL) is true: new_value.plan == 'pro' && "
                 "changed('plan'). See docs/conditions.md."},
        {.name = "fire",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct config, fire),
         .otherwise = "change",
         .words = fire_words,
         .help = "On every change for which `when` is true; only when it becomes true (it was not "
                 "for the old value); or only when it ceases to be."},
        {.name = "on_condition_error",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct config, on_error),
         .otherwise = "ignore",
         .words = on_error_words,
         .help = "What an error of `when` means: not this event, deliver it all the same, or a "
                 "dead letter. It is counted and shown in any case."},
        {.name = "select",
         .kind = FIELD_JSON,
         .offset = offsetof(struct config, select),
         .help = "What the handler gets instead of the event: a list of expressions, or a map of "
                 "names to expressions; both may hold further ones."},
        {.name = "condition_function_id",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, condition_function_id),
         .min = 1,
         .max = FUNCTION_MAX,
         .help = "A function that is called first with the same event and says yes or no."},
        {.name = "concurrency",
         .kind = FIELD_INT,
         .offset = offsetof(struct config, concurrency),
         .min = 1,
         .max = 10000,
         .help = "How many deliveries run at a time; without it the engine's own."},
        {.name = "concurrency_key",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, concurrency_key),
         .min = 1,
         .max = FIELD_TEXT_MAX,
         .help = "An expression (CEL) over the event, such as new_value.tenant: `concurrency` "
                 "counts for each of its values, not for the trigger as a whole."},
        {.name = "order",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct config, order),
         .otherwise = "key",
         .words = order_words,
         .help = "Which deliveries start one after the other: those of one key, none, all."},
        {.name = "timeout_ms",
         .kind = FIELD_INT,
         .offset = offsetof(struct config, timeout_ms),
         .min = 1,
         .max = 7 * DAY,
         .unit = "ms",
         .help = "How long an attempt may take; without it the engine's own."},
        {.name = "timeout",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct config, timeout_ms),
         .min = 1,
         .max = 7 * DAY,
         .help = "The same as timeout_ms, as a duration: 30s."},
        {.name = "retry",
         .kind = FIELD_SECTION,
         .offset = offsetof(struct config, retry),
         .fields = retry_fields,
         .help = "What happens after the handler has failed."},
        {.name = "on_exhausted",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct config, on_exhausted),
         .otherwise = "dead",
         .words = exhausted_words,
         .help = "After the last attempt there is a dead letter; and then the next event of the "
                 "key "
                 "goes on, or all of its key wait for a person, or all of the trigger."},
        {.name = "durable",
         .kind = FIELD_BOOL,
         .offset = offsetof(struct config, durable),
         .otherwise = "false",
         .help = "It stays when the worker that registered it goes."},
        {.name = "paused",
         .kind = FIELD_BOOL,
         .offset = offsetof(struct config, paused),
         .otherwise = "false",
         .help = "It begins paused, until `pawl trigger resume`; a change of this word pauses or "
                 "resumes it."},
        {.name = "pause",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct config, pause),
         .otherwise = "hold",
         .words = pause_words,
         .help = "What happens to events that come while it is paused: they wait for it, or it "
                 "never gets them."},
        {.name = "debounce",
         .kind = FIELD_SECTION,
         .offset = offsetof(struct config, shaping.debounce),
         .fields = debounce_fields,
         .help = "Many events in a short time become one delivery: see docs/delivery.md."},
        {.name = "throttle",
         .kind = FIELD_SECTION,
         .offset = offsetof(struct config, pacing),
         .fields = throttle_fields,
         .help = "Deliveries start at this rate at most; the others wait in order."},
        {.name = "batch",
         .kind = FIELD_SECTION,
         .offset = offsetof(struct config, shaping.batch),
         .fields = batch_fields,
         .help = "Many events become one delivery of all of them: see docs/delivery.md."},
        LATER("ttl", "a trigger that ends by itself"),
        {.name = NULL},
};

static int refuse(const char *field, const char *what, struct err *err)
{
	return err_set(err, E_INVALID, CODE, "'%s' %s", field, what);
}

/* ---- key ---- */

static struct span own(const char *text)
{
	return text != NULL ? mem_span(span_of(text)) : SPAN_NONE;
}

/* A glob that holds no wildcard is the exact key that it spells. */
static int build_key(const struct config *config, struct filter *filter, struct err *err)
{
	struct err why = {0};
	if (config->key != NULL && config->key_regex != NULL) {
		return refuse("key", "and 'key_regex' exclude each other; keep one of them", err);
	}
	if (config->key_regex != NULL &&
	    regex_new(span_of(config->key_regex), &filter->key_regex, &why) != 0) {
		return err_set(err, E_INVALID, CODE, "'key_regex': %s", why.text);
	}
	if (config->key == NULL) {
		return 0;
	}
	if (glob_check(span_of(config->key), &why) != 0) {
		return err_set(err, E_INVALID, CODE, "'key': %s", why.text);
	}
	if (glob_is_pattern(span_of(config->key))) {
		filter->key_glob = own(config->key);
		return 0;
	}
	struct buf plain = {0};
	glob_unescape(span_of(config->key), &plain);
	filter->key = mem_span(buf_view(&plain));
	buf_free(&plain);
	return 0;
}

/* ---- events ---- */

/* "created" and "state:created" are the same word. */
static bool parse_event(const char *word, enum event_kind *out)
{
	struct buf full = {0};
	buf_format(&full, "state:%s", word);
	bool known = event_kind_parse(buf_view(&full), out) ||
	             (event_kind_parse(span_of(word), out) && event_kind_is_change(*out));
	buf_free(&full);
	return known;
}

static int build_events(const struct field_strings *words, struct filter *filter, struct err *err)
{
	for (size_t i = 0; i < words->count; i++) {
		enum event_kind kind = EVENT_CREATED;
		if (!parse_event(words->items[i], &kind)) {
			return err_set(err, E_INVALID, CODE,
			               "'events' takes created, updated, deleted and touched, not "
			               "'%.64s'",
			               words->items[i]);
		}
		filter->events |= 1u << kind;
	}
	if (words->count == 0) {
		filter->events = 1u << EVENT_CREATED | 1u << EVENT_UPDATED | 1u << EVENT_DELETED;
	}
	return 0;
}

/* ---- changed ---- */

static const char PATHS[] = "must be a list of 1 to 64 paths: a name, a JSON Pointer (\"/a/b\") or "
                            "a list of 1 to 32 segments";

static int build_changed(struct span list, struct filter *filter, struct err *err)
{
	if (list.ptr == NULL) {
		return 0;
	}
	if (json_kind(list) == JSON_STRING && list.len > 2) {
		return err_set(err, E_INVALID, CODE, "'changed' %s; write [%.*s]", PATHS,
		               (int)(list.len < SHOWN_MOST ? list.len : SHOWN_MOST), list.ptr);
	}
	if (json_kind(list) != JSON_ARRAY) {
		return refuse("changed", PATHS, err);
	}
	struct span item;
	filter->changed = MEM_ARRAY(struct filter_path, CHANGED_MAX);
	for (struct json_iter iter = json_iter(list); json_next_item(&iter, &item);) {
		if (filter->changed_count == CHANGED_MAX) {
			return refuse("changed", PATHS, err);
		}
		int status = filter_path_read(item, "changed", PATHS,
		                              &filter->changed[filter->changed_count++], err);
		if (status != 0) {
			return status;
		}
	}
	return filter->changed_count != 0 ? 0 : refuse("changed", PATHS, err);
}

/* ---- when, fire, select ---- */

static int build_condition(const struct trigger_request *request, const struct config *config,
                           struct filter *filter, struct err *err)
{
	filter->on_error = (enum condition_on_error)config->on_error;
	if (config->when.ptr == NULL) {
		bool is_plain = config->fire == FIRE_CHANGE && config->on_error == ON_ERROR_IGNORE;
		return is_plain
		               ? 0
		               : refuse(config->fire != FIRE_CHANGE ? "fire" : "on_condition_error",
		                        "says something of 'when', which is missing; add it", err);
	}
	if (json_kind(config->when) != JSON_STRING) {
		return refuse("when", "must be the text of an expression; put it into quotes", err);
	}
	struct buf source = {0};
	struct fault fault = {0};
	json_string(config->when, &source);
	int status = condition_new(request->env, buf_view(&source),
	                           (enum condition_fire)config->fire, &filter->condition, &fault);
	if (status != 0) {
		status = condition_refuse(&fault, "when", buf_view(&source), request->where, err);
	}
	buf_free(&source);
	return status;
}

static int build_selection(const struct trigger_request *request, const struct config *config,
                           struct filter *filter, struct err *err)
{
	return config->select.ptr == NULL ? 0
	                                  : selection_new(request->env, config->select,
	                                                  &filter->selection, request->where, err);
}

static int check_exhausted(const struct config *config, struct err *err)
{
	bool has_keys = config->order != ORDER_NONE;
	return config->on_exhausted != EXHAUSTED_PAUSE_KEY || has_keys
	               ? 0
	               : refuse("on_exhausted",
	                        "can be pause_key only with an order: what is behind the dead one "
	                        "waits; say order: key",
	                        err);
}

static int build_concurrency_key(const struct trigger_request *request, const struct config *config,
                                 struct filter *filter, struct err *err)
{
	return config->concurrency_key == NULL
	               ? 0
	               : grouping_new(request->env, "concurrency_key",
	                              span_of(config->concurrency_key), &filter->concurrency_key,
	                              request->where, err);
}

/* ---- the whole ---- */

static struct trigger_policy policy_of(const struct config *config, const struct filter *filter)
{
	return (struct trigger_policy){
	        .concurrency = (uint32_t)config->concurrency,
	        .order = (enum trigger_order)config->order,
	        .durable = config->durable,
	        .on_exhausted = (enum trigger_exhausted)config->on_exhausted,
	        .paused = config->paused,
	        .pause = (enum trigger_pause)config->pause,
	        .timeout_ms = config->timeout_ms,
	        .retry = config->retry.said,
	        .condition_function_id = filter->condition_function_id,
	};
}

int on_state_parse(const struct trigger_request *request, struct filter **out,
                   struct trigger_policy *out_policy, struct err *err)
{
	struct config config = {.retry = RETRY_UNSAID};
	struct filter *filter = MEM_NEW(struct filter);
	int status = field_read_json(state_fields, request->config, CODE, &config, err);
	if (status != 0) {
		goto done;
	}
	status = retry_finish(&config.retry, CODE, err);
	if (status != 0) {
		goto done;
	}
	filter->scope = own(config.scope);
	filter->condition_function_id = own(config.condition_function_id);
	status = build_key(&config, filter, err);
	if (status == 0) {
		status = build_events(&config.events, filter, err);
	}
	if (status == 0) {
		status = build_changed(config.changed, filter, err);
	}
	if (status == 0) {
		status = build_condition(request, &config, filter, err);
	}
	if (status == 0) {
		status = build_selection(request, &config, filter, err);
	}
	if (status == 0) {
		status = build_concurrency_key(request, &config, filter, err);
	}
	if (status == 0) {
		status = shaping_new(request->env, request->config, &config.shaping, CODE,
		                     request->where, &filter->shaping, err);
	}
	if (status == 0) {
		status = pacing_new(request->env, request->config, &config.pacing, CODE,
		                    request->where, &filter->pacing, err);
	}
	if (status == 0) {
		status = check_exhausted(&config, err);
	}
	if (status == 0) {
		*out_policy = policy_of(&config, filter);
		*out = filter;
		filter = NULL;
	}
done:
	filter_free(filter);
	field_free(state_fields, &config);
	return status;
}

void on_state_print(const char *prefix, struct buf *out)
{
	field_print_text(state_fields, prefix, out);
}
