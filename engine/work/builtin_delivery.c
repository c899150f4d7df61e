/* This file shows events and dead letters, and replays or discards the dead. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/mem.h"
#include "engine/core/attempt.h"
#include "engine/core/catalog.h"
#include "engine/core/dead.h"
#include "engine/core/dead_filter.h"
#include "engine/core/dispatch.h"
#include "engine/core/job_store.h"
#include "engine/durable/store.h"
#include "engine/work/builtin.h"
#include "engine/work/letter.h"
#include "engine/work/one_event.h"

enum { EVENTS_MOST = 1000, EVENTS_BYTES = 4 * 1024 * 1024 };

/* ---- events ---- */

struct events_work {
	struct store_read read;
	struct work *work;
	char log[ADAPTER_LOG_LEN + 1];
	uint64_t next_seq;
	struct buf scope;
	uint64_t limit;
	uint64_t shown;
};

static void show_event(void *ctx, uint64_t seq, struct span bytes)
{
	struct events_work *own = ctx;
	struct buf *out = &own->work->out;
	struct event event;
	if (own->shown == own->limit || out->len > EVENTS_BYTES) {
		return;
	}
	own->next_seq = seq + 1;
	if (event_decode(seq, bytes, &event, NULL) != 0) {
		return;
	}
	if (own->scope.len == 0 || span_equal(event.scope, buf_view(&own->scope))) {
		json_write_comma(out);
		event_write_json(&event, span_of(own->log), NULL, out);
		own->shown++;
	}
}

static void events_done(struct store_read *read, int status, const struct err *err)
{
	struct events_work *own = MEM_CONTAINER(read, struct events_work, read);
	struct work *work = own->work;
	uint64_t last = store_durable_seq(work->core->store);
	bool go_on = status == 0 && own->shown < own->limit && work->out.len <= EVENTS_BYTES &&
	             own->next_seq <= last && own->next_seq > read->from;
	if (go_on) {
		own->read.from = own->next_seq;
		store_read_start(work->core->store, &own->read);
		return;
	}
	if (status != 0) {
		work_fail(work, err);
	} else {
		buf_byte(&work->out, ']');
		json_write_member_uint(&work->out, "next", own->next_seq);
		json_write_member_uint(&work->out, "last", last);
		buf_byte(&work->out, '}');
		work_reply_out(work);
	}
	buf_free(&own->scope);
	mem_free(own);
}

struct event_work {
	struct one_event one;
	char log[ADAPTER_LOG_LEN + 1];
};

static void event_came(struct one_event *one, const struct event *event)
{
	struct event_work *own = MEM_CONTAINER(one, struct event_work, one);
	if (event != NULL) {
		event_write_json(event, span_of(own->log), NULL, &one->work->out);
		work_reply_out(one->work);
	}
	mem_free(own);
}

static void get_event(struct work *work, struct span data)
{
	struct span seq;
	if (!json_get(data, SPAN("seq"), &seq)) {
		work_refuse(work, "argument_required", "name the event by its seq");
		return;
	}
	struct adapter_head head;
	store_head(work->core->store, &head);
	struct event_work *own = MEM_NEW(struct event_work);
	memcpy(own->log, head.log, sizeof own->log);
	own->one.work = work;
	own->one.done = event_came;
	one_event_get(&own->one, seq);
}

/* `since` is a seq: events behind it. Without it the last `limit` ones. */
static void list_events(struct work *work, struct span data)
{
	struct store *store = work->core->store;
	struct adapter_head head;
	store_head(store, &head);
	struct events_work *own = MEM_NEW(struct events_work);
	own->work = work;
	own->limit = work_limit(data);
	memcpy(own->log, head.log, sizeof own->log);
	struct span scope = work_text(data, "scope", &own->scope);
	(void)scope;
	uint64_t last = store_durable_seq(store);
	uint64_t tail = last >= own->limit ? last - own->limit : 0;
	uint64_t since = work_uint(data, "since", tail);
	if (since == tail && since + 1 < head.first_seq) {
		since = head.first_seq - 1;
	}
	own->next_seq = since + 1;
	BUF_LITERAL(&work->out, "{\"events\":[");
	if (since > last) {
		work_refuse(work, "cursor_unknown",
		            "there is no event %llu yet: the last one is %llu; if you have seen "
		            "it, the data "
		            "was restored from an older copy and your cursor is of no use",
		            (unsigned long long)since, (unsigned long long)last);
		buf_free(&own->scope);
		mem_free(own);
		return;
	}
	own->read = (struct store_read){
	        .from = since + 1,
	        .count = EVENTS_MOST,
	        .max_bytes = EVENTS_BYTES,
	        .entry = show_event,
	        .ctx = own,
	        .done = events_done,
	};
	if (since == last) {
		events_done(&own->read, 0, NULL);
	} else {
		store_read_start(store, &own->read);
	}
}

/* ---- dead letters ---- */

struct dead_work {
	struct dead_list list;
	struct dead_get get;
	struct store_waiter waiter;
	struct work *work;
	struct dead_filter filter;
	struct buf event; /* what is to be edited of it */
	struct buf id;
	uint64_t left;
};

static void free_dead_work(struct dead_work *own)
{
	dead_filter_close(&own->filter);
	buf_free(&own->event);
	buf_free(&own->id);
	mem_free(own);
}

static bool add_dead(struct dead_list *list, struct span json)
{
	struct dead_work *own = MEM_CONTAINER(list, struct dead_work, list);
	if (!dead_filter_fits(&own->filter, json)) {
		return true;
	}
	if (own->left == 0) {
		return false;
	}
	own->left--;
	json_write_comma(&own->work->out);
	buf_span(&own->work->out, json);
	return true;
}

static void dead_listed(struct dead_list *list, int status, const struct err *err)
{
	struct dead_work *own = MEM_CONTAINER(list, struct dead_work, list);
	struct work *work = own->work;
	if (status != 0) {
		work_fail(work, err);
	} else {
		buf_byte(&work->out, ']');
		json_write_member_uint(&work->out, "total", dead_count(work->core->dead));
		json_write_member_uint(&work->out, "bytes", dead_bytes(work->core->dead));
		buf_byte(&work->out, '}');
		work_reply_out(work);
	}
	free_dead_work(own);
}

static void list_dead(struct work *work, struct span data)
{
	struct dead_work *own = MEM_NEW(struct dead_work);
	own->work = work;
	own->left = work_limit(data);
	struct err err;
	if (dead_filter_read(&own->filter, data, &err) != 0) {
		work_fail(work, &err);
		free_dead_work(own);
		return;
	}
	own->list.each = add_dead;
	own->list.done = dead_listed;
	BUF_LITERAL(&work->out, "{\"dead\":[");
	dead_list_start(work->core->dead, &own->list, true);
}

static void get_dead(struct work *work, struct span data,
                     void (*done)(struct dead_get *, int, struct span, const struct err *))
{
	struct dead_work *own = MEM_NEW(struct dead_work);
	own->work = work;
	(void)work_text(data, "id", &own->id);
	struct span event;
	if (json_get(data, SPAN("event"), &event) && !json_is_null(event)) {
		buf_span(&own->event, event);
	}
	own->get.done = done;
	dead_get_start(work->core->dead, &own->get, buf_view(&own->id));
}

static void dead_shown(struct dead_get *get, int status, struct span json, const struct err *err)
{
	struct dead_work *own = MEM_CONTAINER(get, struct dead_work, get);
	if (status != 0) {
		work_fail(own->work, err);
	} else {
		work_reply(own->work, json);
	}
	free_dead_work(own);
}

static void show_dead(struct work *work, struct span data)
{
	get_dead(work, data, dead_shown);
}

static void dead_settled(struct store_waiter *waiter, int status, const struct err *err)
{
	struct dead_work *own = MEM_CONTAINER(waiter, struct dead_work, waiter);
	if (status != 0) {
		work_fail(own->work, err);
	} else {
		work_reply_out(own->work);
	}
	free_dead_work(own);
}

static void dead_discarded(struct dead_get *get, int status, struct span json,
                           const struct err *err)
{
	struct dead_work *own = MEM_CONTAINER(get, struct dead_work, get);
	struct work *work = own->work;
	struct err why;
	if (status != 0 || store_refuses_records(work->core->store, &why) != 0) {
		work_fail(work, status != 0 ? err : &why);
		free_dead_work(own);
		return;
	}
	letter_discard(work->core, get, json, buf_view(&own->id));
	BUF_LITERAL(&work->out, "{\"discarded\":true}");
	own->waiter.done = dead_settled;
	store_commit(work->core->store, &own->waiter);
}

static void discard_dead(struct work *work, struct span data)
{
	get_dead(work, data, dead_discarded);
}

static void dead_replayed(struct dead_get *get, int status, struct span json, const struct err *err)
{
	struct dead_work *own = MEM_CONTAINER(get, struct dead_work, get);
	struct work *work = own->work;
	struct core *core = work->core;
	struct err why;
	const struct letter_again again = {.event = buf_view(&own->event)};
	bool can = status == 0 && store_refuses_records(core->store, &why) == 0 &&
	           letter_replay(core, get, json, &again, &why) == 0;
	if (!can) {
		work_fail(work, status != 0 ? err : &why);
		free_dead_work(own);
		return;
	}
	buf_byte(&work->out, '{');
	json_write_member_string(&work->out, "replayed", buf_view(&own->id));
	buf_byte(&work->out, '}');
	own->waiter.done = dead_settled;
	store_commit(core->store, &own->waiter);
}

static void replay_dead(struct work *work, struct span data)
{
	get_dead(work, data, dead_replayed);
}

const struct builtin_row builtin_delivery_rows[] = {
        {"engine::events::list", list_events, "Lists events of the journal."},
        {"engine::events::get", get_event, "Shows one event of the journal."},
        {"engine::dead::list", list_dead, "Lists dead letters, newest first."},
        {"engine::dead::show", show_dead, "Shows one dead letter."},
        {"engine::dead::replay", replay_dead, "Delivers a dead letter again."},
        {"engine::dead::discard", discard_dead, "Throws a dead letter away."},
        {NULL, NULL, NULL},
};
