/* This file defines a job: blocking work that a thread of the store does for the loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DURABLE_STORE_JOB_H
#define ENGINE_DURABLE_STORE_JOB_H

#include "base/list.h"

struct store_thread;

/* Embedded in who needs it; what it points to belongs to the thread from give until `done`. */
struct store_job {
	struct list link;
	struct store_thread *thread;
	void (*work)(struct store_job *job); /* on the thread; may block */
	void (*done)(struct store_job *job); /* on the loop */
};

#endif
