/* This file lists, shows and cancels calls that are to be made later. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/addressee.h"
#include "engine/core/alarm_book.h"
#include "engine/core/key_range.h"
#include "engine/core/later.h"
#include "engine/durable/space.h"
#include "engine/durable/store.h"
#include "engine/work/builtin.h"
#include "engine/work/queues.h"

enum { LOOKED_AT_MOST = 20000 };

/* Without its data, which may be large. */
static void write_head(const struct core *core, struct span id, const struct later *later,
                       const struct addressee *to, struct buf *out)
{
	json_write_member_string(out, "id", id);
	json_write_member_string(out, "queue", later->queue);
	json_write_member_string(out, "function_id", to->function_id);
	if (to->namespace_.len != 0) {
		json_write_member_string(out, "namespace", to->namespace_);
	}
	json_write_member_int(out, "scheduled_at", later->at_ms);
	json_write_member_int(out, "created_at", later->made_ms);
	if (queues_find(core->catalog, later->queue, NULL) == NULL) {
		json_write_member_string(out, "waits_for", SPAN("queue"));
	}
}

/* ---- one of them ---- */

struct errand;
typedef void errand_fn(struct errand *errand, const struct store_look *look);

struct errand {
	struct store_fetch fetch;
	struct work *work;
	errand_fn *act;
	struct buf id;
};

static void free_errand(struct errand *errand)
{
	buf_free(&errand->id);
	mem_free(errand);
}

static void came(struct store_fetch *fetch, int status, const struct err *err)
{
	struct errand *errand = MEM_CONTAINER(fetch, struct errand, fetch);
	struct store_look look;
	if (status != 0) {
		work_fail(errand->work, err);
	} else if (store_look(errand->work->core->store, space_later(buf_view(&errand->id)),
	                      &look) == STORE_FOUND) {
		errand->act(errand, &look);
	} else {
		work_reply_nothing_behind(errand->work, look.group);
	}
	free_errand(errand);
}

static void begin(struct work *work, struct span data, errand_fn *act)
{
	struct span id = work_text(data, "id", &work->data);
	if (id.len == 0) {
		work_refuse(work, "invalid_data", "'id' is missing: that of a call for later");
		return;
	}
	if (id.len != LATER_ID_LEN) {
		work_reply(work, SPAN_NONE);
		return;
	}
	struct errand *errand = MEM_NEW(struct errand);
	errand->work = work;
	errand->act = act;
	errand->fetch.done = came;
	buf_span(&errand->id, id);
	const struct record_key key = space_later(buf_view(&errand->id));
	store_fetch_start(work->core->store, &errand->fetch, &key, 1);
}

/* Composes the answer. */
static int show(struct errand *errand, struct span value, struct err *err)
{
	struct buf *out = &errand->work->out;
	struct addressee to = {0};
	struct buf texts = {0};
	struct later later = {0};
	int status = later_decode(value, &later, &texts, err);
	if (status == 0) {
		addressee_read(&to, later.call);
		buf_byte(out, '{');
		write_head(errand->work->core, buf_view(&errand->id), &later, &to, out);
		if (to.metadata.len != 0) {
			json_write_member_raw(out, "metadata", to.metadata);
		}
		json_write_member_raw(out, "data", later.data);
		buf_byte(out, '}');
		addressee_close(&to);
	}
	buf_free(&texts);
	return status;
}

static void get_now(struct errand *errand, const struct store_look *look)
{
	struct err err;
	if (show(errand, look->record.value, &err) != 0) {
		work_fail(errand->work, &err);
	} else {
		work_reply_behind(errand->work, look->group);
	}
}

static void get(struct work *work, struct span data)
{
	begin(work, data, get_now);
}

static void cancel_now(struct errand *errand, const struct store_look *look)
{
	struct work *work = errand->work;
	struct err err;
	int status = store_refuses_records(work->core->store, &err);
	if (status == 0) {
		status = show(errand, look->record.value, &err);
	}
	if (status != 0) {
		work_fail(work, &err);
		return;
	}
	laters_remove(alarm_book_laters(work->core->alarm_book), buf_view(&errand->id));
	store_commit(work->core->store, work_waiter(work));
}

static void cancel(struct work *work, struct span data)
{
	begin(work, data, cancel_now);
}

/* ---- all of them ---- */

struct later_list {
	struct store_scan scan;
	struct work *work;
	struct buf texts; /* what the filters point into */
	struct span queue, function_id;
	struct key_range range;
	uint64_t limit, count, looked_at;
	struct buf last;
};

static void free_list(struct later_list *list)
{
	buf_free(&list->texts);
	buf_free(&list->last);
	key_range_close(&list->range);
	mem_free(list);
}

static bool is_wanted(struct span wish, struct span is)
{
	return wish.len == 0 || span_equal(wish, is);
}

static void take(struct later_list *list, struct span id, const struct later *later)
{
	struct addressee to = {0};
	struct buf *out = &list->work->out;
	addressee_read(&to, later->call);
	if (is_wanted(list->queue, later->queue) && is_wanted(list->function_id, to.function_id)) {
		list->count++;
		json_write_comma(out);
		buf_byte(out, '{');
		write_head(list->work->core, id, later, &to, out);
		buf_byte(out, '}');
	}
	addressee_close(&to);
}

static bool row(void *ctx, struct span key, const struct record *stored)
{
	struct later_list *list = ctx;
	struct later later = {0};
	struct buf texts = {0};
	struct err err;
	if (list->count == list->limit || list->looked_at == LOOKED_AT_MOST) {
		return false;
	}
	list->looked_at++;
	buf_clear(&list->last);
	buf_span(&list->last, key);
	if (later_decode(stored->value, &later, &texts, &err) == 0) {
		take(list, key, &later);
	} else {
		log_error("later", "the call %.*s is not listed: %s", SPAN_ARG(key), err.text);
	}
	buf_free(&texts);
	return true;
}

static void walked(struct store_scan *scan, int status, bool more, uint64_t group,
                   const struct err *err)
{
	struct later_list *list = MEM_CONTAINER(scan, struct later_list, scan);
	struct buf *out = &list->work->out;
	if (status != 0) {
		work_fail(list->work, err);
		free_list(list);
		return;
	}
	buf_byte(out, ']');
	if (more) {
		json_write_member_string(out, "cursor", buf_view(&list->last));
	}
	buf_byte(out, '}');
	struct work *work = list->work;
	free_list(list);
	work_reply_behind(work, group);
}

static void list_calls(struct work *work, struct span data)
{
	struct later_list *list = MEM_NEW(struct later_list);
	uint64_t due_before = work_uint(data, "due_before", 0);
	list->work = work;
	list->limit = work_limit(data);
	(void)buf_reserve(&list->texts, 3 * data.len + 1); /* the texts must not move */
	list->queue = work_text(data, "queue", &list->texts);
	list->function_id = work_text(data, "function_id", &list->texts);
	struct span cursor = work_text(data, "cursor", &list->texts);
	if (cursor.len != 0) {
		key_range_behind(&list->range, cursor);
	}
	if (due_before != 0 && due_before < CLOCK_MOST_MS) {
		struct buf end = {0};
		later_write_time((int64_t)due_before + 1, &end);
		key_range_until(&list->range, buf_view(&end));
		buf_free(&end);
	}
	BUF_LITERAL(&work->out, "{\"scheduled\":[");
	if (key_range_is_empty(&list->range)) {
		walked(&list->scan, 0, false, 0, NULL);
		return;
	}
	list->scan.range = key_range_view(&list->range, SPAN(""));
	list->scan.range.space = SPACE_ALARM;
	list->scan.row = row;
	list->scan.ctx = list;
	list->scan.done = walked;
	store_scan_start(work->core->store, &list->scan);
}

const struct builtin_row builtin_scheduled_rows[] = {
        {"engine::scheduled::list", list_calls,
         "Lists calls that are to be made later, in the order of their times."},
        {"engine::scheduled::get", get, "Shows a call that is to be made later."},
        {"engine::scheduled::cancel", cancel, "Cancels a call that is to be made later."},
        {NULL, NULL, NULL},
};
