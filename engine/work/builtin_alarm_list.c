/* This file lists alarms, of one scope or of all. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/alarm_record.h"
#include "engine/core/key_range.h"
#include "engine/durable/space.h"
#include "engine/durable/store.h"
#include "engine/work/builtin.h"
#include <string.h>

/*
 * DESIGN. One scope is a walk over its alarms. Without a scope the scopes are listed first, and
 * then walked one after the other until there are enough. A cursor names the last alarm that was
 * met: its scope, NUL, its key, NUL, its name.
 */
enum { LOOKED_AT_MOST = 20000 };

struct alarm_list {
	struct store_scan scan;
	struct store_parts parts;
	struct work *work;
	struct buf texts;  /* what the filters point into */
	struct buf scopes; /* to be walked, each with a NUL behind it */
	size_t at;         /* of the one that is walked, in `scopes` */
	struct span prefix;
	struct span state;
	int64_t due_before;
	struct span cursor_scope, cursor_key;
	struct key_range range;
	uint64_t limit, count, looked_at;
	uint64_t group;
	struct buf last; /* the record's key */
	bool more;
};

static void free_list(struct alarm_list *list)
{
	buf_free(&list->texts);
	buf_free(&list->scopes);
	buf_free(&list->last);
	key_range_close(&list->range);
	mem_free(list);
}

static struct span scope_of(const struct alarm_list *list)
{
	return span_of(list->scopes.ptr + list->at);
}

/* ---- a row ---- */

static bool is_wanted(const struct alarm_list *list, const struct alarm_record *record)
{
	bool is_due = list->due_before == 0 ||
	              (record->next_ms != 0 && record->next_ms <= list->due_before);
	return is_due && (list->state.len == 0 || span_is(list->state, alarm_record_state(record)));
}

static bool row(void *ctx, struct span key, const struct record *stored)
{
	struct alarm_list *list = ctx;
	struct alarm_address address = {.scope = scope_of(list)};
	struct alarm_record record;
	struct buf texts = {0};
	struct err err;
	if (list->count == list->limit || list->looked_at == LOOKED_AT_MOST) {
		return false;
	}
	list->looked_at++;
	buf_clear(&list->last);
	buf_span(&list->last, key);
	int status = space_parse_alarm(key, &address.key, &address.name, &err);
	if (status == 0) {
		status = alarm_record_decode(stored->value, &record, &texts, &err);
	}
	if (status != 0) {
		log_error("alarm", "an alarm of \"%.*s\" is not listed: %s",
		          SPAN_ARG(address.scope), err.text);
	} else if (is_wanted(list, &record)) {
		list->count++;
		json_write_comma(&list->work->out);
		alarm_record_show(&address, &record, &list->work->out);
	}
	buf_free(&texts);
	return true;
}

/* ---- walking ---- */

static void walk(struct alarm_list *list);

static void finish(struct alarm_list *list)
{
	struct buf *out = &list->work->out;
	buf_byte(out, ']');
	if (list->more) {
		struct buf cursor = {0};
		buf_span(&cursor, scope_of(list));
		buf_byte(&cursor, '\0');
		buf_span(&cursor, buf_view(&list->last));
		json_write_member_string(out, "cursor", buf_view(&cursor));
		buf_free(&cursor);
	}
	buf_byte(out, '}');
	struct work *work = list->work;
	uint64_t group = list->group;
	free_list(list);
	work_reply_behind(work, group);
}

static void fail(struct alarm_list *list, const struct err *err)
{
	work_fail(list->work, err);
	free_list(list);
}

static void walked(struct store_scan *scan, int status, bool more, uint64_t group,
                   const struct err *err)
{
	struct alarm_list *list = MEM_CONTAINER(scan, struct alarm_list, scan);
	list->group = group > list->group ? group : list->group;
	if (status != 0) {
		fail(list, err);
		return;
	}
	if (more) {
		list->more = true;
		finish(list);
		return;
	}
	list->at += scope_of(list).len + 1;
	walk(list);
}

static void walk(struct alarm_list *list)
{
	if (list->at >= list->scopes.len) {
		finish(list);
		return;
	}
	struct span scope = scope_of(list);
	buf_clear(&list->last);
	key_range_close(&list->range);
	list->range = (struct key_range){0};
	key_range_within(&list->range, list->prefix);
	if (span_equal(scope, list->cursor_scope)) {
		key_range_behind(&list->range, list->cursor_key);
	}
	if (key_range_is_empty(&list->range)) {
		list->at += scope.len + 1;
		walk(list);
		return;
	}
	list->scan.range = key_range_view(&list->range, scope);
	list->scan.range.space = SPACE_ALARM;
	list->scan.row = row;
	list->scan.ctx = list;
	list->scan.done = walked;
	store_scan_start(list->work->core->store, &list->scan);
}

static void add_scope(struct alarm_list *list, struct span scope)
{
	if (list->cursor_scope.ptr == NULL || span_compare(scope, list->cursor_scope) >= 0) {
		buf_span(&list->scopes, scope);
		buf_byte(&list->scopes, '\0');
	}
}

static bool scope_met(void *ctx, struct span part)
{
	if (part.len != 0) { /* else it holds calls for later */
		add_scope(ctx, part);
	}
	return true;
}

static void scopes_met(struct store_parts *parts, int status, uint64_t group, const struct err *err)
{
	struct alarm_list *list = MEM_CONTAINER(parts, struct alarm_list, parts);
	list->group = group;
	if (status != 0) {
		fail(list, err);
	} else {
		walk(list);
	}
}

/* ---- asking ---- */

static int read_cursor(struct alarm_list *list, struct span cursor, struct err *err)
{
	const char *nul = cursor.len != 0 ? memchr(cursor.ptr, '\0', cursor.len) : NULL;
	if (cursor.ptr == NULL) {
		return 0;
	}
	if (nul == NULL) {
		return err_set(err, E_INVALID, "invalid_cursor",
		               "'cursor' must be one that alarm::list has given");
	}
	size_t len = (size_t)(nul - cursor.ptr);
	list->cursor_scope = span_make(cursor.ptr, len);
	list->cursor_key = span_make(nul + 1, cursor.len - len - 1);
	return 0;
}

static void list_alarms(struct work *work, struct span data)
{
	struct alarm_list *list = MEM_NEW(struct alarm_list);
	struct err err;
	list->work = work;
	list->limit = work_limit(data);
	(void)buf_reserve(&list->texts, 5 * data.len + 1); /* the texts must not move */
	struct span scope = work_text(data, "scope", &list->texts);
	list->prefix = work_text(data, "prefix", &list->texts);
	list->state = work_text(data, "state", &list->texts);
	list->due_before = (int64_t)work_uint(data, "due_before", 0);
	if (read_cursor(list, work_text(data, "cursor", &list->texts), &err) != 0) {
		fail(list, &err);
		return;
	}
	BUF_LITERAL(&work->out, "{\"alarms\":[");
	if (scope.len != 0) {
		add_scope(list, scope);
		walk(list);
		return;
	}
	list->parts = (struct store_parts){
	        .space = SPACE_ALARM, .part = scope_met, .ctx = list, .done = scopes_met};
	store_parts_start(work->core->store, &list->parts);
}

const struct builtin_row builtin_alarm_list_rows[] = {
        {"alarm::list", list_alarms, "Lists alarms, by scope, prefix of the key, and state."},
        {NULL, NULL, NULL},
};
