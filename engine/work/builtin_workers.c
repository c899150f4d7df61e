/* This file lists workers, lets them drain, and lets them go on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/core/worker.h"
#include "engine/work/builtin.h"

static void write_worker(const struct worker *worker, struct buf *out)
{
	size_t function_count = 0;
	LIST_EACH(&worker->executor.providers, link)
	{
		(void)link;
		function_count++;
	}
	buf_byte(out, '{');
	json_write_member_string(out, "id", span_of(worker->id));
	json_write_member_string(out, "name", worker->name);
	json_write_member_string(out, "namespace", worker->namespace_);
	json_write_member_string(out, "status",
	                         worker->connection == NULL ? SPAN("away")
	                         : worker->draining         ? SPAN("draining")
	                                                    : SPAN("connected"));
	json_write_member_bool(out, "draining", worker->draining);
	char connected_at[CLOCK_TEXT_LEN + 1];
	clock_format(worker->connected_ms, connected_at);
	json_write_member_string(out, "connected_at", span_of(connected_at));
	json_write_member_uint(out, "function_count", function_count);
	json_write_name(out, "functions");
	buf_byte(out, '[');
	LIST_EACH(&worker->executor.providers, provider_link)
	{
		struct provider *provider =
		        MEM_CONTAINER(provider_link, struct provider, in_executor);
		json_write_comma(out);
		json_write_string(out, provider->function->id);
	}
	buf_byte(out, ']');
	json_write_member_uint(out, "in_flight", worker->executor.running);
	json_write_member_uint(out, "max_in_flight", worker_max_in_flight(worker));
	json_write_member_uint(out, "active_invocations", worker->executor.running);
	json_write_member_uint(out, "bad_frames", worker->bad_frames);
	if (worker->metadata.len != 0) {
		json_write_member_raw(out, "metadata", worker->metadata);
	}
	buf_byte(out, '}');
}

static void add_worker(void *ctx, struct worker *worker)
{
	struct work *work = ctx;
	json_write_comma(&work->out);
	write_worker(worker, &work->out);
}

static void list_workers(struct work *work, struct span data)
{
	(void)data;
	BUF_LITERAL(&work->out, "{\"workers\":[");
	workers_each(work->core->workers, add_worker, work);
	BUF_LITERAL(&work->out, "]}");
	work_reply_out(work);
}

/* The one that `id` (or `worker_id`) names; NULL, and the work is refused. */
static struct worker *need_worker(struct work *work, struct span data)
{
	(void)buf_reserve(&work->data, data.len * 2); /* the texts must not move */
	struct span id = work_text(data, "id", &work->data);
	if (id.len == 0) {
		id = work_text(data, "worker_id", &work->data);
	}
	struct worker *worker = workers_find(work->core->workers, id);
	if (worker == NULL) {
		work_refuse(work, "worker_not_found",
		            "there is no worker \"%.*s\"; `pawl workers` lists them", SPAN_ARG(id));
	}
	return worker;
}

static void show_worker(struct work *work, struct span data)
{
	const struct worker *worker = need_worker(work, data);
	if (worker != NULL) {
		write_worker(worker, &work->out);
		work_reply_out(work);
	}
}

/* ---- draining ---- */

/* A caller who waits until nothing is running any more. */
struct drain {
	struct worker_drained drained;
	struct work *work;
	struct span worker_id; /* owned */
};

static void answer_drain(struct work *work, struct span worker_id, bool draining, uint32_t left)
{
	buf_byte(&work->out, '{');
	json_write_member_string(&work->out, "id", worker_id);
	json_write_member_bool(&work->out, "draining", draining);
	json_write_member_uint(&work->out, "in_flight", left);
	buf_byte(&work->out, '}');
	work_reply_out(work);
}

static void is_drained(struct worker_drained *drained, uint32_t left)
{
	struct drain *drain = MEM_CONTAINER(drained, struct drain, drained);
	answer_drain(drain->work, drain->worker_id, true, left);
	mem_free((char *)drain->worker_id.ptr);
	mem_free(drain);
}

static void drain_worker(struct work *work, struct span data)
{
	struct worker *worker = need_worker(work, data);
	struct span wait;
	if (worker == NULL) {
		return;
	}
	if (json_get(data, SPAN("wait"), &wait) && span_is(wait, "false")) {
		worker_drain(worker, NULL);
		answer_drain(work, span_of(worker->id), true, worker->executor.running);
		return;
	}
	struct drain *drain = MEM_NEW(struct drain);
	drain->work = work;
	drain->worker_id = mem_span(span_of(worker->id));
	drain->drained.done = is_drained;
	worker_drain(worker, &drain->drained);
}

static void resume_worker(struct work *work, struct span data)
{
	struct worker *worker = need_worker(work, data);
	if (worker != NULL) {
		worker_resume(worker);
		answer_drain(work, span_of(worker->id), false, worker->executor.running);
	}
}

const struct builtin_row builtin_worker_rows[] = {
        {"engine::workers::list", list_workers, "Lists the workers."},
        {"engine::workers::info", show_worker, "Shows one worker."},
        {"engine::workers::drain", drain_worker,
         "Gives a worker no new calls, and waits until those that run have ended."},
        {"engine::workers::resume", resume_worker, "Gives a worker that drains calls again."},
        {NULL, NULL, NULL},
};
