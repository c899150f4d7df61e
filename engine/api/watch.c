/* This file streams changes to those who watch: GET /v1/watch, as server-sent events. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/watch.h"

#include "base/mem.h"
#include "engine/api/permission.h"
#include "engine/api/problem.h"
#include "engine/api/watch_inside.h"
#include "engine/core/core.h"
#include "triggers/event_id.h"
#include "wire/sse.h"

/* ---- the life of a watcher ---- */

static void set_beat(struct watch *watch)
{
	/* Who has spoken since the last one is passed over: so it comes twice as often. */
	alarm_set_real(watch->alarms, &watch->beat, watch->options.heartbeat_ms / 2);
}

static void token_ended(struct token_hold *hold);

static struct watcher *watcher_new(struct watch *watch, struct interest *interest,
                                   struct exchange *exchange)
{
	struct watcher *watcher = MEM_NEW(struct watcher);
	watcher->watch = watch;
	watcher->interest = interest;
	watcher->exchange = exchange;
	watcher->hold.ended = token_ended;
	if (watch->tokens != NULL) {
		token_hold(watch->tokens, exchange_token(exchange), &watcher->hold);
	}
	list_init(&watcher->live);
	if (watch->counts->watchers++ == 0) {
		struct adapter_head head;
		store_head(watch->store, &head);
		watch->epoch = head.epoch;
		watch->next_seq = store_durable_seq(watch->store) + 1;
		set_beat(watch);
	}
	watch->counts->interests = watch->interests.count;
	list_push(&watch->watchers, &watcher->link);
	return watcher;
}

static void watcher_free(struct watcher *watcher)
{
	struct watch *watch = watcher->watch;
	list_remove(&watcher->link);
	list_remove(&watcher->live);
	token_drop(&watcher->hold);
	if (watcher->work != NULL) {
		watcher->work->watcher = NULL;
	}
	watch_scan_free(watcher->scan);
	interest_drop(&watch->interests, watcher->interest);
	watch->counts->interests = watch->interests.count;
	if (--watch->counts->watchers == 0) {
		alarm_clear(watch->alarms, &watch->beat);
	}
	mem_free(watcher);
}

void watcher_end(struct watcher *watcher)
{
	struct exchange *exchange = watcher->exchange;
	watcher_free(watcher);
	stream_end(exchange);
}

static void on_over(void *ctx)
{
	watcher_free(ctx);
}

static void on_relief(void *ctx)
{
	watcher_scan_on(ctx);
	watcher_read_on(ctx);
}

static void refuse(struct watcher *watcher, struct span code, struct span detail)
{
	struct exchange *exchange = watcher->exchange;
	watcher_free(watcher);
	exchange_problem(exchange, problem_status(code, 400), code, detail, SPAN_NONE);
}

/* The token by which it came has ended, or one is needed now. */
static void token_ended(struct token_hold *hold)
{
	struct watcher *watcher = MEM_CONTAINER(hold, struct watcher, hold);
	if (watcher->phase == WATCHER_CHECKS) {
		refuse(watcher, SPAN("unauthorized"), SPAN("the token has ended"));
	} else {
		watcher_end(watcher);
	}
}

/* ---- the beginning of a stream ---- */

enum { AHEAD_BYTES = 256 * 1024 }; /* that wait for a peer while it gets old events or records */

static void start(struct watcher *watcher, bool with_snapshot)
{
	static const struct exchange_keeper keeper = {.over = on_over, .relief = on_relief};
	const struct exchange_reply head = {
	        .status = 200,
	        .content_type = SPAN(SSE_TYPE),
	        .extra = SPAN("Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n"),
	};
	if (!stream_begin(watcher->exchange, &head, &keeper, watcher)) {
		watcher_free(watcher);
		return;
	}
	stream_set_most(watcher->exchange, AHEAD_BYTES);
	watcher_say_hello(watcher);
	if (with_snapshot) {
		watcher_scan_begin(watcher);
		return;
	}
	watcher->phase = WATCHER_READS;
	watcher_say_position(watcher, "ready", 0);
	watcher_read_on(watcher);
}

/* The position is of no use: a snapshot, if that was asked for. */
static void position_is_gone(struct watcher *watcher, const struct err *err)
{
	if (watcher->wants_snapshot) {
		start(watcher, true);
	} else {
		refuse(watcher, span_of(err->code), span_of(err->text));
	}
}

#define AND_NOW "; ask with snapshot=true for what is there now and what comes after it"

/* What can be said without reading the event. *out_is_sure: nothing needs to be read. */
static int judge(const struct watch *watch, const struct watch_position *position,
                 bool *out_is_sure, struct err *err)
{
	struct adapter_head head;
	store_head(watch->store, &head);
	uint64_t last = store_durable_seq(watch->store);
	unsigned long long seq = position->seq;
	bool has_epoch = position->log.ptr != NULL;
	if (has_epoch && !span_is(position->log, head.log)) {
		return err_set(err, E_NOT_FOUND, "compacted",
		               "this position is of another journal than the one of this engine "
		               "(%s)" AND_NOW,
		               head.log);
	}
	if (position->seq > last || (has_epoch && position->epoch > head.epoch)) {
		return err_set(err, E_NOT_FOUND, "compacted",
		               "there is no event %llu of this position, the last one is %llu: "
		               "the data is an older copy than the position" AND_NOW,
		               seq, (unsigned long long)last);
	}
	if (position->seq + 1 < head.first_seq) {
		return err_set(err, E_NOT_FOUND, "compacted",
		               "the events behind %llu are gone up to %llu" AND_NOW, seq,
		               (unsigned long long)head.first_seq - 1);
	}
	if (has_epoch && position->seq >= head.epoch_seq && position->epoch != head.epoch) {
		return err_set(err, E_NOT_FOUND, "compacted",
		               "event %llu of this position was lost in a crash, another one has "
		               "its number" AND_NOW,
		               seq);
	}
	*out_is_sure = !has_epoch || position->epoch == head.epoch || position->seq == 0;
	return 0;
}

/* ---- a position of an earlier epoch: the event there tells whether it is the same ---- */

struct watch_check {
	struct watch_work work;
	struct store_read read;
	uint64_t epoch; /* of the position */
	uint64_t found; /* epoch of the event there */
	bool is_found;
};

static void checked_entry(void *ctx, uint64_t seq, struct span bytes)
{
	struct watch_check *check = ctx;
	struct event event;
	if (event_decode(seq, bytes, &event, NULL) == 0) {
		check->is_found = true;
		check->found = event.epoch;
	}
}

static void check_done(struct store_read *read, int status, const struct err *err)
{
	struct watch_check *check = MEM_CONTAINER(read, struct watch_check, read);
	struct watcher *watcher = check->work.watcher;
	bool is_good = status == 0 && check->is_found && check->found <= check->epoch;
	unsigned long long seq = read->from;
	mem_free(check);
	if (watcher == NULL) {
		return;
	}
	watcher->work = NULL;
	if (is_good) {
		start(watcher, false);
		return;
	}
	struct err why;
	if (status != 0 && status != E_NOT_FOUND) {
		refuse(watcher, span_of(err->code), span_of(err->text));
		return;
	}
	(void)err_set(&why, E_NOT_FOUND, "compacted",
	              status != 0 ? "event %llu of this position is gone" AND_NOW
	                          : "event %llu of this position was lost in a crash, another one "
	                            "has its number" AND_NOW,
	              seq);
	position_is_gone(watcher, &why);
}

static void check_position(struct watcher *watcher, const struct watch_position *position)
{
	struct watch_check *check = MEM_NEW(struct watch_check);
	check->work.watcher = watcher;
	check->epoch = position->epoch;
	check->read = (struct store_read){
	        .from = position->seq,
	        .count = 1,
	        .entry = checked_entry,
	        .ctx = check,
	        .done = check_done,
	};
	watcher->work = &check->work;
	store_read_start(watcher->watch->store, &check->read);
}

static void resume(struct watcher *watcher, const struct watch_position *position)
{
	bool is_sure = false;
	struct err err;
	struct adapter_head head;
	if (judge(watcher->watch, position, &is_sure, &err) != 0) {
		position_is_gone(watcher, &err);
		return;
	}
	store_head(watcher->watch->store, &head);
	watcher->next_seq = position->seq + 1;
	watcher->epoch = position->log.ptr != NULL ? position->epoch : head.epoch;
	if (is_sure) {
		start(watcher, false);
	} else {
		check_position(watcher, position);
	}
}

static int check_rights(const struct exchange *exchange, const struct watch_query *query,
                        struct err *err)
{
	const struct token *token = exchange_token(exchange);
	struct span scope = query->scope.len != 0 ? buf_view(&query->scope) : SPAN_NONE;
	return permission_check_sight(token != NULL ? &token->rights : NULL, scope, err);
}

void watch_open(void *ctx, struct exchange *exchange, const struct http_request *http)
{
	struct watch *watch = ctx;
	struct watch_query query = {.events = 0};
	struct interest *interest;
	struct err err;
	int status = watch_query_read(http, &query, &err);
	if (status == 0) {
		status = check_rights(exchange, &query, &err);
	}
	if (status == 0) {
		status = interest_take(&watch->interests, &query, &interest, &err);
	}
	if (status != 0) {
		exchange_problem(exchange, problem_status(span_of(err.code), 400),
		                 span_of(err.code), span_of(err.text), SPAN_NONE);
		goto done;
	}
	struct watcher *watcher = watcher_new(watch, interest, exchange);
	watcher->wants_snapshot = query.wants_snapshot;
	watcher->next_seq = watch->next_seq;
	watcher->epoch = watch->epoch;
	if (query.has_position) {
		resume(watcher, &query.position);
	} else {
		start(watcher, query.wants_snapshot);
	}
done:
	watch_query_close(&query);
}

/* ---- the whole ---- */

static void beat_is_due(struct alarm *alarm)
{
	struct watch *watch = MEM_CONTAINER(alarm, struct watch, beat);
	LIST_EACH(&watch->watchers, link)
	{
		struct watcher *watcher = MEM_CONTAINER(link, struct watcher, link);
		if (watcher->phase != WATCHER_CHECKS && !watcher->has_spoken) {
			watcher_say_beat(watcher);
		}
		watcher->has_spoken = false;
	}
	set_beat(watch);
}

struct watch *watch_new(struct core *core, const struct watch_options *options)
{
	struct watch *watch = MEM_NEW(struct watch);
	struct adapter_head head;
	store_head(core->store, &head);
	watch->store = core->store;
	watch->alarms = core->alarms;
	watch->tokens = core->tokens;
	watch->counts = &core->watching;
	watch->options = *options;
	memcpy(watch->log, head.log, sizeof watch->log);
	interests_init(&watch->interests);
	matching_init(&watch->matching, watch->interests.env, span_of(watch->log));
	list_init(&watch->watchers);
	watch->beat.fn = beat_is_due;
	watch->turn.fn = watch_turn_is_due;
	store_watch(core->store, watch_follow, watch);
	return watch;
}

void watch_configure(struct watch *watch, const struct watch_options *options)
{
	watch->options = *options;
	if (watch->counts->watchers != 0) {
		set_beat(watch);
	}
}

void watch_free(struct watch *watch)
{
	if (watch == NULL) {
		return;
	}
	store_watch(watch->store, NULL, NULL);
	LIST_EACH(&watch->watchers, link)
	{
		refuse(MEM_CONTAINER(link, struct watcher, link), SPAN("shutting_down"),
		       SPAN("the engine is stopping"));
	}
	alarm_clear(watch->alarms, &watch->beat);
	alarm_clear(watch->alarms, &watch->turn);
	matching_close(&watch->matching);
	interests_close(&watch->interests);
	stream_piece_close(&watch->piece);
	stream_piece_close(&watch->shared);
	buf_free(&watch->id);
	mem_free(watch);
}
