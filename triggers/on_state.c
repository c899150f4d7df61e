/* This file is the table of a state trigger's fields, and reads configs by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/on_state.h"

#include "base/json.h"
#include "base/mem.h"
#include "triggers/expr/regex.h"
#include "triggers/glob.h"
#include <stdlib.h>

enum { CHANGED_MAX = 64, SEGMENTS_MAX = 32 };

enum { ALL_EVENTS = 1u << EVENT_CREATED | 1u << EVENT_UPDATED | 1u << EVENT_DELETED };

/* What is being built. */
struct parse {
	struct filter *filter;
	struct trigger_policy *policy;
	struct buf scratch;
};

typedef int field_fn(struct parse *parse, struct span value, struct err *err);

struct state_field {
	const char *name;
	const char *takes; /* for people: "text" */
	field_fn *read;    /* NULL: planned, refused by name */
	const char *help;
};

static int wrong(struct err *err, const char *field, const char *what)
{
	return err_set(err, E_INVALID, "invalid_trigger", "%s %s", field, what);
}

/* ---- values ---- */

static int read_text(const char *field, struct span value, struct span *out, struct err *err)
{
	if (json_kind(value) != JSON_STRING || value.len <= 2) {
		return wrong(err, field, "must be a text that is not empty");
	}
	struct buf text = {0};
	json_string(value, &text);
	mem_free((char *)out->ptr);
	*out = mem_span(buf_view(&text));
	buf_free(&text);
	return 0;
}

static int read_number(const char *field, struct span value, int64_t least, int64_t most,
                       int64_t *out, struct err *err)
{
	int64_t number;
	if (json_kind(value) != JSON_NUMBER || !json_int64(value, &number) || number < least ||
	    number > most) {
		return err_set(err, E_INVALID, "invalid_trigger",
		               "%s must be a whole number from %lld to %lld, not %.*s", field,
		               (long long)least, (long long)most,
		               (int)(value.len < 40 ? value.len : 40), value.ptr);
	}
	*out = number;
	return 0;
}

static int read_fraction(const char *field, struct span value, double least, double most,
                         double *out, struct err *err)
{
	double number;
	if (json_kind(value) != JSON_NUMBER || !json_double(value, &number) || number < least ||
	    number > most) {
		return err_set(err, E_INVALID, "invalid_trigger",
		               "%s must be a number from %g to %g, not %.*s", field, least, most,
		               (int)(value.len < 40 ? value.len : 40), value.ptr);
	}
	*out = number;
	return 0;
}

/* ---- what is matched ---- */

static int read_scope(struct parse *parse, struct span value, struct err *err)
{
	return read_text("scope", value, &parse->filter->scope, err);
}

static int read_key(struct parse *parse, struct span value, struct err *err)
{
	struct span text = SPAN_NONE;
	if (read_text("key", value, &text, err) != 0) {
		return err->number;
	}
	if (!glob_is_pattern(text)) {
		parse->filter->key = text;
		return 0;
	}
	parse->filter->key_glob = text;
	return glob_check(text, err) != 0 ? err_wrap(err, "key") : 0;
}

static int read_key_regex(struct parse *parse, struct span value, struct err *err)
{
	struct span text = SPAN_NONE;
	if (read_text("key_regex", value, &text, err) != 0) {
		return err->number;
	}
	int status = regex_new(text, &parse->filter->key_regex, err);
	mem_free((char *)text.ptr);
	return status != 0 ? err_wrap(err, "key_regex") : 0;
}

/* "created" and "state:created" are the same word. */
static bool parse_event(struct span word, enum event_kind *out)
{
	if (event_kind_parse(word, out)) {
		return true;
	}
	struct buf full = {0};
	BUF_LITERAL(&full, "state:");
	buf_span(&full, word);
	bool known = event_kind_parse(buf_view(&full), out);
	buf_free(&full);
	return known;
}

static int read_events(struct parse *parse, struct span value, struct err *err)
{
	static const char what[] = "must be a list of \"state:created\", \"state:updated\", "
	                           "\"state:deleted\", \"state:touched\"";
	if (json_kind(value) != JSON_ARRAY) {
		return wrong(err, "events", what);
	}
	unsigned events = 0;
	struct span item;
	for (struct json_iter iter = json_iter(value); json_next_item(&iter, &item);) {
		enum event_kind kind;
		buf_clear(&parse->scratch);
		(void)buf_reserve(&parse->scratch, item.len);
		if (json_kind(item) != JSON_STRING ||
		    !parse_event(json_plain(item, &parse->scratch), &kind)) {
			return wrong(err, "events", what);
		}
		events |= 1u << kind;
	}
	if (events == 0) {
		return wrong(err, "events", "must name one event at least");
	}
	parse->filter->events = events;
	return 0;
}

/* ---- changed: paths ---- */

static int add_segment(struct filter_path *path, struct span plain, struct err *err)
{
	if (path->count == SEGMENTS_MAX) {
		return wrong(err, "changed", "has a path of more than 32 segments");
	}
	path->segments = mem_grow(path->segments, (path->count + 1) * sizeof *path->segments);
	path->segments[path->count++] = mem_span(plain);
	return 0;
}

/* RFC 6901: "/a~1b/0". */
static int read_pointer(struct filter_path *path, struct span pointer, struct err *err)
{
	size_t at = 0;
	while (at < pointer.len) {
		struct buf segment = {0};
		size_t i = at + 1;
		for (; i < pointer.len && pointer.ptr[i] != '/'; i++) {
			char byte = pointer.ptr[i];
			char next = i + 1 < pointer.len ? pointer.ptr[i + 1] : '\0';
			if (byte == '~' && next != '0' && next != '1') {
				buf_free(&segment);
				return wrong(err, "changed",
				             "has a JSON Pointer in which \"~\" is not \"~0\" or "
				             "\"~1\"");
			}
			if (byte == '~') {
				byte = next == '0' ? '~' : '/';
				i++;
			}
			buf_byte(&segment, byte);
		}
		int status = add_segment(path, buf_view(&segment), err);
		buf_free(&segment);
		if (status != 0) {
			return status;
		}
		at = i;
	}
	return 0;
}

static int read_path(struct parse *parse, struct span value, struct filter_path *path,
                     struct err *err)
{
	static const char what[] =
	        "takes paths: a name, a JSON Pointer (\"/a/b\"), or a list of segments";
	if (json_kind(value) == JSON_STRING) {
		struct buf plain = {0};
		json_string(value, &plain);
		int status = plain.len != 0 && plain.ptr[0] == '/'
		                     ? read_pointer(path, buf_view(&plain), err)
		             : plain.len != 0 ? add_segment(path, buf_view(&plain), err)
		                              : wrong(err, "changed", what);
		buf_free(&plain);
		return status;
	}
	if (json_kind(value) != JSON_ARRAY) {
		return wrong(err, "changed", what);
	}
	struct span item;
	for (struct json_iter iter = json_iter(value); json_next_item(&iter, &item);) {
		buf_clear(&parse->scratch);
		(void)buf_reserve(&parse->scratch, item.len + 1);
		bool is_text = json_kind(item) == JSON_STRING;
		if (!is_text && json_kind(item) != JSON_NUMBER) {
			return wrong(err, "changed", what);
		}
		struct span segment = is_text ? json_plain(item, &parse->scratch) : item;
		if (add_segment(path, segment, err) != 0) {
			return err->number;
		}
	}
	return path->count != 0 ? 0 : wrong(err, "changed", what);
}

static int read_changed(struct parse *parse, struct span value, struct err *err)
{
	struct filter *filter = parse->filter;
	if (json_kind(value) != JSON_ARRAY) {
		return wrong(err, "changed", "must be a list of paths");
	}
	struct span item;
	for (struct json_iter iter = json_iter(value); json_next_item(&iter, &item);) {
		if (filter->changed_count == CHANGED_MAX) {
			return wrong(err, "changed", "has more than 64 paths");
		}
		filter->changed = mem_grow(filter->changed,
		                           (filter->changed_count + 1) * sizeof *filter->changed);
		struct filter_path *path = &filter->changed[filter->changed_count++];
		*path = (struct filter_path){0};
		if (read_path(parse, item, path, err) != 0) {
			return err->number;
		}
	}
	return filter->changed_count != 0 ? 0
	                                  : wrong(err, "changed", "must name one path at least");
}

/* ---- how it is delivered ---- */

static int read_concurrency(struct parse *parse, struct span value, struct err *err)
{
	int64_t number = 0;
	int status = read_number("concurrency", value, 1, 10000, &number, err);
	if (status == 0) {
		parse->policy->concurrency = (uint32_t)number;
	}
	return status;
}

static int read_durable(struct parse *parse, struct span value, struct err *err)
{
	if (json_kind(value) != JSON_BOOL) {
		return wrong(err, "durable", "must be true or false");
	}
	parse->policy->durable = json_is_true(value);
	return 0;
}

static int read_timeout(struct parse *parse, struct span value, struct err *err)
{
	return read_number("timeout_ms", value, 1, 900000, &parse->policy->timeout_ms, err);
}

static int read_order(struct parse *parse, struct span value, struct err *err)
{
	if (json_string_is(value, SPAN("key"))) {
		parse->policy->order = ORDER_KEY;
	} else if (json_string_is(value, SPAN("none"))) {
		parse->policy->order = ORDER_NONE;
	} else if (json_string_is(value, SPAN("trigger"))) {
		parse->policy->order = ORDER_TRIGGER;
	} else {
		return wrong(err, "order", "must be \"key\", \"none\" or \"trigger\"");
	}
	return 0;
}

static int read_condition(struct parse *parse, struct span value, struct err *err)
{
	struct span text = SPAN_NONE;
	int status = read_text("condition_function_id", value, &text, err);
	mem_free((char *)parse->policy->condition_function_id.ptr);
	parse->policy->condition_function_id = text;
	return status;
}

static int read_retry_member(struct trigger_retry *retry, struct span name, struct span value,
                             struct err *err)
{
	static const int64_t week_ms = 7 * 24 * 3600 * 1000LL;
	if (span_is(name, "max_attempts")) {
		return read_number("retry.max_attempts", value, 1, 1000, &retry->max_attempts, err);
	}
	if (span_is(name, "initial_ms")) {
		return read_number("retry.initial_ms", value, 0, week_ms, &retry->initial_ms, err);
	}
	if (span_is(name, "max_ms")) {
		return read_number("retry.max_ms", value, 0, week_ms, &retry->max_ms, err);
	}
	if (span_is(name, "max_age_ms")) {
		return read_number("retry.max_age_ms", value, 0, 52 * week_ms, &retry->max_age_ms,
		                   err);
	}
	if (span_is(name, "multiplier")) {
		return read_fraction("retry.multiplier", value, 1, 100, &retry->multiplier, err);
	}
	if (span_is(name, "jitter")) {
		return read_fraction("retry.jitter", value, 0, 1, &retry->jitter, err);
	}
	return err_set(err, E_INVALID, "invalid_trigger",
	               "retry has no member \"%.*s\"; it takes max_attempts, initial_ms, max_ms, "
	               "multiplier, jitter, max_age_ms",
	               SPAN_ARG(name));
}

static int read_retry(struct parse *parse, struct span value, struct err *err)
{
	if (json_kind(value) != JSON_OBJECT) {
		return wrong(err, "retry", "must be an object like {\"max_attempts\": 5}");
	}
	struct span name;
	struct span member;
	for (struct json_iter iter = json_iter(value); json_next_member(&iter, &name, &member);) {
		if (!json_is_null(member) &&
		    read_retry_member(&parse->policy->retry, name, member, err) != 0) {
			return err->number;
		}
	}
	return 0;
}

/* ---- the table ---- */

static const struct state_field fields[] = {
        {"scope", "text", read_scope, "only events of this scope"},
        {"key", "text or glob", read_key, "only events of this key, or of keys like \"user_*\""},
        {"key_regex", "text", read_key_regex,
         "only keys in which this regular expression (RE2) is found"},
        {"events", "list", read_events,
         "which changes: state:created, state:updated, state:deleted (default), state:touched"},
        {"changed", "list of paths", read_changed,
         "only when the value at one of these paths differs between old and new"},
        {"condition_function_id", "text", read_condition,
         "a function that is called first and says yes or no"},
        {"concurrency", "1 to 10000", read_concurrency, "deliveries at a time"},
        {"order", "key, none, trigger", read_order,
         "which deliveries start one after the other: those of one key (default), none, all"},
        {"timeout_ms", "1 to 900000", read_timeout, "how long an attempt may take"},
        {"retry", "object", read_retry,
         "max_attempts, initial_ms, max_ms, multiplier, jitter (0 to 1), max_age_ms"},
        {"durable", "true or false", read_durable, "outlives the worker that registered it"},
        {"when", "", NULL, ""},
        {"fire", "", NULL, ""},
        {"select", "", NULL, ""},
        {"debounce", "", NULL, ""},
        {"throttle", "", NULL, ""},
        {"batch", "", NULL, ""},
        {"pause", "", NULL, ""},
        {"concurrency_key", "", NULL, ""},
        {"on_exhausted", "", NULL, ""},
        {"on_condition_error", "", NULL, ""},
};

enum { FIELD_COUNT = sizeof fields / sizeof *fields };

/* How many letters differ, about: enough to guess which name was meant. */
static size_t distance(struct span a, const char *b)
{
	enum { NAME_MAX = 32 };
	size_t row[NAME_MAX + 1];
	size_t b_len = strlen(b);
	if (a.len > NAME_MAX || b_len > NAME_MAX) {
		return NAME_MAX;
	}
	for (size_t j = 0; j <= b_len; j++) {
		row[j] = j;
	}
	for (size_t i = 1; i <= a.len; i++) {
		size_t corner = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t change = corner + (a.ptr[i - 1] != b[j - 1]);
			corner = row[j];
			size_t shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
			row[j] = change < shift ? change : shift;
		}
	}
	return row[b_len];
}

static int unknown_field(struct span name, struct err *err)
{
	const char *nearest = fields[0].name;
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (distance(name, fields[i].name) < distance(name, nearest)) {
			nearest = fields[i].name;
		}
	}
	return err_set(err, E_INVALID, "invalid_trigger",
	               "a state trigger has no field \"%.*s\"; did you mean \"%s\"?",
	               (int)(name.len < 64 ? name.len : 64), name.ptr, nearest);
}

static int read_field(struct parse *parse, struct span name, struct span value, struct err *err)
{
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (json_name_is(name, span_of(fields[i].name))) {
			if (fields[i].read == NULL) {
				return err_set(
				        err, E_UNSUPPORTED, "not_available",
				        "\"%s\" is not available yet in this version of pawl; "
				        "leave it out",
				        fields[i].name);
			}
			return fields[i].read(parse, value, err);
		}
	}
	return unknown_field(name, err);
}

int on_state_parse(struct span config, struct filter **out, struct trigger_policy *out_policy,
                   struct err *err)
{
	struct trigger_policy policy = {
	        .order = ORDER_KEY,
	        .retry = {.initial_ms = -1,
	                  .max_ms = -1,
	                  .multiplier = -1,
	                  .jitter = -1,
	                  .max_age_ms = -1},
	};
	struct parse parse = {.filter = MEM_NEW(struct filter), .policy = &policy};
	parse.filter->events = ALL_EVENTS;
	struct span name;
	struct span value;
	int status = 0;
	for (struct json_iter iter = json_iter(config);
	     status == 0 && json_next_member(&iter, &name, &value);) {
		if (!json_is_null(value)) {
			status = read_field(&parse, name, value, err);
		}
	}
	const struct filter *filter = parse.filter;
	if (status == 0 && filter->key_regex && (filter->key.ptr || filter->key_glob.ptr)) {
		status = wrong(err, "key", "and key_regex exclude each other; keep one of them");
	}
	buf_free(&parse.scratch);
	if (status != 0) {
		mem_free((char *)policy.condition_function_id.ptr);
		filter_free(parse.filter);
		return status;
	}
	parse.filter->condition_function_id = policy.condition_function_id;
	*out = parse.filter;
	*out_policy = policy;
	return 0;
}

void on_state_print(struct buf *out)
{
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (fields[i].read != NULL) {
			buf_format(out, "%-22s %-20s %s\n", fields[i].name, fields[i].takes,
			           fields[i].help);
		}
	}
}
