/* This file runs the store's writer, reader and view threads. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/store_threads.h"

#include "base/err.h"
#include "base/mem.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Not uv_async_send: the loop would spin until the thread that sends has come back from its write,
 * and every commit passes here. */
static void ring(const struct store_threads *threads)
{
	const uint64_t one = 1;
	(void)write(threads->bell, &one, sizeof one); /* fails only if it rings already */
}

static void bring_back(struct store_threads *threads, struct store_job *job)
{
	uv_mutex_lock(&threads->lock);
	bool rings = !list_is_empty(&threads->back);
	list_push(&threads->back, &job->link);
	uv_mutex_unlock(&threads->lock);
	if (!rings) {
		ring(threads);
	}
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
	for (;;) {
		uv_sem_wait(&thread->given);
		struct store_job *job = thread->job;
		if (job == NULL) {
			return;
		}
		job->work(job);
		bring_back(thread->all, job);
	}
}

static int start(struct store_thread *thread)
{
	int status = uv_sem_init(&thread->given, 0);
	if (status != 0) {
		return status;
	}
	/* What the adapters do fits in far less than the default of 8 MiB. */
	const uv_thread_options_t options = {.flags = UV_THREAD_HAS_STACK_SIZE,
	                                     .stack_size = 512 * 1024};
	status = uv_thread_create_ex(&thread->id, &options, run, thread);
	if (status != 0) {
		uv_sem_destroy(&thread->given);
	}
	return status;
}

static void stop(struct store_thread *thread)
{
	PRE(!thread->is_busy);
	thread->job = NULL;
	uv_sem_post(&thread->given);
	int failed = uv_thread_join(&thread->id);
	PRE(failed == 0);
	uv_sem_destroy(&thread->given);
}

static void stop_first(struct store_threads *threads, int count)
{
	while (count > 0) {
		stop(&threads->threads[--count]);
	}
}

static void on_bell(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	struct store_threads *threads = MEM_CONTAINER(poll, struct store_threads, comes_back);
	uint64_t rung;
	(void)read(threads->bell, &rung, sizeof rung); /* before what it rang for is looked at */
	threads->wake(threads);
}

int store_threads_open(struct store_threads *threads, uv_loop_t *loop, store_wake_fn *wake,
                       bool starts)
{
	memset(threads, 0, sizeof *threads);
	threads->wake = wake;
	list_init(&threads->back);
	int status = uv_mutex_init(&threads->lock);
	if (status != 0) {
		return status;
	}
	threads->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (threads->bell < 0) {
		status = uv_translate_sys_error(errno);
		uv_mutex_destroy(&threads->lock);
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
	status = uv_poll_init(loop, &threads->comes_back, threads->bell);
	if (status == 0) {
		int failed = uv_poll_start(&threads->comes_back, UV_READABLE, on_bell);
		PRE(failed == 0); /* it only fills in structs */
		return 0;
	}
fail:
	stop_first(threads, started);
	(void)close(threads->bell);
	uv_mutex_destroy(&threads->lock);
	return status;
}

void store_threads_close(struct store_threads *threads, uv_close_cb closed)
{
	stop_first(threads, threads->are_started ? STORE_THREAD_COUNT : 0);
	PRE(list_is_empty(&threads->back));
	uv_mutex_destroy(&threads->lock);
	uv_close((uv_handle_t *)&threads->comes_back, closed);
	(void)close(threads->bell); /* nobody looks at it any more */
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
	thread->job = job;
	uv_sem_post(&thread->given);
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
	ring(threads);
}
