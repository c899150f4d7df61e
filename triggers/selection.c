/* This file keeps a tree of expressions and writes the JSON that they make of an event. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/selection.h"

#include "base/json.h"
#include "base/mem.h"
#include "triggers/expr/failure.h"
#include <stdio.h>

static const char MEMBER[] = "select";

/* An expression, or a list or map of further parts. */
struct part {
	struct span name; /* its member in a map; owned */
	struct expr *expr;
	struct part *parts;
	size_t count;
	bool is_map;
};

struct selection {
	struct condition_env *env;
	struct part root;
	size_t items;
	size_t bytes;
	size_t event_users;
	bool has_metadata;
};

/* What reading needs besides. */
struct reader {
	struct selection *selection;
	struct condition_fault *where;
	struct err *err;
	struct span name; /* of the member that is read; absent: it has none */
	int depth;
};

static void close_part(struct part *part)
{
	for (size_t i = 0; i < part->count; i++) {
		close_part(&part->parts[i]);
	}
	mem_free(part->parts);
	mem_free((char *)part->name.ptr);
	expr_free(part->expr);
}

void selection_free(struct selection *selection)
{
	if (selection != NULL) {
		selection->env->event_users -= selection->event_users;
		close_part(&selection->root);
		mem_free(selection);
	}
}

size_t selection_bytes(const struct selection *selection)
{
	return selection->bytes;
}

static int refuse(struct reader *reader, const char *what)
{
	return err_set(reader->err, E_INVALID, "invalid_trigger", "'select' %s", what);
}

static int refuse_expression(struct reader *reader, struct fault *fault, struct span source)
{
	struct fault named = *fault;
	if (reader->name.ptr != NULL) {
		(void)snprintf(named.text, sizeof named.text, "'%.*s': %.180s",
		               (int)(reader->name.len < 60 ? reader->name.len : 60),
		               reader->name.ptr, fault->text);
	}
	return condition_refuse(&named, MEMBER, source, reader->where, reader->err);
}

static int read_expression(struct reader *reader, struct span json, struct part *part)
{
	struct selection *selection = reader->selection;
	struct buf text = {0};
	struct fault fault = {0};
	json_string(json, &text);
	struct span source = buf_view(&text);
	int status =
	        expr_new(&selection->env->views[VIEW_EVENT], source, EXPR_ANY, &part->expr, &fault);
	if (status != 0) {
		status = refuse_expression(reader, &fault, source);
	} else {
		bool has_event = condition_env_mentions(source, "event");
		selection->event_users += has_event;
		selection->env->event_users += has_event;
		selection->has_metadata |= condition_env_mentions(source, "metadata");
		selection->bytes += expr_bytes(part->expr);
	}
	buf_free(&text);
	return status;
}

static int read_part(struct reader *reader, struct span json, struct part *part);

static struct part *add_part(struct reader *reader, struct part *in)
{
	if (reader->selection->items == SELECTION_ITEMS_MAX) {
		return NULL;
	}
	reader->selection->items++;
	reader->selection->bytes += sizeof *in;
	in->parts = mem_grow(in->parts, (in->count + 1) * sizeof *in->parts);
	in->parts[in->count] = (struct part){0};
	return &in->parts[in->count++];
}

static int read_many(struct reader *reader, struct span json, struct part *part)
{
	struct json_iter iter = json_iter(json);
	struct span name = SPAN_NONE;
	struct span value;
	int status = 0;
	part->is_map = json_kind(json) == JSON_OBJECT;
	if (++reader->depth > SELECTION_DEPTH_MAX) {
		return refuse(reader, "may hold lists and maps 8 deep");
	}
	while (status == 0 && (part->is_map ? json_next_member(&iter, &name, &value)
	                                    : json_next_item(&iter, &value))) {
		struct part *next = add_part(reader, part);
		if (next == NULL) {
			return refuse(reader, "may hold at most 64 expressions, lists and maps");
		}
		if (part->is_map) {
			struct buf plain = {0};
			json_string(span_make(name.ptr - 1, name.len + 2), &plain);
			next->name = mem_span(buf_view(&plain));
			reader->name = next->name;
			buf_free(&plain);
		}
		status = read_part(reader, value, next);
	}
	reader->depth--;
	return status;
}

static int read_part(struct reader *reader, struct span json, struct part *part)
{
	switch (json_kind(json)) {
	case JSON_STRING:
		return read_expression(reader, json, part);
	case JSON_ARRAY:
	case JSON_OBJECT:
		return read_many(reader, json, part);
	default:
		return refuse(reader, "holds expressions: write each as text, a constant too "
		                      "(\"5\", \"'text'\")");
	}
}

int selection_new(struct condition_env *env, struct span json, struct selection **out,
                  struct condition_fault *where, struct err *err)
{
	enum json_kind kind = json_kind(json);
	struct selection *selection = MEM_NEW(struct selection);
	selection->env = env;
	selection->bytes = sizeof *selection;
	struct reader reader = {.selection = selection, .where = where, .err = err};
	struct buf canonical = {0};
	json_canonical(json, &canonical); /* as the trigger's record has it after a restart */
	bool is_many = kind == JSON_ARRAY || kind == JSON_OBJECT;
	int status = is_many ? read_part(&reader, buf_view(&canonical), &selection->root)
	                     : refuse(&reader, "must be a list of expressions or a map of names to "
	                                       "expressions");
	buf_free(&canonical);
	if (status == 0 && selection->root.count == 0) {
		status = refuse(&reader,
		                "must hold an expression; without 'select' the handler gets "
		                "the whole event");
	}
	if (status != 0) {
		selection_free(selection);
		return status;
	}
	*out = selection;
	return 0;
}

/* ---- writing ---- */

struct writer {
	struct matching *matching;
	struct activation *values;
	struct buf *out;
	size_t begin;
	struct err *err;
};

/* What was computed cannot be written: the error is of the whole expression. */
static int fail(const struct writer *writer, const struct part *part, struct value error)
{
	struct buf text = {0};
	struct span source = expr_source(part->expr);
	value_write_error(error, &text);
	int status = err_set(writer->err, E_INVALID, "select_failed", "select: %.*s, in %.*s",
	                     SPAN_ARG(buf_view(&text)), (int)(source.len < 200 ? source.len : 200),
	                     source.ptr);
	buf_free(&text);
	return status;
}

static int fail_inside(const struct writer *writer, const struct part *part, struct value error)
{
	struct buf text = {0};
	failure_write(expr_source(part->expr), error, &text);
	int status = err_set(writer->err, E_INVALID, "select_failed", "select: %.*s",
	                     SPAN_ARG(buf_view(&text)));
	buf_free(&text);
	return status;
}

static void write_name(struct buf *out, const struct part *part)
{
	json_write_comma(out);
	if (part->name.ptr != NULL) {
		json_write_string(out, part->name);
		buf_byte(out, ':');
	}
}

static int write_part(struct writer *writer, const struct part *part)
{
	struct buf *out = writer->out;
	if (part->expr != NULL) {
		struct value value = matching_eval(writer->matching, part->expr, writer->values);
		if (value.tag == VALUE_OPTIONAL && value.as.inner == NULL) {
			return 0;
		}
		if (value_is_error(value)) {
			return fail_inside(writer, part, value);
		}
		write_name(out, part);
		struct value error = value_write_json(&writer->values->allowance, value, out);
		if (value_is_error(error)) {
			return fail(writer, part, error);
		}
		return out->len - writer->begin <= SELECTION_BYTES_MAX
		               ? 0
		               : fail(writer, part, value_error(ERROR_TOO_BIG, NULL));
	}
	write_name(out, part);
	buf_byte(out, part->is_map ? '{' : '[');
	for (size_t i = 0; i < part->count; i++) {
		int status = write_part(writer, &part->parts[i]);
		if (status != 0) {
			return status;
		}
	}
	buf_byte(out, part->is_map ? '}' : ']');
	return 0;
}

int selection_write(const struct selection *selection, struct matching *matching,
                    struct span metadata, struct buf *out, struct err *err)
{
	struct buf text = {0};
	struct writer writer = {
	        .matching = matching,
	        .values = selection->has_metadata ? matching_values_with(matching, metadata)
	                                          : matching_values(matching),
	        .out = &text,
	        .err = err,
	};
	const struct part *root = &selection->root;
	int status = 0;
	buf_byte(&text, root->is_map ? '{' : '[');
	for (size_t i = 0; status == 0 && i < root->count; i++) {
		status = write_part(&writer, &root->parts[i]);
	}
	buf_byte(&text, root->is_map ? '}' : ']');
	if (status == 0) {
		buf_span(out, buf_view(&text));
	}
	buf_free(&text);
	return status;
}
