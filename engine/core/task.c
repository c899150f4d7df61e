/* This file queues, fetches and answers for state operations, and keeps their memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/task.h"

#include "base/mem.h"
#include "engine/core/idem.h"

enum {
	POOL_MAX = 1024,      /* idle tasks kept */
	POOL_BUF_MAX = 16384, /* bytes that each buffer of an idle task may keep */
};

/* ---- the end ---- */

static void free_task(struct task *task)
{
	buf_free(&task->scratch);
	buf_free(&task->answer);
	buf_free(&task->value);
	buf_free(&task->errors);
	mem_free(task);
}

static void recycle(struct task *task)
{
	struct tasks *tasks = task->tasks;
	if (tasks->idle_count == POOL_MAX) {
		free_task(task);
		return;
	}
	struct buf *const bufs[] = {&task->scratch, &task->answer, &task->value, &task->errors};
	for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) {
		buf_clear(bufs[i]);
		buf_shrink(bufs[i], POOL_BUF_MAX);
	}
	/* The one used last is the first to be used again: its memory is still near. */
	list_push_front(&tasks->idle, &task->link);
	tasks->idle_count++;
}

static void end(struct task *task, int status, struct span result, const struct err *err)
{
	task->tasks->end(task, status, result, err);
	if (task->more != NULL) {
		task->free_more(task->more);
		task->more = NULL;
	}
	mem_free(task->name);
	mem_free(task->all_keys);
	task->name = NULL;
	task->all_keys = NULL;
	recycle(task);
}

static void became_durable(struct store_waiter *waiter, int status, const struct err *err)
{
	struct task *task = MEM_CONTAINER(waiter, struct task, waiter);
	if (status != 0) {
		end(task, status, SPAN_NONE, err);
	} else {
		end(task, task->status, task->result, &task->err);
	}
}

/* Those whose answer was durable already. A failure of the turn's group is none of theirs. */
static void turn_ended(struct store_waiter *waiter, int status, const struct err *err)
{
	(void)status;
	(void)err;
	struct tasks *tasks = MEM_CONTAINER(waiter, struct tasks, turn);
	struct list ready;
	list_init(&ready);
	list_move(&tasks->ready, &ready);
	for (struct task *task; (task = LIST_FIRST(&ready, struct task, link)) != NULL;) {
		list_remove(&task->link);
		end(task, task->status, task->result, &task->err);
	}
}

static void answer(struct task *task, uint64_t group)
{
	struct tasks *tasks = task->tasks;
	if (!store_wait(tasks->store, group, &task->waiter)) {
		return;
	}
	bool is_first = list_is_empty(&tasks->ready);
	list_push(&tasks->ready, &task->link);
	if (is_first) {
		store_commit(tasks->store, &tasks->turn);
	}
}

void task_answer(struct task *task, struct span result, uint64_t group)
{
	if (task->name != NULL) {
		task_commit(task, result); /* its group comes behind the one that was looked at */
		return;
	}
	task->status = 0;
	task->result = result;
	answer(task, group);
}

void task_fail(struct task *task, uint64_t group)
{
	PRE(task->err.number != 0);
	task->status = task->err.number;
	task->result = SPAN_NONE;
	answer(task, group);
}

void task_commit(struct task *task, struct span result)
{
	task->status = 0;
	task->result = result;
	if (task->name != NULL) {
		idem_put(task->tasks->idem, task->name, result);
	}
	store_commit(task->tasks->store, &task->waiter);
}

/* ---- getting the keys ---- */

static bool is_known(struct task *task)
{
	struct store *store = task->tasks->store;
	struct store_look look;
	if (task->key_count != 0) {
		task->presence = store_look(store, task->keys[0], &task->look);
	}
	if (task->key_count != 0 && task->presence == STORE_UNKNOWN) {
		return false;
	}
	for (size_t i = 1; i < task->key_count; i++) {
		if (store_look(store, task->keys[i], &look) == STORE_UNKNOWN) {
			return false;
		}
	}
	return true;
}

static bool is_behind_others(const struct task *task)
{
	if (lanes_are_empty(&task->tasks->lanes)) {
		return false;
	}
	for (size_t i = 0; i < task->key_count; i++) {
		if (lanes_are_busy(&task->tasks->lanes, task->keys[i])) {
			return true;
		}
	}
	return false;
}

static void leave_lanes(struct task *task)
{
	for (size_t i = 0; i < task->key_count; i++) {
		lane_leave(&task->tasks->lanes, &task->places[i]);
	}
	if (task->places != &task->place) {
		mem_free(task->places);
	}
	task->places = NULL;
}

/* The answer of then, or why there is none. False: it is to be done. */
static bool is_answered(struct task *task)
{
	struct idem_found found;
	if (task->name == NULL) {
		return false;
	}
	switch (idem_look(task->tasks->idem, task->name, &found)) {
	case IDEM_NEW:
		return false;
	case IDEM_SAME:
		task->replayed = true;
		task->status = 0;
		task->result = SPAN_NONE;
		if (found.answer.ptr != NULL) {
			buf_span(&task->answer, found.answer);
			task->result = buf_view(&task->answer);
		}
		break;
	case IDEM_OTHER:
		task->status = idem_refuse(task->name, &task->err);
		task->result = SPAN_NONE;
		break;
	}
	answer(task, found.group);
	return true;
}

static void run(struct task *task)
{
	if (!is_answered(task)) {
		task->step(task);
	}
}

/* It stands first in all of its lanes. */
static void go_on(struct task *task)
{
	if (is_known(task)) {
		run(task);
		leave_lanes(task);
	} else {
		store_fetch_start(task->tasks->store, &task->fetch, task->keys, task->key_count);
	}
}

static void go_on_all(struct tasks *tasks)
{
	for (struct lane_holder *holder; (holder = lanes_next(&tasks->lanes)) != NULL;) {
		go_on(MEM_CONTAINER(holder, struct task, holder));
	}
}

static void fetched(struct store_fetch *fetch, int status, const struct err *err)
{
	struct task *task = MEM_CONTAINER(fetch, struct task, fetch);
	struct tasks *tasks = task->tasks;
	if (status == 0) {
		go_on(task);
	} else {
		task->err = *err;
		task_fail(task, 0);
		leave_lanes(task);
	}
	go_on_all(tasks);
}

static void add_name(struct task *task)
{
	size_t count = task->key_count;
	task->all_keys = MEM_ARRAY(struct record_key, count + 1);
	memcpy(task->all_keys, task->keys, count * sizeof *task->keys);
	task->all_keys[count] = idem_record(task->name);
	task->keys = task->all_keys;
	task->key_count = count + 1;
}

void task_with_keys(struct task *task, task_step_fn *step)
{
	task->step = step;
	if (task->name != NULL) {
		add_name(task);
	}
	if (!is_behind_others(task) && is_known(task)) {
		run(task);
		return;
	}
	struct tasks *tasks = task->tasks;
	task->places =
	        task->key_count == 1 ? &task->place : MEM_ARRAY(struct lane_place, task->key_count);
	lane_holder_init(&task->holder);
	for (size_t i = 0; i < task->key_count; i++) {
		lane_enter(&tasks->lanes, &task->holder, &task->places[i], task->keys[i]);
	}
	if (task->holder.behind == 0) {
		go_on(task);
	}
}

/* ---- life ---- */

void tasks_init(struct tasks *tasks, struct store *store, task_end_fn *end_fn)
{
	*tasks = (struct tasks){.store = store, .end = end_fn, .turn.done = turn_ended};
	lanes_init(&tasks->lanes);
	list_init(&tasks->idle);
	list_init(&tasks->ready);
	list_init(&tasks->turn.link);
}

void tasks_close(struct tasks *tasks)
{
	PRE(list_is_empty(&tasks->ready));
	for (struct task *task; (task = LIST_FIRST(&tasks->idle, struct task, link)) != NULL;) {
		list_remove(&task->link);
		free_task(task);
	}
	lanes_close(&tasks->lanes);
}

struct task *task_new(struct tasks *tasks, void *owner)
{
	struct task *task = LIST_FIRST(&tasks->idle, struct task, link);
	if (task != NULL) {
		list_remove(&task->link);
		tasks->idle_count--;
	} else {
		task = MEM_NEW(struct task);
		task->tasks = tasks;
		list_init(&task->link);
		list_init(&task->waiter.link);
		list_init(&task->fetch.link);
		task->waiter.done = became_durable;
		task->fetch.done = fetched;
	}
	task->owner = owner;
	task->keys = &task->key;
	task->key_count = 1;
	task->key.space = SPACE_STATE;
	task->err.number = 0;
	task->replayed = false;
	return task;
}

int task_set_idempotency_key(struct task *task, struct span key, struct err *err)
{
	struct idem_name *name = MEM_NEW(struct idem_name);
	int status = idem_name_request(name, key, task->form->name, task->data, err);
	if (status != 0) {
		mem_free(name);
		return status;
	}
	task->name = name;
	return 0;
}

bool task_answer_fits(struct task *task, size_t before, bool may_end)
{
	if (task->answer.len <= task->tasks->reply_bytes) {
		return true;
	}
	task->answer.len = before;
	if (!may_end) {
		(void)err_set(&task->err, E_LIMIT, "result_too_large",
		              "%.*s: the answer is over %llu bytes; ask for a part of it with "
		              "\"limit\", and for the next with the \"cursor\" that comes back",
		              SPAN_ARG(task->form->name),
		              (unsigned long long)task->tasks->reply_bytes);
	}
	return false;
}
