/* This file expands the helpers of conditions into trees over old_value and new_value. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/condition_macro.h"

#include "base/buf.h"
#include "base/json.h"
#include "triggers/pointer.h"

enum {
	SEGMENTS_MAX = 32,
	DIGITS_MAX = 3, /* segments of digits: each doubles the tree */
	INDEX_DIGITS_MAX = 9
};

static const char PATH_HINT[] =
        "write a name, a JSON Pointer like \"/a/b\" or a list of segments like [\"a\", \"b\"]";

/* A path as it is written in a call; texts are the arena's. */
struct helper_path {
	struct span segments[SEGMENTS_MAX];
	size_t count;
	size_t digits; /* how many of them are decimal numbers */
};

/* What the trees are made of. */
struct helper {
	struct arena *arena;
	const struct ast *call;
	struct helper_path path;
	struct ast *value; /* became: its second argument */
};

/* ---- event types ---- */

static struct ast *is_type(struct arena *arena, const struct ast *call, const char *type)
{
	return ast_call(arena, call, "_==_", ast_ident(arena, call, "event_type"),
	                ast_const(arena, call, value_string(span_of(type))));
}

static struct ast *expand_created(struct arena *arena, struct span source, const struct ast *call,
                                  struct fault *fault)
{
	(void)source;
	(void)fault;
	return is_type(arena, call, "state:created");
}

static struct ast *expand_updated(struct arena *arena, struct span source, const struct ast *call,
                                  struct fault *fault)
{
	(void)source;
	(void)fault;
	return is_type(arena, call, "state:updated");
}

static struct ast *expand_deleted(struct arena *arena, struct span source, const struct ast *call,
                                  struct fault *fault)
{
	(void)source;
	(void)fault;
	return is_type(arena, call, "state:deleted");
}

/* ---- reading the path ---- */

static bool is_digits(struct span segment)
{
	for (size_t i = 0; i < segment.len; i++) {
		if (segment.ptr[i] < '0' || segment.ptr[i] > '9') {
			return false;
		}
	}
	bool is_padded = segment.len > 1 && segment.ptr[0] == '0';
	return segment.len != 0 && segment.len <= INDEX_DIGITS_MAX && !is_padded;
}

static bool add_segment(struct helper *helper, struct span plain)
{
	struct helper_path *path = &helper->path;
	if (path->count == SEGMENTS_MAX || (is_digits(plain) && path->digits == DIGITS_MAX)) {
		return false;
	}
	path->digits += is_digits(plain);
	path->segments[path->count++] = arena_copy(helper->arena, plain);
	return true;
}

static bool read_text(struct helper *helper, struct span text)
{
	if (text.len == 0) {
		return false;
	}
	if (text.ptr[0] != '/') {
		return add_segment(helper, text);
	}
	struct buf segment = {0};
	bool is_good = true;
	while (is_good && text.len != 0) {
		is_good = pointer_next(&text, &segment) && add_segment(helper, buf_view(&segment));
	}
	buf_free(&segment);
	return is_good;
}

static bool read_item(struct helper *helper, const struct ast *item)
{
	if (item->kind != AST_CONST) {
		return false;
	}
	if (item->constant.tag == VALUE_STRING) {
		return add_segment(helper, value_text(item->constant));
	}
	if (item->constant.tag != VALUE_INT || item->constant.as.i < 0) {
		return false;
	}
	struct buf digits = {0};
	buf_int(&digits, item->constant.as.i);
	bool is_good = add_segment(helper, buf_view(&digits));
	buf_free(&digits);
	return is_good;
}

static bool read_path(struct helper *helper, const struct ast *arg)
{
	if (arg->kind == AST_CONST && arg->constant.tag == VALUE_STRING) {
		return read_text(helper, value_text(arg->constant));
	}
	if (arg->kind != AST_LIST || arg->arg_count == 0 || arg->optionals != NULL) {
		return false;
	}
	for (size_t i = 0; i < arg->arg_count; i++) {
		if (!read_item(helper, arg->args[i])) {
			return false;
		}
	}
	return true;
}

static bool begin(struct helper *helper, struct span source, struct fault *fault)
{
	const struct ast *arg = helper->call->args[0];
	if (!read_path(helper, arg)) {
		(void)fault_set(fault, source, arg->at, PATH_HINT,
		                "%.*s() takes a path that is written out",
		                SPAN_ARG(helper->call->name));
		return false;
	}
	return true;
}

/* ---- building ---- */

/* The value at the path below a variable. Bit i of `names`: the segment of digits number i is a
 * name, else an index. */
static struct ast *at_path(const struct helper *helper, const char *variable, unsigned names)
{
	struct arena *arena = helper->arena;
	struct ast *at = ast_ident(arena, helper->call, variable);
	unsigned digit = 0;
	for (size_t i = 0; i < helper->path.count; i++) {
		struct span segment = helper->path.segments[i];
		if (is_digits(segment) && (names >> digit++ & 1u) == 0) {
			int64_t index = 0;
			(void)json_int64(segment, &index);
			at = ast_call(arena, helper->call, "_[_]", at,
			              ast_const(arena, helper->call, value_int(index)));
		} else {
			at = ast_select(arena, helper->call, at, segment);
		}
	}
	return at;
}

static struct ast *differ(const struct helper *helper, unsigned names)
{
	return ast_call(helper->arena, helper->call, "@differ", at_path(helper, "new_value", names),
	                at_path(helper, "old_value", names));
}

static struct ast *is_value(const struct helper *helper, const char *variable, unsigned names)
{
	return ast_call(helper->arena, helper->call, "_==_", at_path(helper, variable, names),
	                helper->value);
}

static struct ast *turned(const struct helper *helper, unsigned names)
{
	struct arena *arena = helper->arena;
	const struct ast *call = helper->call;
	struct ast *is = is_value(helper, "new_value", names);
	struct ast *surely =
	        ast_call(arena, call, "@is_true", is_value(helper, "new_value", names), NULL);
	struct ast *was =
	        ast_call(arena, call, "@is_true", is_value(helper, "old_value", names), NULL);
	return ast_call(arena, call, "_&&_", ast_call(arena, call, "_&&_", is, surely),
	                ast_call(arena, call, "!_", was, NULL));
}

/* One tree for each way to read the segments of digits. */
static struct ast *any_reading(const struct helper *helper,
                               struct ast *(*build)(const struct helper *helper, unsigned names))
{
	struct ast *all = build(helper, 0);
	for (unsigned names = 1; names < 1u << helper->path.digits; names++) {
		all = ast_call(helper->arena, helper->call, "_||_", all, build(helper, names));
	}
	return all;
}

static struct ast *expand_changed(struct arena *arena, struct span source, const struct ast *call,
                                  struct fault *fault)
{
	struct helper helper = {.arena = arena, .call = call};
	return begin(&helper, source, fault) ? any_reading(&helper, differ) : NULL;
}

static struct ast *expand_became(struct arena *arena, struct span source, const struct ast *call,
                                 struct fault *fault)
{
	struct helper helper = {.arena = arena, .call = call, .value = call->args[1]};
	return begin(&helper, source, fault) ? any_reading(&helper, turned) : NULL;
}

const struct ast_macro condition_macros[] = {
        {.name = "created",
         .arg_count = 0,
         .expand = expand_created,
         .usage = "it takes none: write created()"},
        {.name = "updated",
         .arg_count = 0,
         .expand = expand_updated,
         .usage = "it takes none: write updated()"},
        {.name = "deleted",
         .arg_count = 0,
         .expand = expand_deleted,
         .usage = "it takes none: write deleted()"},
        {.name = "changed",
         .arg_count = 1,
         .expand = expand_changed,
         .usage = "it takes a path: write changed('plan')"},
        {.name = "became",
         .arg_count = 2,
         .expand = expand_became,
         .usage = "it takes a path and a value: write became('plan', 'pro')"},
        {.name = NULL},
};
