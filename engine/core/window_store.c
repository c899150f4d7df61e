/* This file keeps on disk what windows hold in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/window_store.h"

#include "base/crash.h"
#include "base/mem.h"
#include "engine/core/job_store.h"
#include "engine/durable/space.h"

enum { MARK_FORMAT = 1 };

static void put_window(struct store *store, const struct binding *binding, struct window *window)
{
	struct space_key room;
	struct buf value = {0};
	window_encode(window, &value);
	const struct record record = {.value = buf_view(&value)};
	store_put(store, space_window(&room, binding->id, binding->version, window->first_seq),
	          &record);
	buf_free(&value);
	window->is_put = true;
	window->needs = window->members.seqs[0];
	list_remove(&window->in_dirty);
}

static void put_mark(struct store *store, struct binding *binding)
{
	struct space_key room;
	struct buf value = {0};
	space_put_u8(&value, MARK_FORMAT);
	space_put_u64(&value, binding->windows->mark);
	const struct record record = {.value = buf_view(&value)};
	store_put(store, space_mark(&room, binding->id, binding->version), &record);
	buf_free(&value);
	binding->windows->mark_put = binding->windows->mark;
}

int window_store_read_mark(struct binding *binding, struct span value, struct err *err)
{
	struct space_reader reader;
	int status = space_reader_init(&reader, value, MARK_FORMAT, "mark", err);
	if (status != 0) {
		return status;
	}
	uint64_t mark = space_get_u64(&reader);
	status = space_reader_end(&reader, "mark", err);
	if (status == 0) {
		binding->windows->mark = mark;
		binding->windows->mark_put = mark;
	}
	return status;
}

void window_store_put_dirty(struct store *store, struct binding *binding)
{
	struct windows *windows = binding->windows;
	if (windows == NULL || windows->mark == windows->mark_put) {
		return; /* what makes a window dirty moves the mark */
	}
	LIST_EACH(&windows->dirty, link)
	{
		put_window(store, binding, MEM_CONTAINER(link, struct window, in_dirty));
	}
	put_mark(store, binding);
	crash_at(CRASH_WINDOW);
}

static void put_job(struct store *store, const struct binding *binding, const struct window *window)
{
	struct buf text = {0};
	const struct job job = window_job(binding->windows, window, binding->version, &text);
	job_store_put(store, binding, &job);
	buf_free(&text);
}

void window_store_close(struct store *store, struct binding *binding, struct window *window)
{
	PRE(window->is_closing);
	window_store_put_dirty(store, binding);
	if (window->is_put) {
		struct space_key room;
		store_delete(store,
		             space_window(&room, binding->id, binding->version, window->first_seq),
		             0);
	}
	put_job(store, binding, window);
	crash_at(CRASH_WINDOW);
}

static void delete_version(struct store *store, const struct binding *binding)
{
	struct space_key first;
	struct space_key behind;
	store_delete_range(store, SPACE_WINDOW, binding->id,
	                   space_mark(&first, binding->id, binding->version).key,
	                   space_mark(&behind, binding->id, (uint64_t)binding->version + 1).key);
}

void window_store_put_all(struct store *store, struct binding *binding)
{
	struct windows *windows = binding->windows;
	if (windows == NULL) {
		return;
	}
	delete_version(store, binding);
	LIST_EACH(&windows->open, link)
	{
		put_window(store, binding, MEM_CONTAINER(link, struct window, link));
	}
	LIST_EACH(&windows->closing, closing_link)
	{
		put_job(store, binding, MEM_CONTAINER(closing_link, struct window, link));
	}
	put_mark(store, binding);
}

static void drop(struct store *store, struct alarms *alarms, struct binding *binding,
                 struct window *window)
{
	struct space_key room;
	store_delete(store, space_window(&room, binding->id, binding->version, window->first_seq),
	             0);
	if (window->is_closing) {
		job_store_delete(store, binding, window->members.seqs[0]);
	}
	windows_drop(binding->windows, window, alarms);
}

/* A batch goes on with those of its events that are behind it. */
static void keep_behind(struct store *store, struct binding *binding, struct window *window,
                        uint64_t to_seq)
{
	if (window->is_closing) {
		job_store_delete(store, binding, window->members.seqs[0]);
	}
	members_cut(&window->members, to_seq);
	binding->windows->events -= window->is_closing ? 0 : window->count - window->members.count;
	window->count = window->members.count;
	window->epoch = 0; /* of the first event, which is another one now */
	if (window->is_closing) {
		put_job(store, binding, window);
	} else {
		put_window(store, binding, window);
	}
}

static void drop_some(struct store *store, struct alarms *alarms, struct binding *binding,
                      struct list *list, uint64_t to_seq, uint64_t *from_seq)
{
	LIST_EACH(list, link)
	{
		struct window *window = MEM_CONTAINER(link, struct window, link);
		if (window->members.seqs[0] > to_seq) {
			continue;
		}
		if (window->first_seq < *from_seq) {
			*from_seq = window->first_seq;
		}
		if (window->members.seqs[window->members.count - 1] <= to_seq) {
			drop(store, alarms, binding, window);
		} else {
			keep_behind(store, binding, window, to_seq);
		}
	}
}

void window_store_drop_until(struct store *store, struct alarms *alarms, struct binding *binding,
                             uint64_t to_seq, uint64_t *from_seq)
{
	struct windows *windows = binding->windows;
	if (windows != NULL) {
		drop_some(store, alarms, binding, &windows->open, to_seq, from_seq);
		drop_some(store, alarms, binding, &windows->closing, to_seq, from_seq);
		put_mark(store, binding);
	}
}

void window_store_drop_all(struct store *store, struct alarms *alarms, struct binding *binding,
                           bool keep_records)
{
	struct windows *windows = binding->windows;
	if (windows == NULL) {
		return;
	}
	if (!keep_records) {
		LIST_EACH(&windows->closing, link)
		{
			const struct window *window = MEM_CONTAINER(link, struct window, link);
			job_store_delete(store, binding, window->members.seqs[0]);
		}
		delete_version(store, binding);
	}
	windows_free(windows, alarms);
	binding->windows = NULL;
}
