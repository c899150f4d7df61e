/* This file walks a scope's records and writes what it meets into the answer. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/state_list.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/core/change.h"
#include "engine/core/encoding.h"
#include "engine/core/key_range.h"

struct listing {
	struct store_scan scan;
	struct task *task;
	bool is_items;
	bool is_bare; /* items without their values */
	bool is_paged;
	uint64_t limit;
	uint64_t count;
	struct key_range range;
	struct buf last; /* the last key in the answer */
};

static void free_listing(void *more)
{
	struct listing *listing = more;
	key_range_close(&listing->range);
	buf_free(&listing->last);
	mem_free(listing);
}

static void write_row(const struct listing *listing, struct span key, const struct record *record)
{
	struct buf *out = &listing->task->answer;
	if (listing->count != 0) {
		buf_byte(out, ',');
	}
	if (!listing->is_items) {
		buf_span(out, record->value);
		return;
	}
	BUF_LITERAL(out, "{\"key\":");
	json_write_string(out, key);
	if (!listing->is_bare) {
		BUF_LITERAL(out, ",\"value\":");
		buf_span(out, record->value);
	}
	BUF_LITERAL(out, ",\"rev\":\"");
	buf_uint(out, record->rev);
	buf_byte(out, '"');
	encoding_write(out, record->flags, false);
	change_write_expiry(out, record->expires_at_ms);
	buf_byte(out, '}');
}

static bool listed(void *ctx, struct span key, const struct record *record)
{
	struct listing *listing = ctx;
	struct buf *out = &listing->task->answer;
	if (change_is_expired(listing->task->tasks->store, record)) {
		return true;
	}
	if (listing->count == listing->limit) {
		return false;
	}
	size_t before = out->len;
	write_row(listing, key, record);
	if (!task_answer_fits(listing->task, before, listing->is_paged && listing->count != 0)) {
		return false;
	}
	listing->count++;
	if (listing->is_items) {
		buf_clear(&listing->last);
		buf_span(&listing->last, key);
	}
	return true;
}

static void list_done(struct store_scan *scan, int status, bool more, uint64_t group,
                      const struct err *err)
{
	struct listing *listing = MEM_CONTAINER(scan, struct listing, scan);
	struct task *task = listing->task;
	if (status != 0) {
		task->err = *err;
	}
	if (task->err.number != 0) {
		task_fail(task, group);
		return;
	}
	struct buf *out = &task->answer;
	buf_byte(out, ']');
	if (listing->is_items) {
		if (more) {
			BUF_LITERAL(out, ",\"cursor\":");
			json_write_string(out, buf_view(&listing->last));
		}
		buf_byte(out, '}');
	}
	task_answer(task, buf_view(out), group);
}

static struct span plain(struct task *task, enum argument argument)
{
	struct span value = task->args[argument];
	return value.ptr != NULL ? json_plain(value, &task->scratch) : SPAN("");
}

static void narrow(struct listing *listing)
{
	struct task *task = listing->task;
	key_range_within(&listing->range, plain(task, ARG_PREFIX));
	key_range_from(&listing->range, plain(task, ARG_START));
	key_range_until(&listing->range, plain(task, ARG_END));
	if (task->args[ARG_CURSOR].ptr != NULL && listing->scan.reverse) {
		key_range_until(&listing->range, plain(task, ARG_CURSOR));
	} else if (task->args[ARG_CURSOR].ptr != NULL) {
		key_range_behind(&listing->range, plain(task, ARG_CURSOR));
	}
}

void state_list(struct task *task)
{
	argument_reserve(&task->scratch, task->data);
	struct span scope;
	if (argument_scope(task->form->name, task->args[ARG_SCOPE], &task->scratch, &scope,
	                   &task->err) != 0) {
		task_fail(task, 0);
		return;
	}
	struct listing *listing = MEM_NEW(struct listing);
	task->more = listing;
	task->free_more = free_listing;
	listing->task = task;
	listing->limit = argument_count(task->args[ARG_LIMIT], UINT64_MAX);
	listing->is_paged = task->args[ARG_LIMIT].ptr || task->args[ARG_CURSOR].ptr;
	listing->is_bare = argument_is_true(task->args[ARG_KEYS_ONLY]);
	listing->is_items = listing->is_paged || listing->is_bare ||
	                    argument_is_true(task->args[ARG_WITH_KEYS]);
	listing->scan.reverse = argument_is_true(task->args[ARG_REVERSE]);
	narrow(listing);
	struct buf *out = &task->answer;
	if (listing->is_items) {
		BUF_LITERAL(out, "{\"items\":");
	}
	buf_byte(out, '[');
	listing->scan.range = key_range_view(&listing->range, scope);
	listing->scan.row = listed;
	listing->scan.ctx = listing;
	listing->scan.done = list_done;
	if (key_range_is_empty(&listing->range)) {
		list_done(&listing->scan, 0, false, 0, NULL);
	} else {
		store_scan_start(task->tasks->store, &listing->scan);
	}
}
