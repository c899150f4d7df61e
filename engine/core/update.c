/* This file splices update operations into the text of a JSON value, one after the other. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/update.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/core/merge.h"
#include <stdint.h>

enum op_type { OP_SET, OP_MERGE, OP_INCREMENT, OP_DECREMENT, OP_APPEND, OP_REMOVE, OP_TYPES };

static const struct op_form {
	struct span name;
	bool needs_path, needs_value, needs_by;
} forms[OP_TYPES] = {
        [OP_SET] = {{"set", 3}, true, false, false},
        [OP_MERGE] = {{"merge", 5}, false, true, false},
        [OP_INCREMENT] = {{"increment", 9}, true, false, true},
        [OP_DECREMENT] = {{"decrement", 9}, true, false, true},
        [OP_APPEND] = {{"append", 6}, false, true, false},
        [OP_REMOVE] = {{"remove", 6}, true, false, false},
};

struct op {
	enum op_type type;
	struct span path[UPDATE_PATH_MAX];
	size_t depth;
	struct span value;
	int64_t by;
};

/* One request on its way. The current value is the old one or stands in one of two buffers; an
 * operation writes the next one into the other. */
struct update {
	struct span value; /* what it is now */
	bool is_fresh;     /* there was no value and nothing has made one yet */
	struct buf texts[2];
	size_t next;      /* which of them is free */
	struct buf names; /* unescaped segments of the operation at hand */
	struct buf *errors;
	size_t index; /* of the operation at hand */
	const char *name;
	size_t work;
};

/* ---- what goes wrong ---- */

static void report(struct update *update, const char *code, const char *message)
{
	struct buf *out = update->errors;
	buf_byte(out, out->len == 0 ? '[' : ',');
	BUF_LITERAL(out, "{\"op_index\":");
	buf_uint(out, update->index);
	buf_format(out, ",\"code\":\"%s.%s\",\"message\":", update->name, code);
	json_write_string(out, span_of(message));
	buf_byte(out, '}');
}

static int malformed(const struct update *update, struct err *err, const char *what)
{
	return err_set(err, E_INVALID, "invalid_ops", "ops[%zu]: %s", update->index, what);
}

/* ---- reading an operation ---- */

static bool segment_is_good(struct update *update, struct span segment)
{
	if (segment.len == 0) {
		report(update, "path.empty_segment", "a segment of the path is empty");
	} else if (segment.len > UPDATE_SEGMENT_MAX) {
		report(update, "path.segment_too_long",
		       "a segment of the path is longer than 256 bytes");
	} else if (merge_pollutes(segment)) {
		report(update, "path.proto_polluted",
		       "__proto__, constructor and prototype cannot be segments of a path");
	} else {
		return true;
	}
	return false;
}

/* *out_good is false when the path is well formed and out of bounds, which has been reported. */
static int read_path(struct update *update, struct span path, struct op *op, bool *out_good,
                     struct err *err)
{
	op->depth = 0;
	*out_good = true;
	if (path.ptr != NULL && json_kind(path) == JSON_STRING) {
		struct span segment = json_plain(path, &update->names);
		if (segment.len != 0) {
			op->path[op->depth++] = segment;
			*out_good = segment_is_good(update, segment);
		}
		return 0;
	}
	if (path.ptr == NULL || json_kind(path) != JSON_ARRAY) {
		return malformed(update, err, "\"path\" must be a name or an array of names");
	}
	struct json_iter iter = json_iter(path);
	struct span item;
	while (json_next_item(&iter, &item)) {
		if (json_kind(item) != JSON_STRING) {
			return malformed(update, err, "\"path\" must be an array of names");
		}
		if (!*out_good) {
			continue;
		}
		if (op->depth == UPDATE_PATH_MAX) {
			report(update, "path.too_deep", "the path has more than 32 segments");
			*out_good = false;
			continue;
		}
		struct span segment = json_plain(item, &update->names);
		op->path[op->depth++] = segment;
		*out_good = segment_is_good(update, segment);
	}
	return 0;
}

static int read_op(struct update *update, struct span text, struct op *op, bool *out_good,
                   struct err *err)
{
	if (json_kind(text) != JSON_OBJECT) {
		return malformed(update, err, "an operation must be an object");
	}
	enum { TYPE, PATH, VALUE, BY, FIELDS };
	static const struct span names[FIELDS] = {
	        {"type", 4}, {"path", 4}, {"value", 5}, {"by", 2}};
	struct span fields[FIELDS];
	json_get_many(text, names, FIELDS, fields);
	buf_clear(&update->names);
	if (memchr(text.ptr, '\\', text.len) != NULL) {
		(void)buf_reserve(&update->names, text.len); /* segments point into it */
	}
	op->type = OP_TYPES;
	for (size_t i = 0; i < OP_TYPES && fields[TYPE].ptr != NULL; i++) {
		if (json_string_is(fields[TYPE], forms[i].name)) {
			op->type = (enum op_type)i;
		}
	}
	if (op->type == OP_TYPES) {
		return malformed(update, err,
		                 "\"type\" must be one of set, merge, increment, decrement, "
		                 "append, remove");
	}
	const struct op_form *form = &forms[op->type];
	update->name = form->name.ptr;
	op->value = fields[VALUE];
	if (form->needs_value && op->value.ptr == NULL) {
		return malformed(update, err, "\"value\" is missing");
	}
	if (form->needs_by && (fields[BY].ptr == NULL || json_kind(fields[BY]) != JSON_NUMBER ||
	                       !json_int64(fields[BY], &op->by))) {
		return malformed(update, err, "\"by\" must be an integer of 64 bits");
	}
	if (!form->needs_path && json_is_null(fields[PATH])) {
		fields[PATH] = SPAN("\"\"");
	}
	return read_path(update, fields[PATH], op, out_good, err);
}

/* ---- finding the place ---- */

enum reach {
	REACH_FOUND,
	REACH_MISSING, /* `object` has no member path[depth] */
	REACH_BLOCKED  /* the member path[depth] of `object` is in the way: it is no object */
};

struct place {
	struct span object; /* absent: the whole value */
	size_t depth;
	struct span value; /* what is there; absent when missing */
};

static enum reach find(struct span root, const struct op *op, struct place *out)
{
	*out = (struct place){.value = root};
	for (size_t i = 0; i < op->depth; i++) {
		if (json_kind(out->value) != JSON_OBJECT) {
			return REACH_BLOCKED;
		}
		out->object = out->value;
		out->depth = i;
		if (!json_get(out->object, op->path[i], &out->value)) {
			out->value = SPAN_NONE;
			return REACH_MISSING;
		}
	}
	return REACH_FOUND;
}

static struct buf *next_text(struct update *update)
{
	struct buf *out = &update->texts[update->next];
	buf_clear(out);
	return out;
}

static void take_text(struct update *update)
{
	update->value = buf_view(&update->texts[update->next]);
	update->next ^= 1;
	update->is_fresh = false;
}

/* Writes `value` with an object around it for each segment from `from` on. */
static void nest(const struct op *op, size_t from, struct span value, struct buf *out)
{
	for (size_t i = from; i < op->depth; i++) {
		buf_byte(out, '{');
		json_write_string(out, op->path[i]);
		buf_byte(out, ':');
	}
	buf_span(out, value);
	for (size_t i = from; i < op->depth; i++) {
		buf_byte(out, '}');
	}
}

/* The value is now `value` at the place, and what it was around it. */
static void put(struct update *update, const struct op *op, const struct place *place,
                struct span value)
{
	struct buf *out = next_text(update);
	struct span root = update->value;
	if (place->object.ptr == NULL) {
		nest(op, 0, value, out);
	} else {
		struct buf nested = {0};
		if (place->depth + 1 < op->depth) {
			nest(op, place->depth + 1, value, &nested);
			value = buf_view(&nested);
		}
		const char *behind = place->object.ptr + place->object.len;
		buf_add(out, root.ptr, (size_t)(place->object.ptr - root.ptr));
		json_set(place->object, op->path[place->depth], value, out);
		buf_add(out, behind, (size_t)(root.ptr + root.len - behind));
		buf_free(&nested);
	}
	take_text(update);
}

/* ---- the operations ---- */

/* A value deep below a path must not make the whole deeper than a reader of JSON goes. */
static bool is_too_deep(const struct op *op)
{
	return op->depth > 1 && merge_depth(op->value) > UPDATE_VALUE_DEPTH_MAX;
}

static void apply_set(struct update *update, const struct op *op)
{
	struct place place;
	if (find(update->value, op, &place) == REACH_BLOCKED) {
		report(update, "target_not_object", "a field is set on what is no object");
	} else if (is_too_deep(op)) {
		report(update, "value.too_deep", "the value is nested more than 400 deep");
	} else {
		put(update, op, &place, op->value.ptr ? op->value : SPAN("null"));
	}
}

static void apply_merge(struct update *update, const struct op *op)
{
	const char *message;
	const char *code = merge_refuses(op->value, &message);
	if (code != NULL) {
		report(update, code, message);
		return;
	}
	struct place place;
	struct span target = SPAN("{}");
	if (find(update->value, op, &place) == REACH_FOUND &&
	    json_kind(place.value) == JSON_OBJECT) {
		target = place.value;
	}
	struct buf merged = {0};
	merge_object(target, op->value, &merged);
	put(update, op, &place, buf_view(&merged));
	buf_free(&merged);
}

static bool add_exactly(int64_t number, int64_t by, bool subtract, int64_t *out)
{
	if (subtract) {
		if (by > 0 ? number < INT64_MIN + by : number > INT64_MAX + by) {
			return false;
		}
		*out = number - by;
		return true;
	}
	if (by > 0 ? number > INT64_MAX - by : number < INT64_MIN - by) {
		return false;
	}
	*out = number + by;
	return true;
}

/* Appends number + by in the kind of number; false when that is out of its range. */
static bool add_number(struct span number, const struct op *op, struct buf *out)
{
	bool subtract = op->type == OP_DECREMENT;
	if (json_is_integer_text(number)) {
		int64_t integer;
		if (!json_int64(number, &integer) ||
		    !add_exactly(integer, op->by, subtract, &integer)) {
			return false;
		}
		buf_int(out, integer);
		return true;
	}
	double real;
	if (!json_double(number, &real)) {
		return false;
	}
	real = subtract ? real - (double)op->by : real + (double)op->by;
	size_t began_at = out->len;
	json_write_double(out, real);
	if (json_is_integer_text(span_make(out->ptr + began_at, out->len - began_at))) {
		BUF_LITERAL(out, ".0");
	}
	return true;
}

static void apply_increment(struct update *update, const struct op *op)
{
	struct place place;
	enum reach reach = find(update->value, op, &place);
	struct span number = reach == REACH_MISSING ? SPAN("0") : place.value;
	struct buf sum = {0};
	if (reach == REACH_BLOCKED) {
		report(update, "target_not_object", "a field is counted on what is no object");
	} else if (json_kind(number) != JSON_NUMBER) {
		report(update, "not_number", "the field is no number");
	} else if (!add_number(number, op, &sum)) {
		report(update, "overflow", "the result does not fit the number's 64 bits");
	} else {
		put(update, op, &place, buf_view(&sum));
	}
	buf_free(&sum);
}

/* Appends the two; false when they do not go together. An absent target takes the value's kind. */
static bool append_value(struct span target, struct span value, struct buf *out)
{
	bool is_text = json_kind(value) == JSON_STRING;
	if (target.ptr == NULL) {
		if (is_text) {
			buf_span(out, value);
		} else {
			json_append(SPAN("[]"), value, out);
		}
	} else if (json_kind(target) == JSON_ARRAY) {
		json_append(target, value, out);
	} else if (json_kind(target) == JSON_STRING && is_text) {
		buf_add(out, target.ptr, target.len - 1);
		buf_add(out, value.ptr + 1, value.len - 1);
	} else {
		return false;
	}
	return true;
}

static void apply_append(struct update *update, const struct op *op)
{
	struct place place;
	enum reach reach = find(update->value, op, &place);
	struct span target = op->depth == 0 && update->is_fresh ? SPAN_NONE : place.value;
	struct buf joined = {0};
	if (reach == REACH_BLOCKED) {
		report(update, "target_not_object", "a field is appended to on what is no object");
	} else if (is_too_deep(op)) {
		report(update, "value.too_deep", "the value is nested more than 400 deep");
	} else if (!append_value(target, op->value, &joined)) {
		report(update, "type_mismatch", "the target is no array, and not both are strings");
	} else {
		put(update, op, &place, buf_view(&joined));
	}
	buf_free(&joined);
}

static void apply_remove(struct update *update, const struct op *op)
{
	struct place place;
	enum reach reach = find(update->value, op, &place);
	if (reach == REACH_BLOCKED) {
		report(update, "target_not_object", "a field is removed from what is no object");
	} else if (reach == REACH_MISSING) {
		update->is_fresh = false;
	} else if (op->depth == 0) {
		put(update, op, &place, SPAN("null"));
	} else {
		struct buf *out = next_text(update);
		struct span root = update->value;
		const char *behind = place.object.ptr + place.object.len;
		buf_add(out, root.ptr, (size_t)(place.object.ptr - root.ptr));
		(void)json_remove(place.object, op->path[place.depth], out); /* it was found */
		buf_add(out, behind, (size_t)(root.ptr + root.len - behind));
		take_text(update);
	}
}

static void (*const apply[OP_TYPES])(struct update *, const struct op *) = {
        [OP_SET] = apply_set,
        [OP_MERGE] = apply_merge,
        [OP_INCREMENT] = apply_increment,
        [OP_DECREMENT] = apply_increment,
        [OP_APPEND] = apply_append,
        [OP_REMOVE] = apply_remove,
};

static int apply_all(struct update *update, struct span ops, struct err *err)
{
	if (json_kind(ops) != JSON_ARRAY) {
		return err_set(err, E_INVALID, "invalid_ops",
		               "\"ops\" must be an array of operations");
	}
	struct json_iter iter = json_iter(ops);
	struct span text;
	for (; json_next_item(&iter, &text); update->index++) {
		struct op op;
		bool good = false;
		int status = read_op(update, text, &op, &good, err);
		if (status != 0) {
			return status;
		}
		if (good) {
			apply[op.type](update, &op);
		}
		update->work += update->value.len + text.len;
		if (update->index == UPDATE_OPS_MAX || update->work > UPDATE_WORK_MAX) {
			return err_set(
			        err, E_LIMIT, "too_many_ops",
			        "\"ops\" has more than %d operations, or too many for a value "
			        "of %zu bytes; send them in several updates",
			        UPDATE_OPS_MAX, update->value.len);
		}
	}
	return 0;
}

int update_apply(struct span old_value, struct span ops, bool atomic, struct buf *out_value,
                 struct buf *out_errors, struct err *err)
{
	buf_clear(out_value);
	buf_clear(out_errors);
	struct update update = {
	        .value = old_value.ptr ? old_value : SPAN("{}"),
	        .is_fresh = old_value.ptr == NULL,
	        .texts = {*out_value, {0}},
	        .errors = out_errors,
	};
	int status = apply_all(&update, ops, err);
	if (out_errors->len != 0) {
		buf_byte(out_errors, ']');
	}
	struct span value = update.value;
	if (atomic && out_errors->len != 0) {
		value = old_value;
	} else if (update.is_fresh) {
		value = SPAN_NONE;
	}
	size_t kept = value.ptr != NULL && value.ptr == update.texts[1].ptr ? 1 : 0;
	*out_value = update.texts[kept];
	if (status != 0 || value.ptr == NULL) {
		buf_clear(out_value);
	} else if (value.ptr != out_value->ptr) {
		buf_clear(out_value);
		buf_span(out_value, value);
	}
	if (status != 0) {
		buf_clear(out_errors);
	}
	buf_free(&update.texts[kept ^ 1]);
	buf_free(&update.names);
	return status;
}
