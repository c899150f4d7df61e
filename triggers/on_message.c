/* This file is the tables of the fields of subscribers and queues, and makes filters by them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/on_message.h"

#include "base/field.h"
#include "base/field_print.h"
#include "base/json.h"
#include "base/mem.h"
#include "triggers/own_fields.h"

static const char CODE[] = "invalid_trigger";

enum { TOPIC_MAX = 512, QUEUE_MAX = 128, GROUP_MAX = 1024, RETRIES_MAX = 999 };
#define DAY (INT64_C(24) * 60 * 60 * 1000)

enum { QUEUE_STANDARD, QUEUE_FIFO };
enum { TUNING_CONCURRENT, TUNING_FIFO };
enum { BACKOFF_EXPONENTIAL, BACKOFF_FIXED };

/* What iii's subscribers say in `queue_config`. */
struct tuning {
	int type;
	int64_t max_retries; /* -1: it does not say */
	int64_t concurrency; /* 0: it does not say */
	int backoff_type;
	int64_t backoff_ms; /* -1 */
};

struct config {
	char *topic;
	char *queue;
	int type;
	struct span group;
	int64_t max_retries; /* -1 */
	int64_t backoff_ms;  /* -1 */
	struct tuning tuning;
};

#define NOTHING_SAID                                                                               \
	{                                                                                          \
		.max_retries = -1, .backoff_ms = -1, .tuning = {                                   \
			.max_retries = -1,                                                         \
			.backoff_ms = -1                                                           \
		}                                                                                  \
	}

static const char *const queue_words[] = {
        [QUEUE_STANDARD] = "standard", [QUEUE_FIFO] = "fifo", NULL};
static const char *const tuning_words[] = {
        [TUNING_CONCURRENT] = "concurrent", [TUNING_FIFO] = "fifo", NULL};
static const char *const backoff_words[] = {
        [BACKOFF_EXPONENTIAL] = "exponential", [BACKOFF_FIXED] = "fixed", NULL};

#define RETRIES(member, says)                                                                      \
	{                                                                                          \
		.name = (says), .kind = FIELD_INT, .offset = offsetof(struct config, member),      \
		.min = 0, .max = RETRIES_MAX,                                                      \
		.help = "iii's word: attempts behind the first; one less than "                    \
		        "retry.max_attempts."                                                      \
	}
#define BACKOFF(member, says)                                                                      \
	{                                                                                          \
		.name = (says), .kind = FIELD_INT, .offset = offsetof(struct config, member),      \
		.min = 1, .max = DAY, .unit = "ms", .help = "iii's word for retry.initial_ms."     \
	}

static const struct field tuning_fields[] = {
        {.name = "type",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct tuning, type),
         .otherwise = "concurrent",
         .words = tuning_words,
         .help = "fifo: one after the other (order: trigger)."},
        {.name = "maxRetries",
         .kind = FIELD_INT,
         .offset = offsetof(struct tuning, max_retries),
         .min = 0,
         .max = RETRIES_MAX,
         .help = "Attempts behind the first."},
        {.name = "concurrency",
         .kind = FIELD_INT,
         .offset = offsetof(struct tuning, concurrency),
         .min = 1,
         .max = 10000,
         .help = "How many deliveries run at a time."},
        {.name = "backoffType",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct tuning, backoff_type),
         .otherwise = "exponential",
         .words = backoff_words,
         .help = "Whether the waits grow."},
        {.name = "backoffDelayMs",
         .kind = FIELD_INT,
         .offset = offsetof(struct tuning, backoff_ms),
         .min = 1,
         .max = DAY,
         .unit = "ms",
         .help = "The wait before the second attempt."},
        {.name = "visibilityTimeout",
         .kind = FIELD_RESERVED,
         .help = "say timeout: how long an attempt may take"},
        {.name = "delaySeconds", .kind = FIELD_RESERVED, .help = "a wait before the first attempt"},
        {.name = "maxPriority", .kind = FIELD_RESERVED, .help = "priorities"},
        {.name = NULL},
};

static const struct field durable_fields[] = {
        {.name = "topic",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, topic),
         .min = 1,
         .max = TOPIC_MAX,
         .help = "type: durable:subscriber, subscribe. The topic whose messages wake it."},
        {.name = "queue",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, queue),
         .min = 1,
         .max = TOPIC_MAX,
         .help = "type: durable:subscriber. iii's other word for topic."},
        RETRIES(max_retries, "max_retries"),
        BACKOFF(backoff_ms, "backoff_ms"),
        {.name = "queue_config",
         .kind = FIELD_SECTION,
         .offset = offsetof(struct config, tuning),
         .fields = tuning_fields,
         .help = "type: durable:subscriber. How iii's subscribers say their policy; concurrency, "
                 "retry and order say the same."},
        {.name = NULL},
};

static const struct field subscribe_fields[] = {
        {.name = "topic",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, topic),
         .min = 1,
         .max = TOPIC_MAX,
         .help = "The topic whose messages wake it."},
        {.name = NULL},
};

static const struct field queue_fields[] = {
        {.name = "queue",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config, queue),
         .min = 1,
         .max = QUEUE_MAX,
         .required = true,
         .help = "Its name."},
        {.name = "type",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct config, type),
         .otherwise = "standard",
         .words = queue_words,
         .help = "standard: messages start as there is room. fifo: those of one group start one "
                 "after the other, groups beside each other."},
        {.name = "message_group_field",
         .kind = FIELD_JSON,
         .offset = offsetof(struct config, group),
         .help = "fifo: where the data of a message says its group: a name, a JSON Pointer "
                 "(\"/a/b\") or a list of segments."},
        RETRIES(max_retries, "max_retries"),
        BACKOFF(backoff_ms, "backoff_ms"),
        {.name = NULL},
};

/* What speaks of a change, which a message is not. */
static const char *const of_changes[] = {"scope",   "key",  "key_regex", "events",
                                         "changed", "fire", NULL};

static const struct own_fields durable = {
        .type = "durable:subscriber",
        .table = durable_fields,
        .foreign = of_changes,
        .asks_by = "topic, when and condition_function_id",
};
static const struct own_fields subscribe = {
        .type = "subscribe",
        .table = subscribe_fields,
        .foreign = of_changes,
        .asks_by = "topic, when and condition_function_id",
};
static const struct own_fields queue = {
        .type = "queue",
        .table = queue_fields,
        .foreign = of_changes,
        .asks_by = "its name",
};

/* What a queue shares with other triggers. */
static const char *const of_queues[] = {"concurrency",  "retry",  "timeout", "timeout_ms",
                                        "on_exhausted", "paused", "pause"};

/* ---- retries in iii's words ---- */

struct retries {
	const char *name; /* of the first of the two */
	int64_t max;      /* -1: it does not say */
	int64_t first_ms;
};

static int take_retries(const struct retries *retries, struct trigger_retry *retry, struct err *err)
{
	bool twice =
	        (retries->max >= 0 && retry->max_attempts >= 0) ||
	        (retries->first_ms >= 0 && (retry->initial_ms >= 0 || retry->schedule_count != 0));
	if (twice) {
		return err_set(err, E_INVALID, CODE,
		               "'%s' and 'retry' say the same; keep one of them", retries->name);
	}
	if (retries->max >= 0) {
		retry->max_attempts = retries->max + 1;
	}
	if (retries->first_ms >= 0) {
		retry->initial_ms = retries->first_ms;
	}
	return 0;
}

static int take_tuning(const struct tuning *tuning, struct trigger_policy *policy, struct err *err)
{
	const struct retries retries = {"queue_config", tuning->max_retries, tuning->backoff_ms};
	if (tuning->concurrency != 0 && policy->concurrency != 0) {
		return err_set(err, E_INVALID, CODE,
		               "'concurrency' is said twice; keep one of them");
	}
	if (tuning->concurrency != 0) {
		policy->concurrency = (uint32_t)tuning->concurrency;
	}
	if (tuning->type == TUNING_FIFO) {
		policy->order = ORDER_TRIGGER;
	}
	if (tuning->backoff_type == BACKOFF_FIXED && policy->retry.multiplier < 0) {
		policy->retry.multiplier = 1000;
	}
	return take_retries(&retries, &policy->retry, err);
}

/* ---- each type ---- */

static int finish_subscriber(const struct config *config, struct filter *filter,
                             struct trigger_policy *policy, struct err *err)
{
	const char *topic = config->topic != NULL ? config->topic : config->queue;
	const struct retries retries = {"max_retries", config->max_retries, config->backoff_ms};
	if (topic == NULL || (config->topic != NULL && config->queue != NULL)) {
		return err_set(err, E_INVALID, CODE,
		               "a subscriber says its 'topic', once: {\"topic\": \"orders\"}");
	}
	filter->scope = mem_span(span_of(topic));
	int status = take_retries(&retries, &policy->retry, err);
	return status == 0 ? take_tuning(&config->tuning, policy, err) : status;
}

static int check_of_queue(struct span config, struct err *err)
{
	struct span name;
	struct span value;
	for (struct json_iter iter = json_iter(config); json_next_member(&iter, &name, &value);) {
		bool is_known = json_is_null(value) || field_find(queue_fields, name) != NULL;
		for (size_t i = 0; i < sizeof of_queues / sizeof *of_queues; i++) {
			is_known = is_known || json_name_is(name, span_of(of_queues[i]));
		}
		if (!is_known) {
			return err_set(err, E_INVALID, CODE,
			               "a queue has no '%.*s'; it has type, message_group_field, "
			               "concurrency, retry, timeout, on_exhausted, paused and "
			               "pause",
			               (int)(name.len < 64 ? name.len : 64), name.ptr);
		}
	}
	return 0;
}

static int finish_queue(const struct config *config, struct filter *filter,
                        struct trigger_policy *policy, struct err *err)
{
	const struct retries retries = {"max_retries", config->max_retries, config->backoff_ms};
	bool is_fifo = config->type == QUEUE_FIFO;
	if (is_fifo != (config->group.ptr != NULL)) {
		return err_set(err, E_INVALID, CODE,
		               is_fifo ? "a queue of type fifo needs a 'message_group_field': "
		                         "where its messages say their group"
		                       : "'message_group_field' is for queues of type fifo; say "
		                         "type: fifo, or leave it out");
	}
	if (!is_fifo && policy->on_exhausted == EXHAUSTED_PAUSE_KEY) {
		return err_set(err, E_INVALID, CODE,
		               "'on_exhausted' can be pause_key only in a queue of type fifo: "
		               "what is behind the dead one in its group waits");
	}
	filter->scope = mem_span(span_of(config->queue));
	policy->order = is_fifo ? ORDER_KEY : ORDER_NONE;
	int status = is_fifo ? filter_path_read(config->group, "message_group_field",
	                                        "must be a name, a JSON Pointer (\"/a/b\") or a "
	                                        "list of 1 to 32 segments",
	                                        &filter->group, err)
	                     : 0;
	return status == 0 ? take_retries(&retries, &policy->retry, err) : status;
}

static int finish(const struct own_fields *type, const struct config *config, struct filter *filter,
                  struct trigger_policy *policy, struct err *err)
{
	return type == &queue ? finish_queue(config, filter, policy, err)
	                      : finish_subscriber(config, filter, policy, err);
}

static int parse(const struct own_fields *type, enum event_kind kind,
                 const struct trigger_request *request, struct filter **out,
                 struct trigger_policy *out_policy, struct err *err)
{
	struct config config = NOTHING_SAID;
	struct filter *filter = NULL;
	struct trigger_policy policy;
	int status = type == &queue ? check_of_queue(request->config, err) : 0;
	if (status == 0) {
		status = own_fields_parse(type, request, &config, &filter, &policy, err);
	}
	if (status == 0 && config.group.ptr != NULL) {
		/* What was read lay in a copy. */
		(void)json_get(request->config, SPAN("message_group_field"), &config.group);
	}
	if (status == 0) {
		filter->events = 1u << kind;
		status = finish(type, &config, filter, &policy, err);
	}
	if (status == 0) {
		*out = filter;
		*out_policy = policy;
		filter = NULL;
	}
	filter_free(filter);
	field_free(type->table, &config);
	return status;
}

int on_message_parse_durable(const struct trigger_request *request, struct filter **out,
                             struct trigger_policy *out_policy, struct err *err)
{
	return parse(&durable, EVENT_PUBLISHED, request, out, out_policy, err);
}

int on_message_parse_subscribe(const struct trigger_request *request, struct filter **out,
                               struct trigger_policy *out_policy, struct err *err)
{
	return parse(&subscribe, EVENT_BROADCAST, request, out, out_policy, err);
}

int on_message_parse_queue(const struct trigger_request *request, struct filter **out,
                           struct trigger_policy *out_policy, struct err *err)
{
	return parse(&queue, EVENT_QUEUED, request, out, out_policy, err);
}

/* ---- groups ---- */

static void write_path(const struct filter_path *path, struct buf *out)
{
	for (size_t i = 0; i < path->count; i++) {
		buf_format(out, "%s%.*s", i == 0 ? "" : "/", SPAN_ARG(path->segments[i]));
	}
}

int on_message_group(const struct filter *filter, struct span data, struct buf *out,
                     struct err *err)
{
	struct span value;
	size_t before = out->len;
	bool is_there = json_at(data, filter->group.segments, filter->group.count, &value);
	if (is_there && json_kind(value) == JSON_STRING) {
		json_string(value, out);
	} else if (is_there && json_kind(value) == JSON_NUMBER) {
		buf_span(out, value);
	}
	if (out->len != before && out->len - before <= GROUP_MAX) {
		return 0;
	}
	struct buf path = {0};
	write_path(&filter->group, &path);
	int status =
	        err_set(err, E_INVALID, "message_group_missing",
	                "the queue \"%.*s\" orders its messages by '%.*s' of their data: it must "
	                "be there, a text of 1 to %d bytes or a number",
	                SPAN_ARG(filter->scope), SPAN_ARG(buf_view(&path)), GROUP_MAX);
	buf_free(&path);
	return status;
}

void on_message_print(const char *prefix, struct buf *out)
{
	field_print_text(durable_fields, prefix, out);
}

void on_message_print_queue(const char *prefix, struct buf *out)
{
	field_print_text(queue_fields, prefix, out);
}
