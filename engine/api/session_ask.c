/* This file carries the calls that workers ask for, and their answers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/session_ask.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/api/session_out.h"
#include "engine/core/queue_names.h"
#include "engine/work/due_time.h"
#include "wire/baggage.h"

/* Calls of built-in functions that one connection has on the way before it is read again: their
 * answers may all come at once, and be large. Other functions do not count, for they may need what
 * the connection says next. */
enum { ENGINE_ASKS_MAX = 256 };

/* A call that a worker asked for. */
struct ask {
	struct worker_ask link;
	struct call call;
	struct span function_id; /* these point into `text` */
	struct span invocation_id;
	struct buf text;
	struct buf letter; /* what is put into a queue */
	bool is_engines;   /* counted in worker.engine_asks */
	struct tracer *tracer;
	struct tracer_span span;
};

static void answer(struct ask *ask, const struct call_result *result)
{
	struct conn *conn = session_conn_of(ask->link.worker);
	if (conn == NULL || ask->invocation_id.len == 0) {
		return;
	}
	const struct message frame = {
	        .type = MESSAGE_INVOCATION_RESULT,
	        .invocation_id = ask->invocation_id,
	        .function_id = ask->function_id,
	        .result = result->end == CALL_OK ? result->result : SPAN_NONE,
	        .traceparent = ask->call.traceparent,
	        .baggage = ask->call.baggage,
	};
	if (result->end == CALL_OK) {
		session_send(conn, &frame);
	} else {
		const struct message_error error = {result->code, result->message,
		                                    result->stacktrace};
		session_send_failed(conn, &frame, &error);
	}
}

/* Counts the ask in or out, and stops or resumes reading where that makes the difference. */
static void count_engine_ask(struct worker *worker, bool in)
{
	size_t before = worker->engine_asks;
	worker->engine_asks = in ? before + 1 : before - 1;
	bool was_full = before >= ENGINE_ASKS_MAX;
	bool is_full = worker->engine_asks >= ENGINE_ASKS_MAX;
	struct conn *conn = session_conn_of(worker);
	if (conn != NULL && was_full != is_full) {
		conn_hold(conn, is_full);
	}
}

/* Who the engine is asked about is no part of anybody's trace. */
static void begin_span(struct ask *ask, struct tracer *tracer)
{
	if (tracer != NULL && !span_starts_with(ask->function_id, SPAN("engine::"))) {
		ask->tracer = tracer;
		tracer_begin(tracer, ask->call.traceparent, SPAN_NONE, &ask->span);
		ask->call.traceparent = span_of(ask->span.text);
	}
}

static void end_span(struct ask *ask, const struct call_result *result)
{
	if (ask->tracer == NULL) {
		return;
	}
	bool is_error = result->end != CALL_OK;
	const struct tracer_attribute attributes[] = {
	        {"rpc.system", SPAN("pawl"), 0},
	        {"rpc.method", ask->function_id, 0},
	        {"error.type", result->code.ptr != NULL ? result->code : SPAN(""), 0},
	};
	const struct tracer_end end = {
	        .kind = TRACER_SERVER,
	        .name = ask->function_id,
	        .error = is_error ? result->message : SPAN_NONE,
	        .attributes = attributes,
	        .count = sizeof attributes / sizeof *attributes,
	};
	tracer_end(ask->tracer, &ask->span, &end);
}

static void ask_done(struct call *call, const struct call_result *result)
{
	struct ask *ask = MEM_CONTAINER(call, struct ask, call);
	answer(ask, result);
	end_span(ask, result);
	if (ask->is_engines && ask->link.worker != NULL) {
		count_engine_ask(ask->link.worker, false);
	}
	list_remove(&ask->link.link);
	buf_free(&ask->text);
	buf_free(&ask->letter);
	mem_free(ask);
}

static struct span keep(struct buf *text, struct span from)
{
	if (from.ptr == NULL) {
		return SPAN_NONE;
	}
	size_t at = text->len;
	buf_span(text, from);
	return span_make(text->ptr + at, from.len);
}

/* What a worker wants done later is a call of the engine's function that puts it into a queue. */
static void address_to_queue(struct ask *ask, const struct message_action *action)
{
	struct buf data = {0};
	buf_byte(&data, '{');
	json_write_member_string(&data, "queue", action->queue);
	due_time_copy(action->text, &data);
	json_write_member_string(&data, "function_id", ask->function_id);
	json_write_member_string(&data, "namespace", ask->call.namespace_);
	if (ask->call.metadata.len != 0) {
		json_write_member_raw(&data, "metadata", ask->call.metadata);
	}
	json_write_member_raw(&data, "data", ask->call.data);
	buf_byte(&data, '}');
	ask->letter = data;
	ask->call.function_id = SPAN(QUEUE_ENQUEUE);
	ask->call.metadata = SPAN_NONE;
	ask->call.data = buf_view(&ask->letter);
}

static struct ask *new_ask(struct worker *worker, const struct message *frame)
{
	struct ask *ask = MEM_NEW(struct ask);
	ask->link.worker = worker;
	list_push(&worker->asked, &ask->link.link);
	(void)buf_reserve(&ask->text, frame->function_id.len + frame->invocation_id.len +
	                                      frame->data.len + frame->metadata.len +
	                                      frame->traceparent.len + frame->baggage.len +
	                                      worker->executor.name.len + frame->namespace.len +
	                                      worker->namespace_.len + 1);
	ask->function_id = keep(&ask->text, frame->function_id);
	ask->invocation_id = keep(&ask->text, frame->invocation_id);
	worker->sends_baggage |= baggage_is_ours(frame->baggage);
	struct span namespace_ = frame->namespace.len ? frame->namespace : worker->namespace_;
	ask->call = (struct call){
	        .namespace_ = keep(&ask->text, namespace_),
	        .function_id = ask->function_id,
	        .data = keep(&ask->text, frame->data.len ? frame->data : SPAN("{}")),
	        .metadata = keep(&ask->text, frame->metadata),
	        .traceparent = keep(&ask->text, frame->traceparent),
	        .baggage = keep(&ask->text, frame->baggage),
	        .caller =
	                worker->sends_baggage ? SPAN_NONE : keep(&ask->text, worker->executor.name),
	        .is_void = frame->invocation_id.len == 0,
	        .by_real_time = true,
	        .done = ask_done,
	};
	return ask;
}

/* Will the engine do it, and not a worker that offers a function of the same name? */
static bool is_engines(const struct function *function)
{
	return function != NULL && span_is(function->namespace_, "engine");
}

static void begin_ask(struct functions *functions, struct ask *ask, const struct message *frame,
                      struct buf *scratch)
{
	struct message_action action = {.kind = MESSAGE_CALL};
	struct err err;
	int status = message_action_parse(frame->action, scratch, &action, &err);
	if (action.kind == MESSAGE_ENQUEUE) {
		address_to_queue(ask, &action);
	}
	ask->call.is_void = ask->call.is_void || action.kind == MESSAGE_VOID;
	struct function *function =
	        function_find(functions, ask->call.namespace_, ask->call.function_id);
	ask->is_engines = is_engines(function);
	if (ask->is_engines) {
		count_engine_ask(ask->link.worker, true);
	}
	if (status == 0) {
		status = function_call_found(functions, function, &ask->call, &err);
	}
	if (status != 0) {
		const struct call_result refused = {.end = CALL_REFUSED,
		                                    .code = span_of(err.code),
		                                    .message = span_of(err.text)};
		ask_done(&ask->call, &refused);
	}
}

/* Functions about a worker are about the one who calls them if they name none. */
static bool means_itself(const struct message *frame)
{
	struct span found[2] = {0};
	static const struct span names[2] = {{"id", 2}, {"worker_id", 9}};
	if (!span_is(frame->function_id, "engine::workers::drain") &&
	    !span_is(frame->function_id, "engine::workers::resume")) {
		return false;
	}
	if (frame->data.len != 0 && json_kind(frame->data) == JSON_OBJECT) {
		json_get_many(frame->data, names, 2, found);
	}
	return found[0].ptr == NULL && found[1].ptr == NULL;
}

bool session_ask_is_own(const struct message *frame)
{
	return span_is(frame->function_id, "engine::workers::register") || means_itself(frame);
}

void session_ask(struct functions *functions, struct tracer *tracer, struct worker *worker,
                 const struct message *frame, struct buf *scratch)
{
	struct message named = *frame;
	struct buf data = {0};
	if (means_itself(frame)) {
		bool is_object = frame->data.len != 0 && json_kind(frame->data) == JSON_OBJECT;
		struct span given = is_object ? frame->data : SPAN("{}");
		buf_add(&data, given.ptr, given.len - 1);
		json_write_member_string(&data, "id", span_of(worker->id));
		buf_byte(&data, '}');
		named.data = buf_view(&data);
	}
	struct ask *ask = new_ask(worker, &named);
	begin_span(ask, tracer);
	begin_ask(functions, ask, &named, scratch);
	buf_free(&data);
}
