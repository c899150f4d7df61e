/* This file walks the scopes and writes what they are into the answer. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/state_groups.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/core/key_range.h"
#include "engine/core/object_scope.h"

/* So many scopes of a namespace that is listed are passed by, then the walk leaps over the rest. */
enum { LEAP_AFTER = 64 };

enum group_kind { GROUP_SCOPES, GROUP_OBJECTS, GROUP_NAMESPACES };

struct groups {
	struct store_parts parts;
	struct task *task;
	enum group_kind kind;
	struct key_range range; /* of scopes */
	uint64_t limit;
	uint64_t count;
	bool is_paged;
	bool more;             /* than the answer has */
	struct buf namespace_; /* of the scope at hand */
	struct buf object;
	struct buf last; /* the last name in the answer */
	unsigned passed; /* scopes since then that are in the same namespace */
	uint64_t group;
};

static void free_groups(void *more)
{
	struct groups *groups = more;
	key_range_close(&groups->range);
	buf_free(&groups->namespace_);
	buf_free(&groups->object);
	buf_free(&groups->last);
	mem_free(groups);
}

/* ---- rows ---- */

static void write_name(const struct groups *groups, struct span name)
{
	static const char *const before[] = {
	        [GROUP_OBJECTS] = "{\"object_key\":", [GROUP_NAMESPACES] = "{\"namespace\":"};
	struct buf *out = &groups->task->answer;
	if (groups->count != 0) {
		buf_byte(out, ',');
	}
	if (groups->kind == GROUP_SCOPES) {
		json_write_string(out, name);
		return;
	}
	buf_span(out, span_of(before[groups->kind]));
	json_write_string(out, name);
	buf_byte(out, '}');
}

/* False: the answer is full. */
static bool add_name(struct groups *groups, struct span name)
{
	struct buf *out = &groups->task->answer;
	size_t before = out->len;
	if (groups->count == groups->limit) {
		groups->more = true;
		return false;
	}
	write_name(groups, name);
	if (!task_answer_fits(groups->task, before, groups->is_paged && groups->count != 0)) {
		groups->more = true;
		return false;
	}
	groups->count++;
	groups->passed = 0;
	buf_clear(&groups->last);
	buf_span(&groups->last, name);
	return true;
}

static bool part_met(void *ctx, struct span part)
{
	struct groups *groups = ctx;
	struct span end = buf_view(&groups->range.end);
	if (end.len != 0 && span_compare(part, end) >= 0) {
		return false;
	}
	if (groups->kind == GROUP_SCOPES) {
		return add_name(groups, part);
	}
	if (!object_scope_read(part, &groups->namespace_, &groups->object)) {
		return true;
	}
	if (groups->kind == GROUP_OBJECTS) {
		return add_name(groups, buf_view(&groups->object));
	}
	struct span name = buf_view(&groups->namespace_);
	if (groups->count != 0 && span_equal(name, buf_view(&groups->last))) {
		return ++groups->passed < LEAP_AFTER;
	}
	return add_name(groups, name);
}

/* ---- the walk ---- */

/* All scopes of the namespace are passed: they go on with a slash, and '0' is what follows it. */
static void pass_namespace(struct groups *groups, struct span name)
{
	struct buf edge = {0};
	object_scope_write_part(name, &edge);
	buf_byte(&edge, '/' + 1);
	key_range_from(&groups->range, buf_view(&edge));
	buf_free(&edge);
}

static void walk(struct groups *groups)
{
	groups->parts.start = buf_view(&groups->range.start);
	store_parts_start(groups->task->tasks->store, &groups->parts);
}

static void walk_done(struct store_parts *parts, int status, uint64_t group, const struct err *err)
{
	struct groups *groups = MEM_CONTAINER(parts, struct groups, parts);
	struct task *task = groups->task;
	groups->group = group > groups->group ? group : groups->group;
	if (status != 0) {
		task->err = *err;
	}
	if (task->err.number != 0) {
		task_fail(task, groups->group);
		return;
	}
	if (groups->passed == LEAP_AFTER) {
		groups->passed = 0;
		pass_namespace(groups, buf_view(&groups->last));
		walk(groups);
		return;
	}
	buf_byte(&task->answer, ']');
	if (groups->more) {
		BUF_LITERAL(&task->answer, ",\"cursor\":");
		json_write_string(&task->answer, buf_view(&groups->last));
	}
	buf_byte(&task->answer, '}');
	task_answer(task, buf_view(&task->answer), groups->group);
}

/* ---- what is asked for ---- */

static struct span plain(struct task *task, enum argument argument)
{
	struct span value = task->args[argument];
	return value.ptr != NULL ? json_plain(value, &task->scratch) : SPAN("");
}

static void narrow_scopes(struct groups *groups)
{
	struct task *task = groups->task;
	key_range_within(&groups->range, plain(task, ARG_PREFIX));
	if (task->args[ARG_CURSOR].ptr != NULL) {
		key_range_behind(&groups->range, plain(task, ARG_CURSOR));
	}
}

static void narrow_objects(struct groups *groups)
{
	struct task *task = groups->task;
	struct span namespace_ = plain(task, ARG_NAMESPACE);
	struct buf scope = {0};
	object_scope_write(namespace_, plain(task, ARG_PREFIX), &scope);
	key_range_within(&groups->range, buf_view(&scope));
	if (task->args[ARG_CURSOR].ptr != NULL) {
		buf_clear(&scope);
		object_scope_write(namespace_, plain(task, ARG_CURSOR), &scope);
		key_range_behind(&groups->range, buf_view(&scope));
	}
	buf_free(&scope);
}

static void narrow_namespaces(struct groups *groups)
{
	struct task *task = groups->task;
	struct buf prefix = {0};
	object_scope_write_part(plain(task, ARG_PREFIX), &prefix);
	key_range_within(&groups->range, buf_view(&prefix));
	buf_free(&prefix);
	if (task->args[ARG_CURSOR].ptr != NULL) {
		pass_namespace(groups, plain(task, ARG_CURSOR));
	}
}

static struct groups *begin(struct task *task, enum group_kind kind)
{
	struct groups *groups = MEM_NEW(struct groups);
	task->more = groups;
	task->free_more = free_groups;
	argument_reserve(&task->scratch, task->data);
	groups->task = task;
	groups->kind = kind;
	groups->limit = argument_count(task->args[ARG_LIMIT], UINT64_MAX);
	groups->is_paged = task->args[ARG_LIMIT].ptr || task->args[ARG_CURSOR].ptr;
	groups->parts = (struct store_parts){
	        .space = SPACE_STATE, .part = part_met, .ctx = groups, .done = walk_done};
	return groups;
}

void state_list_groups(struct task *task)
{
	struct groups *groups = begin(task, GROUP_SCOPES);
	narrow_scopes(groups);
	BUF_LITERAL(&task->answer, "{\"groups\":[");
	walk(groups);
}

void state_list_objects(struct task *task)
{
	struct groups *groups = begin(task, GROUP_OBJECTS);
	narrow_objects(groups);
	BUF_LITERAL(&task->answer, "{\"objects\":[");
	walk(groups);
}

void state_list_namespaces(struct task *task)
{
	struct groups *groups = begin(task, GROUP_NAMESPACES);
	narrow_namespaces(groups);
	BUF_LITERAL(&task->answer, "{\"namespaces\":[");
	walk(groups);
}
