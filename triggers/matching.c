/* This file gives the variables of expressions the values of one event. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/matching.h"

#include "base/buf.h"
#include "base/mem.h"

void matching_init(struct matching *matching, struct condition_env *env, struct span log)
{
	*matching = (struct matching){.env = env, .log = log};
	activation_init(&matching->values, env->paths, MATCHING_ARENA_MAX);
}

void matching_close(struct matching *matching)
{
	activation_close(&matching->values);
}

void matching_begin(struct matching *matching, const struct event *event)
{
	matching->event = event;
	matching->budget = MATCHING_BUDGET;
	matching->is_bound = false;
	matching->has_event = false;
}

static struct value time_value(int64_t wall_ms)
{
	int64_t seconds = wall_ms / 1000;
	int64_t rest = wall_ms % 1000;
	if (rest < 0) {
		rest += 1000;
		seconds--;
	}
	return (struct value){
	        .tag = VALUE_TIMESTAMP, .len = (uint32_t)(rest * 1000000), .as.i = seconds};
}

/* ---- `event` as such: a map of what the handler would get ---- */

enum { EVENT_MEMBERS_MAX = 12 };

struct member_list {
	struct allowance *allowance;
	struct value_pair pairs[EVENT_MEMBERS_MAX];
	size_t count;
};

static void add(struct member_list *members, const char *name, struct value value)
{
	PRE(members->count < EVENT_MEMBERS_MAX);
	members->pairs[members->count++] = (struct value_pair){value_string(span_of(name)), value};
}

/* A text of our own making. */
static struct value kept(struct allowance *allowance, struct buf *text)
{
	struct span copy = arena_copy(&allowance->arena, buf_view(text));
	buf_free(text);
	return copy.ptr != NULL ? value_string(copy) : value_error(ERROR_TOO_BIG, NULL);
}

/* `pairs` may be of the stack: the map's are copied. */
static struct value map_of(const struct member_list *members)
{
	struct value_pair *pairs =
	        ARENA_ARRAY(&members->allowance->arena, struct value_pair, members->count);
	if (pairs == NULL) {
		return value_error(ERROR_TOO_BIG, NULL);
	}
	memcpy(pairs, members->pairs, members->count * sizeof *pairs);
	return value_of_map(members->allowance, pairs, members->count);
}

static struct value path_list(struct allowance *allowance, struct span path)
{
	size_t count = path.len != 0;
	for (size_t i = 0; i < path.len; i++) {
		count += path.ptr[i] == '\n';
	}
	struct value *items = ARENA_ARRAY(&allowance->arena, struct value, count + 1);
	if (items == NULL) {
		return value_error(ERROR_TOO_BIG, NULL);
	}
	for (size_t i = 0; i < count; i++) {
		const char *end = memchr(path.ptr, '\n', path.len);
		size_t len = end != NULL ? (size_t)(end - path.ptr) : path.len;
		items[i] = value_string(span_make(path.ptr, len));
		size_t taken = len + (end != NULL);
		path = span_make(path.ptr + taken, path.len - taken);
	}
	return value_of_list(allowance, items, count);
}

static struct value cause_map(struct allowance *allowance, const struct event_cause *cause)
{
	struct member_list members = {.allowance = allowance};
	add(&members, "root", value_string(cause->root));
	add(&members, "depth", value_int(cause->depth));
	add(&members, "path", path_list(allowance, cause->path));
	return map_of(&members);
}

/* A variable's value, as part of another one: its slot knows its children, the copy does not. */
static struct value value_of(struct matching *matching, enum condition_root root)
{
	struct value value = activation_get(&matching->values, matching->env->roots[root]);
	value.flags &= (uint8_t)~VALUE_FILLED;
	return value;
}

static void add_message(struct matching *matching, struct member_list *members)
{
	const struct event *event = matching->event;
	const char *type = event->kind == EVENT_QUEUED ? "queue" : "topic";
	add(members, "type", value_string(span_of(type)));
	add(members, type, value_string(event->scope));
	if (event->key.ptr != NULL) {
		add(members, "key", value_string(event->key));
	}
	add(members, "data", value_of(matching, ROOT_NEW_VALUE));
}

static struct value event_map(struct matching *matching)
{
	const struct event *event = matching->event;
	struct allowance *allowance = &matching->values.allowance;
	struct member_list members = {.allowance = allowance};
	struct buf id = {0};
	struct buf rev = {0};
	event_write_id(matching->log, event->epoch, event->seq, &id);
	add(&members, "event_type", value_of(matching, ROOT_EVENT_TYPE));
	if (event_kind_is_message(event->kind)) {
		add_message(matching, &members);
	} else {
		add(&members, "type", value_string(SPAN("state")));
		add(&members, "scope", value_string(event->scope));
		add(&members, "key", value_string(event->key));
		add(&members, "old_value", value_of(matching, ROOT_OLD_VALUE));
		add(&members, "new_value", value_of(matching, ROOT_NEW_VALUE));
		buf_uint(&rev, event->rev);
		add(&members, "rev", kept(allowance, &rev));
	}
	add(&members, "id", kept(allowance, &id));
	add(&members, "seq", value_int((int64_t)event->seq));
	add(&members, "time", time_value(event->time_ms));
	if (event->expires_at_ms != 0) {
		add(&members, "expires_at", time_value(event->expires_at_ms));
	}
	if (event->reason.ptr != NULL) {
		add(&members, "reason", value_string(event->reason));
	}
	if (event->cause.depth != 0) {
		add(&members, "cause", cause_map(allowance, &event->cause));
	}
	return map_of(&members);
}

/* ---- binding ---- */

static void bind_json(struct activation *values, uint32_t root, struct span json)
{
	if (json.ptr == NULL) {
		activation_bind(values, root, value_null());
	} else {
		activation_bind_json(values, root, json);
	}
}

static void bind_all(struct matching *matching)
{
	struct activation *values = &matching->values;
	const struct event *event = matching->event;
	const uint32_t *roots = matching->env->roots;
	activation_reset(values);
	values->allowance.budget = EXPR_BUDGET;
	activation_bind(values, roots[ROOT_EVENT_TYPE],
	                value_string(event->kind == EVENT_CUSTOM
	                                     ? event->scope
	                                     : span_of(event_kind_name(event->kind))));
	activation_bind(values, roots[ROOT_SCOPE], value_string(event->scope));
	activation_bind(values, roots[ROOT_KEY], value_string(event->key));
	activation_bind(values, roots[ROOT_SEQ], value_int((int64_t)event->seq));
	activation_bind(values, roots[ROOT_TIME], time_value(event->time_ms));
	activation_bind(values, roots[ROOT_METADATA], value_null());
	matching->metadata = SPAN_NONE;
	bind_json(values, roots[ROOT_OLD_VALUE], event->old_value);
	bind_json(values, roots[ROOT_NEW_VALUE], event->new_value);
}

/* A CloudEvent is itself: event.type, event.data. So is what is told of a dead letter. */
static void bind_event(struct matching *matching)
{
	const struct event *event = matching->event;
	uint32_t root = matching->env->roots[ROOT_EVENT];
	if (!event_kind_is_change(event->kind) && !event_kind_is_message(event->kind)) {
		bind_json(&matching->values, root, event->new_value);
	} else {
		activation_bind(&matching->values, root, event_map(matching));
	}
}

struct activation *matching_values(struct matching *matching)
{
	if (!matching->is_bound) {
		bind_all(matching);
		matching->is_bound = true;
	}
	if (!matching->has_event && matching->env->event_users != 0) {
		bind_event(matching);
		matching->has_event = true;
	}
	return &matching->values;
}

struct activation *matching_values_with(struct matching *matching, struct span metadata)
{
	struct activation *values = matching_values(matching);
	if (matching->metadata.ptr != metadata.ptr) {
		bind_json(values, matching->env->roots[ROOT_METADATA], metadata);
		matching->metadata = metadata;
	}
	return values;
}

struct value matching_eval(struct matching *matching, const struct expr *expr,
                           struct activation *values)
{
	if (matching->budget <= 0) {
		return value_error(ERROR_BUDGET, "all conditions of the event together");
	}
	int64_t budget = matching->budget < EXPR_BUDGET ? matching->budget : EXPR_BUDGET;
	int64_t spent = 0;
	struct value value = expr_eval(expr, values, budget, &spent);
	matching->budget -= spent;
	return value;
}
