/* This file sets, shows, deletes and fires alarms. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/mem.h"
#include "engine/core/alarm_book.h"
#include "engine/core/alarm_names.h"
#include "engine/core/cause.h"
#include "engine/core/dispatch.h"
#include "engine/durable/space.h"
#include "engine/durable/store.h"
#include "engine/work/alarm_wishes.h"
#include "engine/work/builtin.h"
#include "engine/work/once.h"

struct errand;
/* Its record is in memory, and what it says is in `found`. */
typedef void errand_fn(struct errand *errand);

struct errand {
	struct alarm_visit visit;
	struct work *work;
	errand_fn *act;
	struct alarm_wishes wishes;
	struct buf data; /* what the wishes point into */
	struct alarm_found found;
	struct once *once; /* of one that has an idempotency key; else NULL */
};

static void free_errand(struct errand *errand)
{
	alarm_wishes_free(&errand->wishes);
	alarm_visit_close(&errand->visit);
	alarm_found_close(&errand->found);
	buf_free(&errand->data);
	mem_free(errand);
}

static void record_came(struct alarm_visit *visit, int status, const struct err *err)
{
	struct errand *errand = MEM_CONTAINER(visit, struct errand, visit);
	struct err why;
	if (status == 0) {
		status = alarm_store_look(errand->work->core->store, &visit->address,
		                          &errand->found, &why);
		err = &why;
	}
	if (status != 0) {
		work_fail(errand->work, err);
	} else {
		errand->act(errand);
	}
	free_errand(errand);
}

/* NULL: the work is answered with why. */
static struct errand *open_errand(struct work *work, struct span data, errand_fn *act, bool is_set)
{
	struct errand *errand = MEM_NEW(struct errand);
	struct err err;
	errand->work = work;
	errand->act = act;
	errand->visit.done = record_came;
	buf_span(&errand->data, data);
	int status =
	        is_set ? alarm_wishes_read(buf_view(&errand->data), &errand->wishes, &err)
	               : alarm_wishes_read_address(buf_view(&errand->data), &errand->wishes, &err);
	if (status != 0) {
		work_fail(work, &err);
		free_errand(errand);
		return NULL;
	}
	if (errand->wishes.function_id != NULL && errand->wishes.namespace_ == NULL &&
	    work->call->namespace_.len != 0) {
		errand->wishes.namespace_ =
		        mem_copy(work->call->namespace_.ptr, work->call->namespace_.len);
	}
	const struct alarm_address address = alarm_wishes_address(&errand->wishes);
	alarm_visit_aim(&errand->visit, &address);
	return errand;
}

static void begin(struct work *work, struct span data, errand_fn *act)
{
	struct errand *errand = open_errand(work, data, act, false);
	if (errand != NULL) {
		alarm_visit_start(work->core->store, &errand->visit);
	}
}

/* ---- answering ---- */

static void show(struct errand *errand)
{
	alarm_record_show(&errand->visit.address, &errand->found.record, &errand->work->out);
}

/* May it be changed now? Else the work is answered. */
static bool may_change(struct errand *errand)
{
	struct work *work = errand->work;
	const struct core *core = work->core;
	struct event_cause cause = {0};
	struct binding *by = NULL;
	struct err err;
	int status = store_refuses(core->store, &err);
	if (status == 0 && work->call != NULL && work->call->baggage.ptr != NULL) {
		status = causes_find(dispatch_causes(core->dispatch), work->call->baggage, &cause,
		                     &by, &err);
	}
	if (status != 0) {
		work_fail(work, &err);
	}
	return status == 0;
}

static void put(struct errand *errand)
{
	struct work *work = errand->work;
	alarm_store_put(alarm_book_store(work->core->alarm_book), &errand->visit.address,
	                &errand->found.record);
	show(errand);
	if (errand->once != NULL) {
		once_commit(errand->once);
	} else {
		store_commit(work->core->store, work_waiter(work));
	}
}

/* ---- the functions ---- */

static void set_now(struct errand *errand)
{
	struct err err;
	if (!may_change(errand)) {
		return;
	}
	if (alarm_wishes_apply(&errand->wishes, store_time_ms(errand->work->core->store),
	                       &errand->found.record, &err) != 0) {
		work_fail(errand->work, &err);
	} else {
		put(errand);
	}
}

static void set_once(struct once *once)
{
	if (once_is_answered(once)) {
		return;
	}
	struct errand *errand = open_errand(once->work, once->data, set_now, true);
	if (errand != NULL) {
		errand->once = once;
		record_came(&errand->visit, 0, NULL);
	}
}

static void set(struct work *work, struct span data)
{
	struct errand *errand = open_errand(work, data, set_now, true);
	struct space_key room;
	if (errand == NULL) {
		return;
	}
	if (errand->wishes.idempotency_key.ptr == NULL) {
		alarm_visit_start(work->core->store, &errand->visit);
		return;
	}
	once_run_on(work, data, alarm_record_key(&room, &errand->visit.address), set_once);
	free_errand(errand);
}

static void get_now(struct errand *errand)
{
	if (errand->found.is_there) {
		show(errand);
		work_reply_behind(errand->work, errand->found.group);
	} else {
		work_reply_nothing_behind(errand->work, errand->found.group);
	}
}

static void get(struct work *work, struct span data)
{
	begin(work, data, get_now);
}

static void delete_now(struct errand *errand)
{
	struct work *work = errand->work;
	if (!errand->found.is_there) {
		work_reply_nothing_behind(errand->work, errand->found.group);
	} else if (may_change(errand)) {
		show(errand);
		alarm_store_remove(alarm_book_store(work->core->alarm_book),
		                   &errand->visit.address);
		store_commit(work->core->store, work_waiter(work));
	}
}

static void remove_alarm(struct work *work, struct span data)
{
	begin(work, data, delete_now);
}

static void fire_now(struct errand *errand)
{
	struct alarm_record *record = &errand->found.record;
	if (!errand->found.is_there) {
		work_refuse(errand->work, "alarm_not_found",
		            "there is no such alarm; `pawl alarm list` lists them");
	} else if (may_change(errand)) {
		record->next_ms = store_time_ms(errand->work->core->store);
		put(errand);
	}
}

static void fire(struct work *work, struct span data)
{
	begin(work, data, fire_now);
}

/* What the trigger for alarms wakes that name a function: that is really called. */
static void run(struct work *work, struct span data)
{
	(void)data;
	work_refuse(work, "function_not_invokable",
	            "the engine calls the functions that alarms name itself; set one with "
	            "alarm::set");
}

const struct builtin_row builtin_alarm_rows[] = {
        {"alarm::set", set, "Sets an alarm on an object, once or again and again."},
        {"alarm::get", get, "Shows an alarm."},
        {"alarm::delete", remove_alarm, "Deletes an alarm; a handler that runs may end."},
        {"alarm::fire", fire, "Lets an alarm fire now, whenever it is due."},
        {ALARM_RUN, run, "What the engine's trigger for alarms wakes that name a function."},
        {NULL, NULL, NULL},
};
