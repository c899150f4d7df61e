/* This file asks a filter for its reasons and writes them for people and programs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/ruling.h"

#include "base/json.h"
#include "triggers/alarm_wish.h"
#include "triggers/dead_wish.h"
#include "triggers/expr/failure.h"

enum { SHOWN_MOST = 200 /* bytes of a value, about */, SAW_MOST = 32 };

/* ---- judging ---- */

static enum ruling on_error(const struct filter *filter)
{
	switch (filter->on_error) {
	case ON_ERROR_FIRE:
		return RULING_FIRED_ON_ERROR;
	case ON_ERROR_DEAD:
		return RULING_DEAD_ON_ERROR;
	case ON_ERROR_IGNORE:
		break;
	}
	return RULING_CONDITION_ERROR;
}

static struct activation *values_of(const struct filter *filter, struct matching *matching)
{
	return matching_values_with(matching, filter->metadata);
}

/* An edge asks first about a value that is not there: there is nothing to be true. */
static bool lacks_value(const struct filter *filter, const struct event *event)
{
	enum condition_fire fire = condition_fires(filter->condition);
	return (fire == FIRE_RISING && event->new_value.ptr == NULL) ||
	       (fire == FIRE_FALLING && event->old_value.ptr == NULL);
}

/* An edge is not met although what it asks for first is true: was it so before, is it so still? */
static enum ruling why_false(const struct filter *filter, struct matching *matching)
{
	const struct condition *condition = filter->condition;
	if (condition_fires(condition) == FIRE_CHANGE || lacks_value(filter, matching->event)) {
		return RULING_CONDITION_FALSE;
	}
	struct value value =
	        matching_eval(matching, condition_needs(condition), values_of(filter, matching));
	return value_is_true(value) ? RULING_EDGE : RULING_CONDITION_FALSE;
}

enum ruling ruling_of(const struct filter *filter, struct matching *matching,
                      struct value *out_error)
{
	static const enum ruling MISSES[] = {
	        [MISS_SCOPE] = RULING_SCOPE,    [MISS_EVENTS] = RULING_EVENTS,
	        [MISS_KEY] = RULING_KEY,        [MISS_SOURCE] = RULING_SOURCE,
	        [MISS_DEAD] = RULING_LETTER,    [MISS_ALARM] = RULING_ALARM,
	        [MISS_CHANGED] = RULING_CHANGED};
	enum filter_miss miss = filter_miss(filter, matching->event);
	if (miss != MISS_NOTHING) {
		return MISSES[miss];
	}
	if (filter->condition == NULL) {
		return RULING_FIRED;
	}
	switch (condition_eval(filter->condition, matching, filter->metadata, out_error)) {
	case CONDITION_TRUE:
		return RULING_FIRED;
	case CONDITION_FALSE:
		return why_false(filter, matching);
	case CONDITION_ERROR:
		break;
	}
	return on_error(filter);
}

const char *ruling_word(enum ruling ruling)
{
	static const char *const WORDS[RULING_COUNT] = {
#define X(name, word) [name] = (word),
	        RULINGS(X)
#undef X
	};
	return WORDS[ruling];
}

bool ruling_wakes(enum ruling ruling)
{
	return ruling == RULING_FIRED || ruling == RULING_FIRED_ON_ERROR;
}

/* ---- the sentence ---- */

static void quote(struct buf *out, const char *before, struct span text)
{
	buf_format(out, "%s\"%.*s\"", before, SPAN_ARG(text));
}

static void say_key(const struct filter *filter, struct buf *out)
{
	enum event_kind kind = EVENT_CREATED;
	(void)filter_is_beside(filter, &kind);
	buf_span(out, kind == EVENT_CUSTOM ? SPAN("subject") : SPAN("key"));
	if (filter->key.ptr != NULL) {
		quote(out, " does not match: it wants ", filter->key);
	} else if (filter->key_glob.ptr != NULL) {
		quote(out, " does not match: it wants ", filter->key_glob);
	} else {
		BUF_LITERAL(out, " does not match its key_regex");
	}
}

static const char *say_kind(enum event_kind kind)
{
	return kind == EVENT_CUSTOM        ? "events that are sent in"
	       : kind == EVENT_DEAD        ? "dead letters"
	       : event_kind_is_alarm(kind) ? "alarms"
	       : kind == EVENT_CRON        ? "times of cron triggers"
	       : kind == EVENT_QUEUED      ? "messages of queues"
	       : kind == EVENT_PUBLISHED   ? "messages of topics"
	       : kind == EVENT_BROADCAST   ? "messages that `publish` sends"
	                                   : "changes of the state";
}

static void say_events(const struct filter *filter, enum event_kind kind, struct buf *out)
{
	enum event_kind wanted = EVENT_CREATED;
	(void)filter_is_beside(filter, &wanted);
	if (filter->http != NULL) {
		BUF_LITERAL(out, "it wakes on HTTP requests, not on events");
	} else if ((event_kind_is_change(wanted) && event_kind_is_change(kind)) ||
	           (event_kind_is_alarm(wanted) && event_kind_is_alarm(kind))) {
		buf_format(out, "events does not list %s", event_kind_name(kind));
	} else {
		buf_format(out, "it wakes on %s, not on %s", say_kind(wanted), say_kind(kind));
	}
}

static void say_scope(const struct filter *filter, enum event_kind of, struct buf *out)
{
	enum event_kind kind = EVENT_CREATED;
	(void)filter_is_beside(filter, &kind);
	if (kind == EVENT_CRON) {
		buf_format(out, "it wakes on its own times, not on %s",
		           of == EVENT_CRON ? "those of another trigger" : say_kind(of));
		return;
	}
	quote(out,
	      kind == EVENT_CUSTOM          ? "event_type does not match: it wants "
	      : kind == EVENT_QUEUED        ? "queue does not match: it wants "
	      : event_kind_is_message(kind) ? "topic does not match: it wants "
	                                    : "scope does not match: it wants ",
	      filter->scope);
}

static void say_letter(const struct filter *filter, const struct event *event, struct buf *out)
{
	enum dead_part part = dead_wish_miss(filter->dead, event);
	buf_span(out, span_of(dead_part_name(part)));
	quote(out, " does not match: it wants ", filter->dead->glob[part]);
}

static void say_alarm(const struct filter *filter, const struct event *event, struct buf *out)
{
	enum alarm_part part = alarm_wish_miss(filter->alarm, event);
	buf_span(out, span_of(alarm_part_name(part)));
	quote(out, " does not match: it wants ", alarm_wish_text(filter->alarm, part));
}

static void say_fired(const struct filter *filter, struct buf *out)
{
	BUF_LITERAL(out, "fired");
	if (filter->condition_function_id.len != 0) {
		quote(out, ", if its condition function says so: ", filter->condition_function_id);
	}
}

static void say_error(const struct filter *filter, struct matching *matching, struct buf *out)
{
	struct value error = value_error(ERROR_NONE, NULL);
	(void)condition_eval(filter->condition, matching, filter->metadata, &error);
	BUF_LITERAL(out, ": ");
	failure_write(condition_source(filter->condition), error, out);
}

static const char *say_false(const struct filter *filter, const struct event *event)
{
	bool lacks = lacks_value(filter, event);
	switch (condition_fires(filter->condition)) {
	case FIRE_RISING:
		return lacks ? "fire: rising: there is no new value"
		             : "fire: rising: its condition is not true of the new value";
	case FIRE_FALLING:
		return lacks ? "fire: falling: there was no old value"
		             : "fire: falling: its condition was not true of the old value";
	case FIRE_CHANGE:
		break;
	}
	return "its condition is false";
}

static void say(const struct filter *filter, struct matching *matching, enum ruling ruling,
                struct buf *out)
{
	switch (ruling) {
	case RULING_FIRED:
		say_fired(filter, out);
		break;
	case RULING_FIRED_ON_ERROR:
		BUF_LITERAL(out, "fired, since on_condition_error is fire; its condition failed");
		say_error(filter, matching, out);
		break;
	case RULING_DEAD_ON_ERROR:
		BUF_LITERAL(out, "a dead letter, since on_condition_error is dead; its condition "
		                 "failed");
		say_error(filter, matching, out);
		break;
	case RULING_CONDITION_ERROR:
		BUF_LITERAL(out, "its condition failed");
		say_error(filter, matching, out);
		break;
	case RULING_CONDITION_FALSE:
		buf_span(out, span_of(say_false(filter, matching->event)));
		break;
	case RULING_EDGE:
		buf_span(out, condition_fires(filter->condition) == FIRE_RISING
		                      ? SPAN("fire: rising: it was true before")
		                      : SPAN("fire: falling: it is still true"));
		break;
	case RULING_CHANGED:
		BUF_LITERAL(out, "changed: none of the paths differs");
		break;
	case RULING_KEY:
		say_key(filter, out);
		break;
	case RULING_EVENTS:
		say_events(filter, matching->event->kind, out);
		break;
	case RULING_SOURCE:
		quote(out, "source does not match: it wants ", filter->source);
		break;
	case RULING_SCOPE:
		say_scope(filter, matching->event->kind, out);
		break;
	case RULING_ALARM:
		say_alarm(filter, matching->event, out);
		break;
	case RULING_LETTER:
		say_letter(filter, matching->event, out);
		break;
	default:
		NEVER("a ruling that no filter gives");
	}
}

/* ---- what it saw ---- */

/* The part that is shown, and what was looked at in it. */
struct showing {
	struct activation *values;
	struct buf conjunct; /* empty: none yet */
	bool has_failed;     /* the conjunct did: one that is false is better */
	struct buf saw;
	size_t saw_count;
};

static void write_value(struct showing *showing, struct span source, struct value value,
                        struct buf *out)
{
	struct buf text = {0};
	buf_byte(out, '{');
	json_write_member_string(out, "source", source);
	if (value_is_error(value)) {
		value_write_error(value, &text);
		json_write_name(out, "error");
		buf_byte(out, '{');
		json_write_member_string(out, "code",
		                         span_of(value_error_word((enum value_error)value.code)));
		json_write_member_string(out, "text", buf_view(&text));
		buf_byte(out, '}');
	} else {
		value_write_text(&showing->values->allowance, value, SHOWN_MOST, &text);
		json_write_member_string(out, "type", span_of(value_tag_name(value)));
		json_write_member_string(out, "value", buf_view(&text));
	}
	buf_byte(out, '}');
	buf_free(&text);
}

static void show_part(void *ctx, struct span source, struct value value)
{
	struct showing *showing = ctx;
	bool is_no = value.tag == VALUE_BOOL && !value.as.b;
	bool is_wanted =
	        showing->conjunct.len == 0 ? !value_is_true(value) : showing->has_failed && is_no;
	if (is_wanted) {
		buf_clear(&showing->conjunct);
		write_value(showing, source, value, &showing->conjunct);
		showing->has_failed = !is_no;
	}
}

static void show_seen(void *ctx, struct span source, struct value value)
{
	struct showing *showing = ctx;
	if (showing->saw_count++ < SAW_MOST) {
		buf_span(&showing->saw, showing->saw.len != 0 ? SPAN(",") : SPAN(""));
		write_value(showing, source, value, &showing->saw);
	}
}

/* An edge asks about the side that must be true. */
static struct expr_env view_of(const struct filter *filter, const struct matching *matching)
{
	static const enum condition_view VIEWS[] = {
	        [FIRE_CHANGE] = VIEW_EVENT, [FIRE_RISING] = VIEW_NOW, [FIRE_FALLING] = VIEW_BEFORE};
	struct expr_env view = matching->env->views[VIEWS[condition_fires(filter->condition)]];
	enum event_kind kind;
	if (filter_is_beside(filter, &kind)) {
		view.choices = NULL; /* own_fields */
	}
	return view;
}

static void show_condition(const struct filter *filter, struct matching *matching,
                           struct showing *showing)
{
	struct fault fault = {0};
	const struct expr_env view = view_of(filter, matching);
	/* The filter has compiled it; if a part were refused there would be less to show. */
	(void)expr_explain(&view, condition_source(filter->condition), showing->values, EXPR_BUDGET,
	                   show_part, show_seen, showing, &fault);
}

static void write_path(const struct filter_path *path, struct buf *out)
{
	for (size_t i = 0; i < path->count; i++) {
		buf_byte(out, '/');
		for (size_t j = 0; j < path->segments[i].len; j++) {
			char byte = path->segments[i].ptr[j];
			buf_span(out, byte == '~'   ? SPAN("~0")
			              : byte == '/' ? SPAN("~1")
			                            : span_make(&byte, 1));
		}
	}
}

/* Both values have the same there, or nothing. */
static void show_paths(const struct filter *filter, const struct event *event,
                       struct showing *showing)
{
	for (size_t i = 0; i < filter->changed_count; i++) {
		const struct filter_path *path = &filter->changed[i];
		struct span found = SPAN_NONE;
		bool is_there = event->new_value.ptr != NULL &&
		                json_at(event->new_value, path->segments, path->count, &found);
		struct buf pointer = {0};
		write_path(path, &pointer);
		show_seen(showing, buf_view(&pointer),
		          is_there ? value_from_json(&showing->values->allowance, found)
		                   : value_error(ERROR_NO_SUCH_KEY, NULL));
		buf_free(&pointer);
	}
}

/* ---- writing ---- */

void ruling_write_plain(enum ruling ruling, struct span text, struct buf *out)
{
	json_write_member_string(out, "reason", span_of(ruling_word(ruling)));
	json_write_member_string(out, "text", text);
}

void ruling_write(const struct filter *filter, struct matching *matching, enum ruling ruling,
                  struct buf *out)
{
	struct buf text = {0};
	struct showing showing = {.values = values_of(filter, matching)};
	/* The parts are shown whatever the judging of others has left over. */
	matching->budget = MATCHING_BUDGET;
	say(filter, matching, ruling, &text);
	ruling_write_plain(ruling, buf_view(&text), out);
	bool is_false = ruling == RULING_CONDITION_FALSE && !lacks_value(filter, matching->event);
	bool is_no = is_false || ruling == RULING_CONDITION_ERROR ||
	             ruling == RULING_FIRED_ON_ERROR || ruling == RULING_DEAD_ON_ERROR;
	if (is_no) {
		show_condition(filter, matching, &showing);
	} else if (ruling == RULING_CHANGED) {
		show_paths(filter, matching->event, &showing);
	}
	if (showing.conjunct.len != 0) {
		json_write_member_raw(out, "conjunct", buf_view(&showing.conjunct));
	}
	if (showing.saw_count != 0) {
		json_write_name(out, "saw");
		buf_byte(out, '[');
		buf_span(out, buf_view(&showing.saw));
		buf_byte(out, ']');
	}
	buf_free(&showing.conjunct);
	buf_free(&showing.saw);
	buf_free(&text);
}
