/* This file delivers past events of the journal again, to one trigger or to all. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/core/attempt.h"
#include "engine/core/catalog.h"
#include "engine/core/dispatch.h"
#include "engine/core/job_store.h"
#include "engine/core/react.h"
#include "engine/core/time_bound.h"
#include "engine/durable/space.h"
#include "engine/durable/store.h"
#include "engine/work/builtin.h"
#include "triggers/ruling.h"

/*
 * DESIGN. Each delivery becomes a job record that holds its event, with the time before which it
 * must not start where a rate was given: what has been answered is durable and goes on over a
 * restart. One request makes at most `limit` of them, then says where to go on (`next`).
 *
 *   NUMBER (of the replay, for the delivery ids) --> READING chunk by chunk --> committed, answered
 *
 * A replay takes a thousand numbers, so that its dead letters have some for being edited.
 */
enum {
	REPLAYS_FORMAT = 1,
	NUMBERS = 1000,
	MOST = 10000,
	BYTES_MOST = 64 << 20,
	CHUNK_ENTRIES = 256,
	CHUNK_BYTES = 256 * 1024,
	SHOWN_MOST = 100
};

struct replay {
	struct store_fetch fetch;
	struct store_read read;
	struct work *work;
	struct buf texts;
	struct span trigger; /* absent: all */
	struct span since;
	struct span until;
	struct condition *when;
	struct matching matching;
	const struct event *event; /* that is looked at */
	bool dry;
	int64_t rate;
	int64_t begin_ms;
	uint64_t limit;
	uint32_t number;
	uint64_t next; /* the first event that was not looked at */
	uint64_t end;  /* behind the last */
	uint64_t made;
	uint64_t bytes;
	uint64_t owed; /* not made: the trigger has not done with the event yet */
	struct buf shown;
	struct err err; /* why it cannot go on; number 0: it can */
	char log[ADAPTER_LOG_LEN + 1];
};

static void replay_free(struct replay *replay)
{
	matching_close(&replay->matching);
	condition_free(replay->when);
	buf_free(&replay->texts);
	buf_free(&replay->shown);
	mem_free(replay);
}

static void replay_fail(struct replay *replay, const struct err *err)
{
	work_fail(replay->work, err);
	replay_free(replay);
}

static void replay_answer(struct replay *replay)
{
	struct work *work = replay->work;
	struct buf *out = &work->out;
	buf_byte(out, '{');
	json_write_member_uint(out, replay->dry ? "would_replay" : "replayed", replay->made);
	json_write_member_uint(out, "still_owed", replay->owed);
	json_write_member_bool(out, "more", replay->next < replay->end);
	json_write_member_uint(out, "next", replay->next);
	json_write_name(out, "deliveries");
	buf_byte(out, '[');
	buf_span(out, buf_view(&replay->shown));
	BUF_LITERAL(out, "]}");
	store_commit(work->core->store, work_waiter(work));
	replay_free(replay);
}

/* ---- one event ---- */

static void show(struct replay *replay, struct span id)
{
	if (replay->made < SHOWN_MOST) {
		json_write_comma(&replay->shown);
		json_write_string(&replay->shown, id);
	}
}

/* It passes the windows by, but stands in the lane of the one that would be its own. */
static struct span window_name(struct replay *replay, const struct filter *filter, struct buf *text)
{
	if (filter->shaping == NULL) {
		return SPAN_NONE;
	}
	(void)shaping_name(filter->shaping, &replay->matching, filter->metadata, text);
	return text->len != 0 ? buf_view(text) : SPAN("");
}

static void make(struct replay *replay, struct binding *binding)
{
	const struct event *event = replay->event;
	const struct core *core = replay->work->core;
	struct buf id = {0};
	struct buf json = {0};
	event_write_id(span_of(replay->log), event->epoch, event->seq, &id);
	buf_format(&id, "/%.*s/r%u", SPAN_ARG(binding->id), replay->number);
	show(replay, buf_view(&id));
	if (!replay->dry) {
		const struct event_delivery shown = {.attempt = 1, .delivery_id = buf_view(&id)};
		event_write_json(event, span_of(replay->log), &shown, &json);
		const struct filter *filter = binding->filter;
		const struct delivery_groups groups = dispatch_groups(filter, &replay->matching);
		struct buf window = {0};
		const struct job job = {
		        .version = binding->version,
		        .seq = event->seq,
		        .epoch = event->epoch,
		        .group = groups.concurrency,
		        .throttle = groups.throttle,
		        .scope = event->scope,
		        .key = event->key,
		        .due_ms = replay->rate != 0 ? replay->begin_ms + (int64_t)replay->made *
		                                                                 1000 / replay->rate
		                                    : 0,
		        .replay = replay->number,
		        .event = buf_view(&json),
		        .window = window_name(replay, filter, &window),
		};
		job_store_put(core->store, binding, &job);
		dispatch_adopt(core->dispatch, binding, &job);
		buf_free(&window);
	}
	replay->made++;
	replay->bytes += json.len;
	buf_free(&id);
	buf_free(&json);
}

static void ask(void *ctx, struct binding *binding)
{
	struct replay *replay = ctx;
	struct value error;
	bool is_meant = binding->until_seq == 0 &&
	                (replay->trigger.ptr == NULL || span_equal(binding->id, replay->trigger));
	if (!is_meant) {
		return;
	}
	enum ruling ruling = ruling_of(binding->filter, &replay->matching, &error);
	if (!ruling_wakes(ruling)) {
		return;
	}
	uint64_t seq = replay->event->seq;
	const struct binding *owner =
	        catalog_find_owner(replay->work->core->catalog, binding->id, seq);
	bool is_owed = seq > react_cursor(replay->work->core->react, binding) ||
	               (owner != NULL && (owner != binding || dispatch_has_seq(binding, seq)));
	if (is_owed) {
		replay->owed++;
	} else {
		make(replay, binding);
	}
}

static bool is_asked_for(struct replay *replay, const struct event *event)
{
	char text[CLOCK_TEXT_LEN + 1];
	struct value error;
	clock_format(event->time_ms, text);
	struct span time = span_of(text);
	if ((replay->since.ptr != NULL && time_bound_is_before(time, replay->since)) ||
	    (replay->until.ptr != NULL && !time_bound_is_before(time, replay->until))) {
		return false;
	}
	matching_begin(&replay->matching, event);
	return replay->when == NULL ||
	       condition_eval(replay->when, &replay->matching, SPAN_NONE, &error) == CONDITION_TRUE;
}

static bool is_full(const struct replay *replay)
{
	return replay->made >= replay->limit || replay->bytes >= BYTES_MOST;
}

static void look(void *ctx, uint64_t seq, struct span bytes)
{
	struct replay *replay = ctx;
	struct event event;
	if (seq != replay->next || replay->err.number != 0 || is_full(replay) ||
	    store_refuses_records(replay->work->core->store, &replay->err) != 0) {
		return;
	}
	replay->next = seq + 1;
	if (event_decode(seq, bytes, &event, NULL) == 0 && is_asked_for(replay, &event)) {
		replay->event = &event;
		catalog_each(replay->work->core->catalog, ask, replay);
		replay->event = NULL;
	}
}

/* ---- reading ---- */

static void chunk_came(struct store_read *read, int status, const struct err *err);

static void read_on(struct replay *replay)
{
	uint64_t left = replay->end - replay->next;
	if (replay->next >= replay->end || is_full(replay)) {
		replay_answer(replay);
		return;
	}
	replay->read = (struct store_read){
	        .from = replay->next,
	        .count = left < CHUNK_ENTRIES ? left : CHUNK_ENTRIES,
	        .max_bytes = CHUNK_BYTES,
	        .entry = look,
	        .ctx = replay,
	        .done = chunk_came,
	};
	store_read_start(replay->work->core->store, &replay->read);
}

static void chunk_came(struct store_read *read, int status, const struct err *err)
{
	struct replay *replay = MEM_CONTAINER(read, struct replay, read);
	if (replay->err.number != 0 || status != 0) {
		replay_fail(replay, status != 0 ? err : &replay->err);
		return;
	}
	store_commit(replay->work->core->store, NULL);
	read_on(replay);
}

/* ---- the number of the replay ---- */

static void number_came(struct store_fetch *fetch, int status, const struct err *err)
{
	struct replay *replay = MEM_CONTAINER(fetch, struct replay, fetch);
	struct store *store = replay->work->core->store;
	struct store_look found;
	struct space_reader reader;
	struct err why;
	uint64_t count = 0;
	if (status == 0 && !replay->dry) {
		status = store_refuses_records(store, &why);
		err = &why;
	}
	if (status == 0 && store_look(store, space_replays(), &found) == STORE_FOUND) {
		status = space_reader_init(&reader, found.record.value, REPLAYS_FORMAT,
		                           "count of replays", &why);
		count = status == 0 ? space_get_u64(&reader) : 0;
		err = &why;
	}
	if (status != 0) {
		replay_fail(replay, err);
		return;
	}
	replay->number = (uint32_t)((count % (UINT32_MAX / NUMBERS - 1) + 1) * NUMBERS);
	if (!replay->dry) {
		struct buf value = {0};
		space_put_u8(&value, REPLAYS_FORMAT);
		space_put_u64(&value, count + 1);
		const struct record record = {.value = buf_view(&value)};
		store_put(store, space_replays(), &record);
		buf_free(&value);
	}
	read_on(replay);
}

/* ---- the question ---- */

static int read_when(struct replay *replay, struct span data, struct err *err)
{
	struct span source = work_text(data, "when", &replay->texts);
	struct fault fault = {0};
	if (source.ptr == NULL || condition_new(replay->work->core->conditions, source, FIRE_CHANGE,
	                                        &replay->when, &fault) == 0) {
		return 0;
	}
	return condition_refuse(&fault, "when", source, NULL, err);
}

static int read_range(struct replay *replay, struct span data, struct err *err)
{
	struct adapter_head head;
	store_head(replay->work->core->store, &head);
	memcpy(replay->log, head.log, sizeof replay->log);
	uint64_t durable = store_durable_seq(replay->work->core->store);
	uint64_t from = work_uint(data, "from", head.first_seq);
	uint64_t to = work_uint(data, "to", durable);
	replay->since = work_text(data, "since", &replay->texts);
	replay->until = work_text(data, "until", &replay->texts);
	if ((replay->since.ptr != NULL && !time_bound_is_good(replay->since)) ||
	    (replay->until.ptr != NULL && !time_bound_is_good(replay->until))) {
		return err_set(err, E_INVALID, "invalid_data",
		               "since and until are times such as 2026-11-26T20:13:05.120Z, or "
		               "the beginning of one (2026-11-26)");
	}
	if (from < head.first_seq) {
		return err_set(err, E_INVALID, "invalid_data",
		               "the journal begins with event %llu; earlier ones are gone",
		               (unsigned long long)head.first_seq);
	}
	replay->next = from;
	replay->end = (to < durable ? to : durable) + 1;
	return 0;
}

static int read_question(struct replay *replay, struct span data, struct err *err)
{
	const struct core *core = replay->work->core;
	(void)buf_reserve(&replay->texts, data.len * 5); /* the texts must not move */
	replay->trigger = work_text(data, "trigger", &replay->texts);
	replay->dry = work_bool(data, "dry_run");
	replay->limit = work_uint(data, "limit", MOST);
	if (replay->trigger.ptr == NULL && !work_bool(data, "all")) {
		return err_set(err, E_INVALID, "invalid_data",
		               "say to which trigger, or all: true for every one that wants them");
	}
	const struct binding *binding = catalog_find(core->catalog, replay->trigger);
	if (replay->trigger.ptr != NULL && binding == NULL) {
		return err_set(err, E_NOT_FOUND, "trigger_not_found",
		               "there is no trigger \"%.*s\"; `pawl triggers` lists them",
		               SPAN_ARG(replay->trigger));
	}
	if (binding != NULL && binding->filter->http != NULL) {
		return err_set(err, E_INVALID, "invalid_data",
		               "the trigger \"%.*s\" wakes on HTTP requests, not on events",
		               SPAN_ARG(replay->trigger));
	}
	if (replay->limit == 0 || replay->limit > MOST) {
		return err_set(err, E_INVALID, "invalid_data", "'limit' must be 1 to %d", MOST);
	}
	int status = work_rate(data, &replay->rate, err);
	if (status == 0) {
		status = read_range(replay, data, err);
	}
	return status != 0 ? status : read_when(replay, data, err);
}

static void replay_events(struct work *work, struct span data)
{
	struct replay *replay = MEM_NEW(struct replay);
	struct err err;
	replay->work = work;
	replay->begin_ms = clock_wall_ms();
	matching_init(&replay->matching, work->core->conditions, span_of(replay->log));
	if (read_question(replay, data, &err) != 0) {
		replay_fail(replay, &err);
		return;
	}
	const struct record_key key = space_replays();
	replay->fetch.done = number_came;
	store_fetch_start(work->core->store, &replay->fetch, &key, 1);
}

const struct builtin_row builtin_replay_rows[] = {
        {"engine::replay", replay_events,
         "Delivers past events again, to one trigger or to all that want them."},
        {NULL, NULL, NULL},
};
