/* This file offers the built-in functions and carries their answers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/builtin.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/core/state.h"
#include <stdarg.h>
#include <stdio.h>

enum { LIST_LIMIT = 100, LIST_MOST = 1000, RATE_MOST = 1000000 };

struct builtins {
	struct executor executor;
	struct core *core;
};

static const struct builtin_row *const tables[] = {
        builtin_state_rows,     builtin_engine_rows,     builtin_worker_rows,
        builtin_config_rows,    builtin_trigger_rows,    builtin_delivery_rows,
        builtin_job_rows,       builtin_letter_rows,     builtin_replay_rows,
        builtin_explain_rows,   builtin_trial_rows,      builtin_publish_rows,
        builtin_clock_rows,     builtin_message_rows,    builtin_queue_rows,
        builtin_alarm_rows,     builtin_alarm_list_rows, builtin_metric_rows,
        builtin_scheduled_rows, builtin_topic_rows,      builtin_token_rows};

static void free_work(struct work *work)
{
	buf_free(&work->given);
	buf_free(&work->data);
	buf_free(&work->out);
	mem_free(work);
}

static void finish(struct work *work, const struct call_result *result)
{
	struct call *call = work->call;
	if (call != NULL) {
		call_finish(call, result);
	}
	free_work(work);
}

void work_reply(struct work *work, struct span result)
{
	const struct call_result done = {
	        .end = CALL_OK,
	        .result = result,
	        .worker = SPAN("engine"),
	        .replayed = work->replayed,
	};
	finish(work, &done);
}

void work_reply_out(struct work *work)
{
	work_reply(work, buf_view(&work->out));
}

void work_fail(struct work *work, const struct err *err)
{
	const struct call_result failed = {
	        .end = err->number == E_UNKNOWN || err->number == E_BUSY ? CALL_STOPPED
	                                                                 : CALL_FAILED,
	        .code = span_of(err->code),
	        .message = span_of(err->text),
	        .worker = SPAN("engine"),
	};
	finish(work, &failed);
}

void work_refuse(struct work *work, const char *code, const char *format, ...)
{
	struct err err = {.number = E_INVALID, .code = code};
	va_list args;
	va_start(args, format);
	(void)vsnprintf(err.text, sizeof err.text, format, args);
	va_end(args);
	work_fail(work, &err);
}

struct settling {
	struct store_waiter waiter;
	struct work *work;
};

void work_waiter_fail(struct store_waiter *waiter, const struct err *err)
{
	struct settling *settling = MEM_CONTAINER(waiter, struct settling, waiter);
	work_fail(settling->work, err);
	mem_free(settling);
}

static void has_settled(struct store_waiter *waiter, int status, const struct err *err)
{
	struct settling *settling = MEM_CONTAINER(waiter, struct settling, waiter);
	if (status != 0) {
		work_waiter_fail(waiter, err);
		return;
	}
	work_reply_out(settling->work);
	mem_free(settling);
}

struct store_waiter *work_waiter(struct work *work)
{
	struct settling *settling = MEM_NEW(struct settling);
	settling->work = work;
	settling->waiter.done = has_settled;
	return &settling->waiter;
}

void work_reply_behind(struct work *work, uint64_t group)
{
	struct store_waiter *waiter = work_waiter(work);
	if (store_wait(work->core->store, group, waiter)) {
		waiter->done(waiter, 0, NULL); /* it is durable already */
	}
}

static void nothing_has_settled(struct store_waiter *waiter, int status, const struct err *err)
{
	struct settling *settling = MEM_CONTAINER(waiter, struct settling, waiter);
	if (status != 0) {
		work_waiter_fail(waiter, err);
		return;
	}
	work_reply(settling->work, SPAN_NONE);
	mem_free(settling);
}

void work_reply_nothing_behind(struct work *work, uint64_t group)
{
	struct store_waiter *waiter = work_waiter(work);
	waiter->done = nothing_has_settled;
	if (store_wait(work->core->store, group, waiter)) {
		waiter->done(waiter, 0, NULL);
	}
}

struct span work_text(struct span data, const char *name, struct buf *scratch)
{
	struct span value;
	if (!json_get(data, span_of(name), &value)) {
		return SPAN_NONE;
	}
	(void)buf_reserve(scratch, data.len);
	return json_copy_text(value, scratch);
}

uint64_t work_uint(struct span data, const char *name, uint64_t otherwise)
{
	struct span value;
	uint64_t number;
	return json_get(data, span_of(name), &value) && json_kind(value) == JSON_NUMBER &&
	                       json_uint64(value, &number)
	               ? number
	               : otherwise;
}

uint64_t work_limit(struct span data)
{
	uint64_t limit = work_uint(data, "limit", LIST_LIMIT);
	return limit == 0 ? 1 : limit < LIST_MOST ? limit : LIST_MOST;
}

bool work_bool(struct span data, const char *name)
{
	struct span value;
	return json_get(data, span_of(name), &value) && json_is_true(value);
}

int work_rate(struct span data, int64_t *out, struct err *err)
{
	struct span value;
	struct buf text = {0};
	uint64_t rate = 0;
	if (!json_get(data, SPAN("rate"), &value) || json_is_null(value)) {
		return 0;
	}
	if (json_kind(value) == JSON_STRING) {
		json_string(value, &text);
		if (text.len > 2 && memcmp(text.ptr + text.len - 2, "/s", 2) == 0) {
			text.len -= 2;
		}
		value = buf_view(&text);
	}
	bool good = value.len != 0 && json_check(value, &value, NULL) == 0 &&
	            json_uint64(value, &rate) && rate > 0 && rate <= RATE_MOST;
	buf_free(&text);
	*out = (int64_t)rate;
	return good ? 0
	            : err_set(err, E_INVALID, "invalid_data",
	                      "'rate' must be a number of deliveries a second, 1 to %d, such as "
	                      "50/s",
	                      RATE_MOST);
}

/* ---- the executor ---- */

static void start_call(struct executor *executor, struct provider *provider, struct call *call)
{
	struct builtins *builtins = MEM_CONTAINER(executor, struct builtins, executor);
	const struct builtin_row *row = provider->data;
	struct work *work = MEM_NEW(struct work);
	work->core = builtins->core;
	work->call = call;
	call->work = work;
	struct span data = call->data;
	if (call->write_data != NULL) {
		call->write_data(call, &work->given);
		data = buf_view(&work->given);
	}
	if (data.len == 0 || json_kind(data) != JSON_OBJECT) {
		work_refuse(work, "invalid_data", "%s takes a JSON object as its data", row->name);
		return;
	}
	row->run(work, data);
}

static void forget_call(struct executor *executor, struct call *call)
{
	(void)executor;
	struct work *work = call->work;
	work->call = NULL;
}

static const struct executor_ops builtin_ops = {
        .kind = "builtin",
        .start = start_call,
        .forget = forget_call,
};

/* May it be called while the engine starts? Calls of the others wait. */
static bool is_early(const struct builtin_row *row)
{
	static const char *const names[] = {"engine::status", "engine::health::check",
	                                    "engine::metrics"};
	bool is_named = false;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		is_named = is_named || strcmp(row->name, names[i]) == 0;
	}
	return is_named;
}

struct builtins *builtins_new(struct core *core)
{
	struct builtins *builtins = MEM_NEW(struct builtins);
	builtins->core = core;
	executor_init(&builtins->executor, core->functions, &builtin_ops, SPAN("engine"), 0);
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		for (const struct builtin_row *row = tables[i]; row->name != NULL; row++) {
			struct provider *provider = function_offer(
			        &builtins->executor, SPAN("engine"), span_of(row->name));
			provider->description = mem_span(span_of(row->help));
			provider->data = (void *)row;
			provider_pause(provider, !is_early(row));
		}
	}
	return builtins;
}

void builtins_open(struct builtins *builtins)
{
	LIST_EACH(&builtins->executor.providers, link)
	{
		provider_pause(MEM_CONTAINER(link, struct provider, in_executor), false);
	}
}

void builtins_free(struct builtins *builtins)
{
	if (builtins != NULL) {
		executor_close(&builtins->executor);
		mem_free(builtins);
	}
}
