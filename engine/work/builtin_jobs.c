/* This file shows deliveries that are owed, cancels them, and lets them try again at once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/core/attempt.h"
#include "engine/core/catalog.h"
#include "engine/core/delivery_name.h"
#include "engine/core/dispatch.h"
#include "engine/durable/store.h"
#include "engine/work/builtin.h"
#include <string.h>

struct job_list {
	struct work *work;
	struct span trigger;
	uint64_t left;
	uint64_t total, running, parked;
	uint64_t epoch;
	char log[ADAPTER_LOG_LEN + 1];
};

/* A delivery from before the start is as old as its first attempt. */
static int64_t age_ms(const struct delivery *delivery)
{
	int64_t in_hand = clock_mono_ms() - delivery->came_ms;
	int64_t tried = delivery->first_ms != 0 ? clock_wall_ms() - delivery->first_ms : 0;
	return tried > in_hand ? tried : in_hand;
}

/* What the handler said last. */
static void write_because(const struct delivery *delivery, struct buf *out)
{
	struct span attempt;
	struct span last = SPAN_NONE;
	for (struct json_iter iter = json_iter(buf_view(&delivery->history));
	     json_next_item(&iter, &attempt);) {
		last = attempt;
	}
	struct span message;
	if (last.ptr != NULL && json_get(last, SPAN("message"), &message)) {
		json_write_member_raw(out, "because", message);
	}
}

static void write_job(const struct job_list *list, const struct delivery *delivery, struct buf *out)
{
	struct buf id = {0};
	uint64_t epoch = delivery->epoch != 0 ? delivery->epoch : list->epoch;
	delivery_write_id(delivery, span_of(list->log), epoch, &id);
	buf_byte(out, '{');
	json_write_member_string(out, "id", buf_view(&id));
	json_write_member_string(out, "trigger", delivery->binding->id);
	json_write_member_string(out, "function_id", dispatch_function(delivery));
	json_write_member_uint(out, "seq", delivery->seq);
	json_write_member_string(out, "scope", delivery->scope);
	json_write_member_string(out, "key", delivery->key);
	if (delivery->members.count != 0) {
		json_write_member_uint(out, "events", delivery->members.count);
	}
	if (delivery->debounced != 0) {
		json_write_member_uint(out, "debounced", delivery->debounced);
	}
	json_write_member_string(out, "state", span_of(delivery_state_name(delivery)));
	json_write_member_uint(out, "failed_attempts", delivery->failures);
	json_write_member_bool(out, "recorded", delivery->recorded);
	json_write_member_int(out, "age_ms", age_ms(delivery));
	if (delivery->state == DELIVERY_SLEEPING) {
		char due[CLOCK_TEXT_LEN + 1];
		clock_format(delivery->due_ms, due);
		json_write_member_string(out, "due", span_of(due));
	}
	if (delivery->state == DELIVERY_BUSY) {
		json_write_member_string(out, "worker", attempt_worker(delivery));
		json_write_member_int(out, "running_ms", attempt_running_ms(delivery));
	}
	const char *waits_for = dispatch_waits_for(delivery);
	json_write_member_bool(out, "parked", strcmp(waits_for, "worker") == 0);
	json_write_member_string(out, "waits_for", span_of(waits_for));
	if (delivery->history.len != 0) {
		write_because(delivery, out);
		json_write_member_raw(out, "attempts", buf_view(&delivery->history));
	}
	buf_byte(out, '}');
	buf_free(&id);
}

static void add_jobs(void *ctx, struct binding *binding)
{
	struct job_list *list = ctx;
	if (list->trigger.len != 0 && !span_equal(list->trigger, binding->id)) {
		return;
	}
	list->total += binding->held;
	list->running += binding->busy;
	LIST_EACH(&binding->deliveries, link)
	{
		const struct delivery *delivery = MEM_CONTAINER(link, struct delivery, in_binding);
		list->parked += strcmp(dispatch_waits_for(delivery), "worker") == 0;
		if (list->left != 0) {
			list->left--;
			json_write_comma(&list->work->out);
			write_job(list, delivery, &list->work->out);
		}
	}
}

static void list_jobs(struct work *work, struct span data)
{
	struct adapter_head head;
	store_head(work->core->store, &head);
	struct job_list list = {.work = work, .left = work_limit(data), .epoch = head.epoch};
	memcpy(list.log, head.log, sizeof list.log);
	list.trigger = work_text(data, "trigger", &work->data);
	BUF_LITERAL(&work->out, "{\"jobs\":[");
	catalog_each(work->core->catalog, add_jobs, &list);
	buf_byte(&work->out, ']');
	json_write_member_uint(&work->out, "total", list.total);
	json_write_member_uint(&work->out, "running", list.running);
	json_write_member_uint(&work->out, "waiting", list.total - list.running);
	json_write_member_uint(&work->out, "parked", list.parked);
	buf_byte(&work->out, '}');
	work_reply_out(work);
}

/* ---- one job ---- */

struct job_search {
	struct delivery_name name;
	struct delivery *found;
};

static void look_for(void *ctx, struct binding *binding)
{
	struct job_search *search = ctx;
	if (search->found == NULL && span_equal(binding->id, search->name.trigger)) {
		search->found = dispatch_find(binding, search->name.seq, search->name.replay);
	}
}

/* The delivery of this id. NULL: the work has been refused. */
static struct delivery *find_job(struct work *work, struct span id)
{
	struct job_search search = {0};
	if (delivery_parse_id(id, &search.name)) {
		catalog_each(work->core->catalog, look_for, &search);
	}
	if (search.found == NULL) {
		work_refuse(work, "job_not_found",
		            "no delivery \"%.*s\" is owed now; `pawl jobs` lists them",
		            (int)(id.len < 200 ? id.len : 200), id.ptr ? id.ptr : "");
	}
	return search.found;
}

/* The same, for one that is to be changed. */
static struct delivery *need_job(struct work *work, struct span id)
{
	struct delivery *delivery = find_job(work, id);
	struct err err;
	if (delivery != NULL && store_refuses_records(work->core->store, &err) != 0) {
		work_fail(work, &err);
		return NULL;
	}
	return delivery;
}

static void show_job(struct work *work, struct span data)
{
	struct span id = work_text(data, "id", &work->data);
	const struct delivery *delivery = find_job(work, id);
	if (delivery == NULL) {
		return;
	}
	struct adapter_head head;
	store_head(work->core->store, &head);
	struct job_list list = {.work = work, .epoch = head.epoch};
	memcpy(list.log, head.log, sizeof list.log);
	write_job(&list, delivery, &work->out);
	work_reply_out(work);
}

static void answer_with(struct work *work, struct span id, const char *what)
{
	buf_byte(&work->out, '{');
	json_write_member_string(&work->out, "id", id);
	json_write_member_bool(&work->out, what, true);
	buf_byte(&work->out, '}');
}

static void cancel_job(struct work *work, struct span data)
{
	struct span id = work_text(data, "id", &work->data);
	struct delivery *delivery = need_job(work, id);
	if (delivery == NULL) {
		return;
	}
	if (delivery->state == DELIVERY_BURYING) {
		work_refuse(work, "job_is_dying",
		            "delivery \"%.*s\" is just becoming a dead letter; discard that",
		            SPAN_ARG(id));
		return;
	}
	answer_with(work, id, "cancelled");
	dispatch_cancel(work->core->dispatch, delivery);
	store_commit(work->core->store, work_waiter(work));
}

static void retry_job(struct work *work, struct span data)
{
	struct span id = work_text(data, "id", &work->data);
	struct delivery *delivery = need_job(work, id);
	if (delivery == NULL) {
		return;
	}
	if (delivery->state != DELIVERY_SLEEPING) {
		work_refuse(work, "job_not_waiting",
		            "delivery \"%.*s\" does not wait for a retry: it is %s", SPAN_ARG(id),
		            delivery_state_name(delivery));
		return;
	}
	answer_with(work, id, "retried");
	dispatch_retry_now(work->core->dispatch, delivery);
	store_commit(work->core->store, work_waiter(work));
}

const struct builtin_row builtin_job_rows[] = {
        {"engine::jobs::list", list_jobs, "Lists deliveries that are owed."},
        {"engine::jobs::show", show_job, "Shows one delivery that is owed."},
        {"engine::jobs::cancel", cancel_job, "Gives a delivery up, for good and without a trace."},
        {"engine::jobs::retry", retry_job,
         "Tries a delivery again now, not when its wait is over."},
        {NULL, NULL, NULL},
};
