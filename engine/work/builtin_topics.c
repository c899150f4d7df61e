/* This file answers for queues and topics in the words of iii's consoles. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "engine/core/catalog.h"
#include "engine/core/dead.h"
#include "engine/core/dead_filter.h"
#include "engine/core/parcel.h"
#include "engine/core/queue_names.h"
#include "engine/work/builtin.h"
#include "triggers/expr/moment_read.h"

enum { LETTERS_USUAL = 50 };
#define BROKER "pawl"

/* Queues and topics of one name are one topic to who asks so. */
struct topic {
	struct map_node node;
	struct span name; /* owned */
	uint64_t consumers, depth, dead;
	struct span config; /* of a queue; the binding's */
};

struct topics {
	struct dead_list list;
	struct work *work;
	void (*compose)(struct topics *topics, struct buf *out);
	struct topic **items;
	size_t count;
	struct map by_name;
	struct buf texts;
	struct span wanted; /* only this one; absent: all */
};

static bool has_name(const struct map_node *node, const void *key)
{
	return span_equal(MEM_CONTAINER(node, struct topic, node)->name, *(const struct span *)key);
}

static struct topic *need(struct topics *topics, struct span name)
{
	uint64_t hash = hash_bytes(name, 0);
	struct map_node *node = map_get(&topics->by_name, hash, &name, has_name);
	if (node != NULL) {
		return MEM_CONTAINER(node, struct topic, node);
	}
	struct topic *topic = MEM_NEW(struct topic);
	topic->name = mem_span(name);
	map_add(&topics->by_name, &topic->node, hash);
	topics->items = mem_grow(topics->items, (topics->count + 1) * sizeof *topics->items);
	topics->items[topics->count++] = topic;
	return topic;
}

static void free_topics(struct topics *topics)
{
	for (size_t i = 0; i < topics->count; i++) {
		map_remove(&topics->by_name, &topics->items[i]->node);
		mem_free((char *)topics->items[i]->name.ptr);
		mem_free(topics->items[i]);
	}
	map_close(&topics->by_name);
	mem_free(topics->items);
	buf_free(&topics->texts);
	mem_free(topics);
}

static bool is_wanted(const struct topics *topics, struct span name)
{
	return topics->wanted.ptr == NULL || span_equal(topics->wanted, name);
}

/* ---- who is there ---- */

static void add_binding(void *ctx, struct binding *binding)
{
	struct topics *topics = ctx;
	bool is_queue = span_is(binding->type, QUEUE_TYPE);
	bool is_subscriber =
	        span_is(binding->type, "durable:subscriber") || span_is(binding->type, "subscribe");
	if ((!is_queue && !is_subscriber) || !is_wanted(topics, binding->filter->scope)) {
		return;
	}
	struct topic *topic = need(topics, binding->filter->scope);
	topic->depth += binding->held;
	if (binding->until_seq == 0) {
		topic->consumers += is_queue ? binding->policy.concurrency : 1;
		topic->config = is_queue ? binding->config : topic->config;
	}
}

/* ---- what is dead ---- */

/* Appends the name; empty: it is no letter of a queue or topic, or of a range of a topic's. */
static void read_name(struct span letter, struct buf *out)
{
	static const struct span names[2] = {{"event", 5}, {"trigger", 7}};
	static const struct span places[2] = {{"queue", 5}, {"topic", 5}};
	struct span found[2] = {0};
	struct span place[2] = {0};
	struct span first;
	json_get_many(letter, names, 2, found);
	bool is_event = found[0].ptr != NULL && json_kind(found[0]) == JSON_OBJECT;
	struct span events = is_event ? parcel_events(found[0]) : SPAN_NONE;
	struct json_iter iter = json_iter(events.ptr != NULL ? events : SPAN("[]"));
	struct span event = json_next_item(&iter, &first) ? first : found[0];
	if (is_event) {
		json_get_many(event, places, 2, place);
	}
	struct span name = place[0].ptr != NULL ? place[0] : place[1];
	if (name.ptr != NULL) {
		json_string(name, out);
	} else if (found[1].ptr != NULL) {
		struct buf trigger = {0};
		json_string(found[1], &trigger);
		size_t at = sizeof QUEUE_TRIGGER - 1;
		if (span_starts_with(buf_view(&trigger), SPAN(QUEUE_TRIGGER))) {
			buf_add(out, trigger.ptr + at, trigger.len - at);
		}
		buf_free(&trigger);
	}
}

static bool count_letter(struct dead_list *list, struct span json)
{
	struct topics *topics = MEM_CONTAINER(list, struct topics, list);
	struct buf name = {0};
	read_name(json, &name);
	if (name.len != 0 && is_wanted(topics, buf_view(&name))) {
		need(topics, buf_view(&name))->dead++;
	}
	buf_free(&name);
	return true;
}

static void letters_counted(struct dead_list *list, int status, const struct err *err)
{
	struct topics *topics = MEM_CONTAINER(list, struct topics, list);
	struct work *work = topics->work;
	if (status != 0) {
		work_fail(work, err);
	} else {
		catalog_each(work->core->catalog, add_binding, topics);
		topics->compose(topics, &work->out);
		work_reply_out(work);
	}
	free_topics(topics);
}

/* ---- the answers ---- */

static void compose_topics(struct topics *topics, struct buf *out)
{
	buf_byte(out, '[');
	for (size_t i = 0; i < topics->count; i++) {
		json_write_comma(out);
		buf_byte(out, '{');
		json_write_member_string(out, "name", topics->items[i]->name);
		json_write_member_string(out, "broker_type", SPAN(BROKER));
		json_write_member_uint(out, "subscriber_count", topics->items[i]->consumers);
		buf_byte(out, '}');
	}
	buf_byte(out, ']');
}

static void compose_dead(struct topics *topics, struct buf *out)
{
	buf_byte(out, '[');
	for (size_t i = 0; i < topics->count; i++) {
		if (topics->items[i]->dead == 0) {
			continue;
		}
		json_write_comma(out);
		buf_byte(out, '{');
		json_write_member_string(out, "topic", topics->items[i]->name);
		json_write_member_string(out, "broker_type", SPAN(BROKER));
		json_write_member_uint(out, "message_count", topics->items[i]->dead);
		buf_byte(out, '}');
	}
	buf_byte(out, ']');
}

static void compose_stats(struct topics *topics, struct buf *out)
{
	const struct topic *topic = need(topics, topics->wanted);
	buf_byte(out, '{');
	json_write_member_uint(out, "depth", topic->depth);
	json_write_member_uint(out, "consumer_count", topic->consumers);
	json_write_member_uint(out, "dlq_depth", topic->dead);
	json_write_member_raw(out, "config",
	                      topic->config.ptr != NULL ? topic->config : SPAN("null"));
	buf_byte(out, '}');
}

static struct topics *open_topics(struct work *work,
                                  void (*compose)(struct topics *topics, struct buf *out))
{
	struct topics *topics = MEM_NEW(struct topics);
	topics->work = work;
	topics->compose = compose;
	topics->list = (struct dead_list){.each = count_letter, .done = letters_counted};
	return topics;
}

static void list_topics(struct work *work, struct span data)
{
	(void)data;
	letters_counted(&open_topics(work, compose_topics)->list, 0, NULL);
}

static void dlq_topics(struct work *work, struct span data)
{
	(void)data;
	dead_list_start(work->core->dead, &open_topics(work, compose_dead)->list, false);
}

/* "topic", or "queue". */
static struct span read_wanted(struct span data, struct buf *texts)
{
	(void)buf_reserve(texts, 2 * data.len); /* the texts must not move */
	struct span name = work_text(data, "topic", texts);
	return name.ptr != NULL ? name : work_text(data, "queue", texts);
}

static void refuse_nameless(struct work *work)
{
	work_refuse(work, "invalid_data", "say the 'topic' (or 'queue')");
}

static void topic_stats(struct work *work, struct span data)
{
	struct topics *topics = open_topics(work, compose_stats);
	topics->wanted = read_wanted(data, &topics->texts);
	if (topics->wanted.len == 0) {
		refuse_nameless(work);
		free_topics(topics);
		return;
	}
	dead_list_start(work->core->dead, &topics->list, false);
}

/* ---- one by one ---- */

struct messages {
	struct dead_list list;
	struct work *work;
	struct dead_filter filter;
	uint64_t skip, left;
};

static uint64_t ms_of(struct span time)
{
	struct buf text = {0};
	int64_t seconds = 0;
	uint32_t nanos = 0;
	if (time.ptr != NULL) {
		json_string(time, &text);
		(void)moment_read_timestamp(buf_view(&text), &seconds, &nanos);
	}
	buf_free(&text);
	return (uint64_t)seconds * 1000 + nanos / 1000000;
}

/* What the last attempt said, or why there was none. */
static struct span error_of(struct span attempts, struct span message, uint64_t *out_count)
{
	struct span error = message;
	struct span attempt;
	struct json_iter iter = json_iter(attempts.ptr != NULL ? attempts : SPAN("[]"));
	for (*out_count = 0; json_next_item(&iter, &attempt); ++*out_count) {
		(void)json_get(attempt, SPAN("message"), &error);
	}
	return error.ptr != NULL ? error : SPAN("\"\"");
}

static void write_message(struct span letter, struct buf *out)
{
	enum { ID, EVENT, ATTEMPTS, MESSAGE, DIED, COUNT };
	static const struct span names[COUNT] = {
	        {"id", 2}, {"event", 5}, {"attempts", 8}, {"message", 7}, {"died_at", 7}};
	struct span found[COUNT] = {0};
	struct span payload = SPAN("null");
	uint64_t attempts;
	json_get_many(letter, names, COUNT, found);
	if (found[EVENT].ptr != NULL && !json_get(found[EVENT], SPAN("data"), &payload)) {
		payload = found[EVENT]; /* a batch: all of it */
	}
	struct span error = error_of(found[ATTEMPTS], found[MESSAGE], &attempts);
	json_write_comma(out);
	buf_byte(out, '{');
	json_write_member_raw(out, "id", found[ID]);
	json_write_member_raw(out, "payload", payload);
	json_write_member_raw(out, "error", error);
	json_write_member_uint(out, "failed_at", ms_of(found[DIED]));
	json_write_member_uint(out, "retries", attempts > 0 ? attempts - 1 : 0);
	json_write_member_uint(out, "size_bytes", payload.len);
	buf_byte(out, '}');
}

static bool take_letter(struct dead_list *list, struct span json)
{
	struct messages *messages = MEM_CONTAINER(list, struct messages, list);
	if (!dead_filter_fits(&messages->filter, json)) {
		return true;
	}
	if (messages->skip > 0) {
		messages->skip--;
		return true;
	}
	write_message(json, &messages->work->out);
	return --messages->left > 0;
}

static void close_messages(struct messages *messages)
{
	dead_filter_close(&messages->filter);
	mem_free(messages);
}

static void letters_told(struct dead_list *list, int status, const struct err *err)
{
	struct messages *messages = MEM_CONTAINER(list, struct messages, list);
	struct work *work = messages->work;
	if (status != 0) {
		work_fail(work, err);
	} else {
		buf_byte(&work->out, ']');
		work_reply_out(work);
	}
	close_messages(messages);
}

static void dlq_messages(struct work *work, struct span data)
{
	struct messages *messages = MEM_NEW(struct messages);
	struct span limit;
	messages->work = work;
	messages->skip = work_uint(data, "offset", 0);
	messages->left = json_get(data, SPAN("limit"), &limit) ? work_limit(data) : LETTERS_USUAL;
	messages->list = (struct dead_list){.each = take_letter, .done = letters_told};
	messages->filter.member[DEAD_QUEUE] = read_wanted(data, &messages->filter.texts);
	if (messages->filter.member[DEAD_QUEUE].len == 0) {
		refuse_nameless(work);
		close_messages(messages);
		return;
	}
	buf_byte(&work->out, '[');
	dead_list_start(work->core->dead, &messages->list, false);
}

const struct builtin_row builtin_topic_rows[] = {
        {"engine::queue::list_topics", list_topics, "Lists queues and topics, as iii does."},
        {"engine::queue::topic_stats", topic_stats, "Tells how a queue or topic is, as iii does."},
        {"engine::queue::dlq_topics", dlq_topics,
         "Lists queues and topics that have dead messages, as iii does."},
        {"engine::queue::dlq_messages", dlq_messages,
         "Lists the dead messages of a queue or topic, as iii does."},
        {NULL, NULL, NULL},
};
