/* This file matches durable events and keeps the cursors of what is still owed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/react_inside.h"

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/job_store.h"
#include "engine/core/throttle_store.h"
#include "engine/core/window_store.h"
#include "engine/durable/space.h"

enum {
	SLOW_SWEEP_MS = 5000, /* while all that is owed has a record */
	CHUNK_ENTRIES = 512,
	CHUNK_BYTES = 256 * 1024
};

static void catch_up(struct react *react, struct binding *binding);
static void read_live(struct react *react);

/* Reads on; in the next turn of the loop, if this one has asked enough. */
static void go_on(struct react *react, bool is_long)
{
	if (is_long) {
		alarm_set_real(react->alarms, &react->long_alarm, 0);
	} else {
		read_live(react);
	}
}

/* ---- reading the journal: the live ones after a start ---- */

static void live_entry(void *ctx, uint64_t seq, struct span bytes)
{
	struct live_read *work = ctx;
	struct react *react = work->react;
	if (react != NULL && seq == react->next_seq && work->spent <= MATCHING_TURN) {
		work->spent += react_match(react, seq, bytes);
	}
}

static void live_read_done(struct store_read *read, int status, const struct err *err)
{
	struct live_read *work = MEM_CONTAINER(read, struct live_read, read);
	struct react *react = work->react;
	bool is_long = work->spent > MATCHING_TURN;
	mem_free(work);
	if (react == NULL) {
		return;
	}
	react->reading = NULL;
	if (status == E_NOT_FOUND) {
		struct adapter_head head;
		store_head(react->store, &head);
		log_error("react",
		          "events %llu to %llu are gone from the journal before they were matched",
		          (unsigned long long)react->next_seq,
		          (unsigned long long)head.first_seq - 1);
		react->next_seq = head.first_seq;
	} else if (status != 0) {
		log_error("react", "the journal cannot be read, matching waits: %s", err->text);
		react_want_sweep(react); /* which tries again */
		return;
	}
	go_on(react, is_long);
}

static void read_live(struct react *react)
{
	if (react->reading != NULL || react->next_seq > store_durable_seq(react->store)) {
		return;
	}
	struct live_read *work = MEM_NEW(struct live_read);
	work->react = react;
	react->reading = work;
	work->read = (struct store_read){
	        .from = react->next_seq,
	        .count = CHUNK_ENTRIES,
	        .max_bytes = CHUNK_BYTES,
	        .entry = live_entry,
	        .ctx = work,
	        .done = live_read_done,
	};
	store_read_start(react->store, &work->read);
}

/* ---- reading the journal: a lagging binding ---- */

static void lagging_entry(void *ctx, uint64_t seq, struct span bytes)
{
	struct catch_up *work = ctx;
	struct binding *binding = work->binding;
	if (binding == NULL || seq != binding->next_seq || work->spent > MATCHING_TURN ||
	    pause_holds(&binding->pause) || !react_collects(binding) ||
	    !dispatch_has_room(work->react->dispatch, binding)) {
		return;
	}
	work->spent += react_match_one(work->react, binding, seq, bytes);
}

static void chunk_done(struct store_read *read, int status, const struct err *err)
{
	struct catch_up *work = MEM_CONTAINER(read, struct catch_up, read);
	struct react *react = work->react;
	struct binding *binding = work->binding;
	bool is_long = work->spent > MATCHING_TURN;
	mem_free(work);
	if (binding == NULL) {
		return;
	}
	binding->catch_up = NULL;
	binding->reading = false;
	if (status == E_NOT_FOUND) {
		struct adapter_head head;
		store_head(react->store, &head);
		log_error("react", "trigger %.*s missed events up to %llu: gone from the journal",
		          SPAN_ARG(binding->id), (unsigned long long)head.first_seq - 1);
		binding->next_seq = head.first_seq;
	} else if (status != 0) {
		log_warn("react", "trigger %.*s waits, the journal cannot be read: %s",
		         SPAN_ARG(binding->id), err->text);
		react_want_sweep(react); /* which tries again */
		return;
	}
	react_want_cursors(react);
	if (binding->until_seq != 0 && binding->next_seq >= binding->until_seq) {
		react_want_sweep(react); /* its next version may go on */
	}
	if (is_long) {
		go_on(react, true);
	} else {
		catch_up(react, binding);
	}
}

static void catch_up(struct react *react, struct binding *binding)
{
	uint64_t last = store_durable_seq(react->store);
	if (!binding->lagging || !react->started) {
		return;
	}
	if (binding->until_seq != 0 && binding->next_seq >= binding->until_seq) {
		return;
	}
	if (binding->reading || binding->next_seq > last || !react_may_read(react, binding)) {
		return;
	}
	struct catch_up *work = MEM_NEW(struct catch_up);
	work->react = react;
	work->binding = binding;
	work->read = (struct store_read){
	        .from = binding->next_seq,
	        .count = CHUNK_ENTRIES,
	        .max_bytes = CHUNK_BYTES,
	        .entry = lagging_entry,
	        .ctx = work,
	        .done = chunk_done,
	};
	binding->reading = true;
	binding->catch_up = &work->binding;
	store_read_start(react->store, &work->read);
}

static void catch_up_all(struct react *react)
{
	LIST_EACH(&react->behind, link)
	{
		catch_up(react, MEM_CONTAINER(link, struct binding, behind_link));
	}
}

static void turn_is_over(struct alarm *alarm)
{
	struct react *react = MEM_CONTAINER(alarm, struct react, long_alarm);
	if (react->started) {
		read_live(react);
		catch_up_all(react);
	}
}

/* A version has seen all its events: what it has collected goes before what the next one collects.
 */
static void close_ended(struct react *react)
{
	LIST_EACH(&react->behind, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, behind_link);
		uint64_t next = binding->lagging ? binding->next_seq : react->next_seq;
		if (binding->windows != NULL && binding->until_seq != 0 &&
		    next >= binding->until_seq) {
			shape_close_all(react->shape, binding);
		}
	}
}

static void follow(void *ctx, const struct batch *batch)
{
	struct react *react = ctx;
	if (!react->started) {
		return;
	}
	if (batch->entries[0].seq > react->next_seq) {
		read_live(react); /* behind: after a start, or after an error */
	}
	int64_t spent = 0;
	for (size_t i = 0; i < batch->entry_count && react->reading == NULL; i++) {
		const struct batch_entry *entry = &batch->entries[i];
		if (entry->seq == react->next_seq && spent <= MATCHING_TURN) {
			spent += react_match(react, entry->seq, batch_entry_bytes(batch, entry));
		}
	}
	if (spent > MATCHING_TURN) {
		go_on(react, true); /* with what is left, as after a start */
	}
	react->came(react->came_ctx);
	react_want_cursors(react);
	close_ended(react);
	catch_up_all(react);
}

static void adopted(void *ctx, struct binding *binding)
{
	react_activate(ctx, binding);
}

static uint64_t cursor_of(void *ctx, const struct binding *binding)
{
	return react_cursor(ctx, binding);
}

static void cursor_moved(void *ctx, struct binding *binding)
{
	(void)binding;
	react_want_cursors(ctx);
}

static void has_room(void *ctx, struct binding *binding)
{
	catch_up(ctx, binding);
}

static void owes(void *ctx, struct binding *binding)
{
	react_activate(ctx, binding);
}

static void must_lag(void *ctx, struct binding *binding)
{
	struct react *react = ctx;
	react_begin_to_lag(react, binding, react->next_seq);
}

/* ---- looking after what waits ---- */

static void sweep_is_due(struct alarm *alarm)
{
	struct react *react = MEM_CONTAINER(alarm, struct react, sweep_alarm);
	bool soon = false;
	bool later = false;
	LIST_EACH(&react->active, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, active_link);
		soon |= dispatch_sweep(react->dispatch, binding);
		feedback_look(react->feedback, binding);
		later |= !react_is_at_rest(binding);
	}
	react_look_at_parked(react);
	if (react->started) {
		close_ended(react);
		read_live(react);
		catch_up_all(react);
	}
	react->sweeps_slowly = false;
	if (soon) {
		react_want_sweep(react);
	} else if (later && !alarm_is_set(&react->sweep_alarm)) {
		react->sweeps_slowly = true;
		alarm_set_real(react->alarms, &react->sweep_alarm, SLOW_SWEEP_MS);
	}
}

struct feedback *react_feedback(struct react *react)
{
	return react->feedback;
}

bool react_holds_dead_letters(const struct react *react)
{
	return dead_is_full(react->dead);
}

/* ---- life ---- */

/* What was put into the groups that were lost is put again, before anything else is. */
static void put_again(void *ctx)
{
	struct react *react = ctx;
	if (react->recovered != NULL) {
		react->recovered(react->recovered_ctx);
	}
	if (!react->started) {
		return;
	}
	dispatch_put_again(react->dispatch);
	LIST_EACH(&react->active, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, active_link);
		window_store_put_all(react->store, binding);
		throttle_store_put_all(react->store, binding);
		job_store_put_all(react->store, binding);
		binding->cursor_put = REACT_NO_CURSOR;
	}
	react_put_cursor(react, NULL, react_live_cursor(react));
	react->cursor_put = react_live_cursor(react);
	(void)react_put_cursors(react);
	store_commit(react->store, NULL);
	react_want_cursors(react);
}

struct react *react_new(struct store *store, struct dispatch *dispatch, struct dead *dead,
                        struct alarms *alarms, const struct react_options *options)
{
	struct react *react = MEM_NEW(struct react);
	react->store = store;
	react->dispatch = dispatch;
	react->dead = dead;
	react->alarms = alarms;
	react->options = *options;
	react->shape = shape_new(store, dispatch, alarms);
	react->index = index_new(options->conditions, options->scans_all);
	struct adapter_head head;
	store_head(store, &head);
	memcpy(react->log, head.log, sizeof react->log);
	matching_init(&react->matching, options->conditions, span_of(react->log));
	react->feedback =
	        feedback_new(options->conditions, span_of(react->log), options->loop_rate);
	list_init(&react->active);
	list_init(&react->behind);
	react->cursor_alarm.fn = react_cursor_is_due;
	react->sweep_alarm.fn = sweep_is_due;
	react->long_alarm.fn = turn_is_over;
	react->park_alarm.fn = react_park_is_over;
	const struct dispatch_hooks hooks = {
	        .adopted = adopted,
	        .owes = owes,
	        .has_room = has_room,
	        .must_lag = must_lag,
	        .cursor_moved = cursor_moved,
	        .cursor_of = cursor_of,
	        .ctx = react,
	};
	dispatch_set_hooks(dispatch, &hooks);
	store_follow(store, follow, react);
	store_on_recovery(store, put_again, react);
	return react;
}

void react_configure(struct react *react, const struct react_options *options)
{
	PRE(options->conditions == react->options.conditions);
	bool scans_all = react->options.scans_all;
	react->options = *options;
	react->options.scans_all = scans_all;
	feedback_configure(react->feedback, options->loop_rate);
}

void react_free(struct react *react)
{
	if (react != NULL) {
		alarm_clear(react->alarms, &react->cursor_alarm);
		alarm_clear(react->alarms, &react->sweep_alarm);
		alarm_clear(react->alarms, &react->long_alarm);
		alarm_clear(react->alarms, &react->park_alarm);
		store_follow(react->store, NULL, NULL);
		store_on_recovery(react->store, NULL, NULL);
		if (react->reading != NULL) {
			react->reading->react = NULL;
		}
		shape_free(react->shape);
		index_free(react->index);
		feedback_free(react->feedback);
		matching_close(&react->matching);
		mem_free(react);
	}
}

void react_add(struct react *react, struct binding *binding, uint64_t own_cursor_seq)
{
	list_init(&binding->active_link);
	list_init(&binding->behind_link);
	binding->entry.filter = binding->filter;
	if (binding->filter->http == NULL) {
		index_add(react->index, &binding->entry);
	}
	if (own_cursor_seq != REACT_NO_CURSOR) {
		react_begin_to_lag(react, binding, own_cursor_seq + 1);
		binding->cursor_put = own_cursor_seq;
	} else if (binding->until_seq != 0) {
		react_activate(react, binding);
	}
}

void react_begin_at(struct react *react, struct binding *binding, uint64_t seq)
{
	react_begin_to_lag(react, binding, seq);
	catch_up(react, binding);
}

void react_remove(struct react *react, struct binding *binding, bool keep_records)
{
	if (binding->filter->http == NULL) {
		index_remove(react->index, &binding->entry);
	}
	feedback_forget(binding);
	list_remove(&binding->active_link);
	list_remove(&binding->behind_link);
	if (binding->catch_up != NULL) {
		*binding->catch_up = NULL;
	}
	if (binding->lagging && !keep_records) {
		react_delete_cursor(react, binding);
		react_tell_alarm_gone(react, binding);
	}
}

void react_drop_cursor(struct react *react, const struct binding *binding)
{
	if (!binding->lagging) {
		react_delete_cursor(react, binding);
	}
}

void react_touch(struct react *react, struct binding *binding)
{
	react_activate(react, binding);
}

void react_go_on(struct react *react, struct binding *binding)
{
	react_activate(react, binding);
	catch_up(react, binding);
}

int react_adopt_window(struct react *react, struct binding *binding, uint64_t first_seq,
                       struct span value, struct err *err)
{
	react_activate(react, binding);
	return shape_adopt(react->shape, binding, first_seq, value, err);
}

void react_start(struct react *react, uint64_t cursor)
{
	react->started = true;
	react->next_seq = cursor + 1;
	react->cursor_put = cursor;
	read_live(react);
	catch_up_all(react);
	react_want_cursors(react);
}

void react_stop(struct react *react)
{
	if (react->started && store_can_put(react->store)) {
		LIST_EACH(&react->active, link)
		{
			dispatch_sweep_all(react->dispatch,
			                   MEM_CONTAINER(link, struct binding, active_link));
		}
		(void)react_put_cursors(react);
	}
	alarm_clear(react->alarms, &react->cursor_alarm);
	alarm_clear(react->alarms, &react->sweep_alarm);
	alarm_clear(react->alarms, &react->long_alarm);
	alarm_clear(react->alarms, &react->park_alarm);
	react->started = false;
}
