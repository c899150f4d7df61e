/* This file runs the store's writer, reader and view threads. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/store_threads.h"

#include "base/err.h"
#include <pthread.h>
#include <string.h>

static void bring_back(struct store_threads *threads, struct store_job *job)
{
	uv_mutex_lock(&threads->lock);
	list_push(&threads->back, &job->link);
	uv_mutex_unlock(&threads->lock);
}

static const char *const names[STORE_THREAD_COUNT] = {
        [STORE_WRITER] = "pawl-writer",
        [STORE_READER] = "pawl-reader",
        [STORE_VIEW] = "pawl-view",
};

static void run(void *arg)
{
	struct store_thread *thread = arg;
	/* For `top -H` and profiles; of no consequence if it fails. */
	(void)pthread_setname_np(pthread_self(), names[thread - thread->all->threads]);
	uv_mutex_lock(&thread->lock);
	for (;;) {
		while (thread->job == NULL && !thread->stops) {
			uv_cond_wait(&thread->wakes, &thread->lock);
		}
		struct store_job *job = thread->job;
		if (job == NULL) {
			break;
		}
		thread->job = NULL;
		uv_mutex_unlock(&thread->lock);
		job->work(job);
		bring_back(thread->all, job);
		(void)uv_async_send(&thread->all->comes_back); /* cannot fail */
		uv_mutex_lock(&thread->lock);
	}
	uv_mutex_unlock(&thread->lock);
}

static int start(struct store_thread *thread)
{
	int status = uv_mutex_init(&thread->lock);
	if (status != 0) {
		return status;
	}
	status = uv_cond_init(&thread->wakes);
	if (status != 0) {
		uv_mutex_destroy(&thread->lock);
		return status;
	}
	/* What the adapters do fits in far less than the default of 8 MiB. */
	const uv_thread_options_t options = {.flags = UV_THREAD_HAS_STACK_SIZE,
	                                     .stack_size = 512 * 1024};
	status = uv_thread_create_ex(&thread->id, &options, run, thread);
	if (status != 0) {
		uv_cond_destroy(&thread->wakes);
		uv_mutex_destroy(&thread->lock);
	}
	return status;
}

static void stop(struct store_thread *thread)
{
	PRE(!thread->is_busy);
	uv_mutex_lock(&thread->lock);
	thread->stops = true;
	uv_cond_signal(&thread->wakes);
	uv_mutex_unlock(&thread->lock);
	int failed = uv_thread_join(&thread->id);
	PRE(failed == 0);
	uv_cond_destroy(&thread->wakes);
	uv_mutex_destroy(&thread->lock);
}

static void stop_first(struct store_threads *threads, int count)
{
	while (count > 0) {
		stop(&threads->threads[--count]);
	}
}

int store_threads_open(struct store_threads *threads, uv_loop_t *loop, uv_async_cb wake,
                       bool starts)
{
	memset(threads, 0, sizeof *threads);
	list_init(&threads->back);
	int status = uv_mutex_init(&threads->lock);
	if (status != 0) {
		return status;
	}
	int started = 0;
	while (starts && started < STORE_THREAD_COUNT) {
		threads->threads[started].all = threads;
		status = start(&threads->threads[started]);
		if (status != 0) {
			goto fail;
		}
		started++;
	}
	threads->are_started = starts;
	/* Last, because it cannot be undone at once. Nobody has work yet that could come back. */
	status = uv_async_init(loop, &threads->comes_back, wake);
	if (status == 0) {
		return 0;
	}
fail:
	stop_first(threads, started);
	uv_mutex_destroy(&threads->lock);
	return status;
}

void store_threads_close(struct store_threads *threads, uv_close_cb closed)
{
	stop_first(threads, threads->are_started ? STORE_THREAD_COUNT : 0);
	PRE(list_is_empty(&threads->back));
	uv_mutex_destroy(&threads->lock);
	uv_close((uv_handle_t *)&threads->comes_back, closed);
}

bool store_thread_is_busy(const struct store_threads *threads, enum store_thread_name name)
{
	return threads->threads[name].is_busy;
}

void store_thread_give(struct store_threads *threads, enum store_thread_name name,
                       struct store_job *job)
{
	struct store_thread *thread = &threads->threads[name];
	PRE(!thread->is_busy);
	thread->is_busy = true;
	job->thread = thread;
	if (!threads->are_started) {
		job->work(job);
		list_push(&threads->back, &job->link);
		return;
	}
	uv_mutex_lock(&thread->lock);
	thread->job = job;
	uv_mutex_unlock(&thread->lock);
	/* Behind the lock: woken under it, the thread would only wait again. */
	uv_cond_signal(&thread->wakes);
}

bool store_threads_drain(struct store_threads *threads)
{
	struct list back;
	list_init(&back);
	uv_mutex_lock(&threads->lock);
	list_move(&threads->back, &back);
	uv_mutex_unlock(&threads->lock);
	bool any = !list_is_empty(&back);
	while (!list_is_empty(&back)) {
		struct store_job *job = LIST_FIRST(&back, struct store_job, link);
		list_remove(&job->link);
		job->thread->is_busy = false;
		job->done(job);
	}
	return any;
}

void store_threads_wake(struct store_threads *threads)
{
	(void)uv_async_send(&threads->comes_back); /* cannot fail */
}
