/* This file gives the store's blocking work to threads and brings it back to the loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_THREADS_H
#define ENGINE_DURABLE_STORE_THREADS_H

#include "base/list.h"
#include "engine/durable/store_job.h"
#include <stdbool.h>
#include <uv.h>

/*
 * DESIGN. A thread has at most one job. What the job points to belongs to the thread from give
 * until `done` is called on the loop. Without threads (an INLINE adapter) the work is done inside
 * give, but `done` waits for store_threads_drain all the same.
 */
struct store_threads;
typedef void store_wake_fn(struct store_threads *threads);

struct store_thread {
	struct store_threads *all;
	uv_thread_t id;
	uv_sem_t given;
	struct store_job *job; /* the thread's once `given` is posted; NULL: it ends */
	bool is_busy;          /* the loop's: from give until just before done */
};

enum store_thread_name { STORE_WRITER, STORE_READER, STORE_VIEW, STORE_THREAD_COUNT };

struct store_threads {
	struct store_thread threads[STORE_THREAD_COUNT];
	bool are_started;
	uv_mutex_t lock;
	struct list back; /* jobs whose work is done */
	int bell;         /* an eventfd: rung when `back` is not empty any more */
	uv_poll_t comes_back;
	store_wake_fn *wake;
};

/* `wake` is called on the loop when something may have come back; it calls store_threads_drain.
 * `starts` is false for an INLINE adapter. A uv error; nothing is left then. */
int store_threads_open(struct store_threads *threads, uv_loop_t *loop, store_wake_fn *wake,
                       bool starts);
/* All must be idle. The memory is free when `closed` is called. */
void store_threads_close(struct store_threads *threads, uv_close_cb closed);

bool store_thread_is_busy(const struct store_threads *threads, enum store_thread_name name);
void store_thread_give(struct store_threads *threads, enum store_thread_name name,
                       struct store_job *job);
/* Calls done for everything that came back; returns whether there was any. */
bool store_threads_drain(struct store_threads *threads);
void store_threads_wake(struct store_threads *threads); /* wake is called in the next turn */

#endif
