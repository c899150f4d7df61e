/* This file turns frames of workers into calls and registrations, and back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/session.h"

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/api/session_access.h"
#include "engine/api/session_ask.h"
#include "engine/api/session_out.h"
#include "engine/api/session_triggers.h"
#include "wire/http.h"
#include "wire/message.h"
#include "wire/url.h"

enum { HELD_BYTES_MAX = 4 * 1024 * 1024 };

struct sessions {
	struct functions *functions;
	struct catalog *catalog;
	struct workers *workers;
	struct webhook *webhook;
	struct alarms *alarms;
	struct session_options options;
	struct session_telemetry telemetry;
	struct login *login; /* NULL: nobody is asked for a token */
	struct session_triggers *triggers;
	bool is_open;
	struct buf scratch; /* unescaped strings of the frame being read */
	struct buf scratch2;
};

/* A frame that waits until the worker has said who it is. */
struct held_frame {
	struct list link;
	struct span text;
};

/* A function that the worker registered and an HTTP endpoint serves. */
struct endpoint {
	struct list link;
	struct provider *provider;
};

struct session {
	struct session_peer peer;
	struct sessions *sessions;
	struct list endpoints;
	struct worker *worker;
	struct list held;
	size_t held_bytes;
	struct alarm grace;
	struct session_access access;
};

/* ---- writing ---- */

/* worker_link.invoke: the frame is composed where it leaves from. */
static void send_invocation(void *connection, struct worker *worker, struct call *call)
{
	(void)worker;
	struct session *session = connection;
	struct conn *conn = session->peer.conn;
	const struct message frame = {
	        .type = MESSAGE_INVOKE_FUNCTION,
	        .invocation_id =
	                call->is_void ? SPAN_NONE : span_make(call->invocation_id, ID_UUID_LEN),
	        .function_id = call->function_id,
	        .metadata = call->metadata,
	        .traceparent = call->traceparent,
	        .baggage = call->baggage,
	        .data = call->data,
	};
	size_t mark = websocket_begin(conn);
	if (call->write_data != NULL) {
		message_begin(conn_out(conn), &frame, MESSAGE_FIELD_data);
		call->write_data(call, conn_out(conn));
		message_end(conn_out(conn));
	} else {
		message_write(conn_out(conn), &frame);
	}
	websocket_end(conn, mark, WS_TEXT);
}

static void retire(void *connection)
{
	struct session *session = connection;
	session->worker = NULL;
	websocket_close(session->peer.conn, WS_CLOSE_NORMAL, SPAN("reattached elsewhere"));
}

static const struct worker_link session_link = {.invoke = send_invocation, .retire = retire};

static void register_worker(struct session *session, const struct message *frame);

static void on_invoke(struct session *session, const struct message *frame)
{
	struct sessions *sessions = session->sessions;
	if (span_is(frame->function_id, "engine::workers::register")) {
		register_worker(session, frame);
	} else {
		session_ask(sessions->functions, sessions->telemetry.tracer, session->worker, frame,
		            &sessions->scratch2);
	}
}

static void on_result(struct session *session, const struct message *frame)
{
	struct call *call = worker_call(session->worker, frame->invocation_id);
	if (call == NULL) {
		log_debug("session", "a result for an invocation that has ended: %.*s",
		          SPAN_ARG(frame->invocation_id));
		return;
	}
	struct call_result result = {
	        .end = CALL_OK, .result = frame->result, .worker = session->worker->executor.name};
	if (frame->error.ptr != NULL) {
		struct message_error error;
		message_error_parse(frame->error, &session->sessions->scratch2, &error);
		result.end = CALL_FAILED;
		result.result = SPAN_NONE;
		result.code = error.code.len ? error.code : SPAN("invocation_failed");
		result.message = error.text;
		result.stacktrace = error.stacktrace;
	}
	map_remove(&session->worker->invocations, &call->by_invocation);
	call_finish(call, &result);
}

/* ---- registrations ---- */

static void reject(struct session *session, const char *code, struct span function_id)
{
	const struct message frame = {
	        .type = MESSAGE_REGISTRATION_REJECTED,
	        .code = span_of(code),
	        .namespace =
	                session->worker->namespace_.len ? session->worker->namespace_ : SPAN(""),
	        .worker_name = function_id.len ? SPAN_NONE : session->worker->name,
	        .function_id = function_id,
	        .owner_worker_id = SPAN("engine"),
	};
	session_send(session->peer.conn, &frame);
}

static void set_texts(struct provider *provider, const struct message *frame)
{
	const struct span from[] = {frame->description, frame->request_format,
	                            frame->response_format, frame->metadata};
	struct span *const to[] = {&provider->description, &provider->request_format,
	                           &provider->response_format, &provider->metadata};
	for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
		*to[i] = from[i].len != 0 ? mem_span(from[i]) : SPAN_NONE;
	}
}

static struct endpoint *find_endpoint(struct session *session, struct span id)
{
	LIST_EACH(&session->endpoints, link)
	{
		struct endpoint *endpoint = MEM_CONTAINER(link, struct endpoint, link);
		if (span_equal(endpoint->provider->function->id, id)) {
			return endpoint;
		}
	}
	return NULL;
}

static void drop_endpoint(struct session *session, struct endpoint *endpoint)
{
	webhook_withdraw(session->sessions->webhook, endpoint->provider);
	list_remove(&endpoint->link);
	mem_free(endpoint);
}

static void register_endpoint(struct session *session, struct span id, const struct message *frame)
{
	struct provider *provider;
	struct err err;
	const struct webhook_offering offering = {.namespace_ = session->worker->namespace_,
	                                          .id = id,
	                                          .invocation = frame->invocation};
	if (webhook_offer(session->sessions->webhook, &offering, &provider, &err) != 0) {
		log_warn("session", "function %.*s of worker %s is not served: %s", SPAN_ARG(id),
		         session->worker->id, err.text);
		reject(session, "FUNCTION_INVOCATION_INVALID", id);
		return;
	}
	set_texts(provider, frame);
	struct endpoint *old = find_endpoint(session, id);
	if (old != NULL) {
		drop_endpoint(session, old);
	}
	struct endpoint *endpoint = MEM_NEW(struct endpoint);
	endpoint->provider = provider;
	list_push(&session->endpoints, &endpoint->link);
}

static void on_register_function(struct session *session, const struct message *frame)
{
	struct sessions *sessions = session->sessions;
	struct worker *worker = session->worker;
	struct span id = frame->id;
	struct function *engines = function_find(sessions->functions, SPAN("engine"), id);
	if (span_starts_with(id, SPAN("engine::")) || engines != NULL) {
		reject(session, "FUNCTION_NAMESPACE_CONFLICT", id);
		return;
	}
	worker_registers(worker);
	catalog_function_comes(sessions->catalog, worker->namespace_, id);
	if (frame->invocation.len != 0) {
		register_endpoint(session, id, frame);
		return;
	}
	set_texts(function_offer(&worker->executor, worker->namespace_, id), frame);
}

static void on_unregister_function(struct session *session, const struct message *frame)
{
	struct worker *worker = session->worker;
	struct provider *provider =
	        function_offered_by(&worker->executor, worker->namespace_, frame->id);
	struct endpoint *endpoint = find_endpoint(session, frame->id);
	if (provider != NULL) {
		function_withdraw(provider);
	} else if (endpoint != NULL) {
		drop_endpoint(session, endpoint);
	}
}

/* ---- who it is ---- */

static void on_frame(struct session *session, const struct message *frame);
static bool is_allowed(struct session *session, const struct message *frame);

static void read_held(struct session *session)
{
	struct buf scratch = {0};
	while (!list_is_empty(&session->held) && session->worker != NULL) {
		struct held_frame *held = LIST_FIRST(&session->held, struct held_frame, link);
		list_remove(&held->link);
		struct message frame;
		struct err err;
		if (message_parse(held->text, MESSAGE_FROM_WORKER, &scratch, &frame, &err) == 0 &&
		    is_allowed(session, &frame)) {
			on_frame(session, &frame);
		}
		mem_free((char *)held->text.ptr);
		mem_free(held);
	}
	session->held_bytes = 0;
	buf_free(&scratch);
}

static void grace_is_over(struct alarm *alarm)
{
	struct session *session = MEM_CONTAINER(alarm, struct session, grace);
	if (session->worker != NULL && !session->worker->registered) {
		(void)worker_register(session->worker, SPAN("default"), SPAN_NONE, SPAN_NONE, NULL);
		read_held(session);
	}
}

/* Null is no namespace: {"namespace": null} is refused like a blank one. */
static struct span text_member(struct span object, struct span name, struct buf *scratch)
{
	struct span value;
	if (!json_get(object, name, &value)) {
		return SPAN_NONE;
	}
	if (json_kind(value) != JSON_STRING) {
		return SPAN("");
	}
	struct buf copy = {0};
	json_string(value, &copy);
	size_t at = scratch->len;
	buf_span(scratch, buf_view(&copy));
	struct span text = span_make(scratch->ptr + at, copy.len);
	buf_free(&copy);
	return text;
}

/* How many calls it wants at a time, if it says so. */
static int take_max_in_flight(struct session *session, struct span data, struct err *err)
{
	struct span number;
	if (data.len == 0 || json_kind(data) != JSON_OBJECT ||
	    !json_get(data, SPAN("max_in_flight"), &number) || json_is_null(number)) {
		return 0;
	}
	int status = worker_set_max_in_flight(session->worker, number, err);
	if (status != 0) {
		log_warn("session", "worker %s: %s; it gets %u", session->worker->id, err->text,
		         worker_max_in_flight(session->worker));
	}
	return status;
}

static void answer_register(struct session *session, const struct message *frame, int status,
                            const struct err *err)
{
	const struct message done = {.type = MESSAGE_INVOCATION_RESULT,
	                             .invocation_id = frame->invocation_id,
	                             .function_id = frame->function_id};
	if (frame->invocation_id.len == 0) {
		return;
	}
	if (status != 0) {
		session_send_error(session->peer.conn, &done, span_of(err->code),
		                   span_of(err->text));
	} else {
		session_send(session->peer.conn, &done);
	}
}

static void register_worker(struct session *session, const struct message *frame)
{
	struct sessions *sessions = session->sessions;
	struct worker *worker = session->worker;
	struct buf text = {0};
	(void)buf_reserve(&text, frame->data.len + 1);
	bool is_object = frame->data.len != 0 && json_kind(frame->data) == JSON_OBJECT;
	struct span namespace_ = SPAN_NONE;
	struct span name = SPAN_NONE;
	if (is_object) {
		namespace_ = text_member(frame->data, SPAN("namespace"), &text);
		name = text_member(frame->data, SPAN("name"), &text);
	}
	struct err err;
	struct worker *other = NULL;
	if (sessions->options.unique_names && name.len != 0) {
		other = workers_named(sessions->workers,
		                      namespace_.len ? namespace_ : SPAN("default"), name);
	}
	if (other != NULL && other != worker) {
		reject(session, "WORKER_NAMESPACE_CONFLICT", SPAN_NONE);
		websocket_close(session->peer.conn, WS_CLOSE_POLICY, SPAN("worker name is taken"));
	} else if (worker_register(worker, namespace_, name, frame->data, &err) != 0) {
		reject(session, "INVALID_NAMESPACE", SPAN_NONE);
	} else {
		alarm_clear(session->sessions->alarms, &session->grace);
		log_info("session", "worker %s is \"%.*s\" in namespace \"%.*s\"", worker->id,
		         SPAN_ARG(worker->name), SPAN_ARG(worker->namespace_));
		answer_register(session, frame, take_max_in_flight(session, frame->data, &err),
		                &err);
		read_held(session);
	}
	buf_free(&text);
}

static void on_reattach(struct session *session, const struct message *frame)
{
	if (!worker_reattach(session->worker, frame->previous_worker_id, frame->reattach_token)) {
		log_debug("session", "worker %.*s is not known any more; %s begins anew",
		          SPAN_ARG(frame->previous_worker_id), session->worker->id);
	}
}

/* ---- frames ---- */

static bool needs_identity(enum message_type type)
{
	return type == MESSAGE_REGISTER_FUNCTION || type == MESSAGE_UNREGISTER_FUNCTION ||
	       type == MESSAGE_REGISTER_TRIGGER || type == MESSAGE_UNREGISTER_TRIGGER ||
	       type == MESSAGE_REGISTER_TRIGGER_TYPE || type == MESSAGE_UNREGISTER_TRIGGER_TYPE;
}

static void on_frame(struct session *session, const struct message *frame)
{
	struct session_triggers *triggers = session->sessions->triggers;
	switch (frame->type) {
	case MESSAGE_INVOKE_FUNCTION:
		on_invoke(session, frame);
		break;
	case MESSAGE_INVOCATION_RESULT:
		on_result(session, frame);
		break;
	case MESSAGE_REGISTER_FUNCTION:
		on_register_function(session, frame);
		break;
	case MESSAGE_UNREGISTER_FUNCTION:
		on_unregister_function(session, frame);
		break;
	case MESSAGE_REGISTER_TRIGGER:
		worker_registers(session->worker);
		session_register_trigger(triggers, session->worker, frame);
		break;
	case MESSAGE_UNREGISTER_TRIGGER:
		session_unregister_trigger(triggers, session->worker, frame->id);
		break;
	case MESSAGE_REGISTER_TRIGGER_TYPE:
		session_register_type(triggers, session->worker, frame);
		break;
	case MESSAGE_UNREGISTER_TRIGGER_TYPE:
		session_unregister_type(triggers, session->worker, frame->id);
		break;
	case MESSAGE_TRIGGER_REGISTRATION_RESULT:
		session_type_answered(triggers, session->worker, frame);
		break;
	case MESSAGE_REATTACH:
		on_reattach(session, frame);
		break;
	case MESSAGE_PING:
		session_send(session->peer.conn, &(const struct message){.type = MESSAGE_PONG});
		break;
	default:
		break; /* registerservice, pong: nothing to do */
	}
}

/* Answers a frame that could not be understood, if it says whom to answer. */
static void answer_bad(struct session *session, const struct message *frame, const struct err *err)
{
	session->worker->bad_frames++;
	log_warn("session", "worker %s sent a frame that is passed over: %s", session->worker->id,
	         err->text);
	session_refuse(session->peer.conn, frame, err);
}

/* False, and it has been answered, when the worker's token does not allow it. */
static bool is_allowed(struct session *session, const struct message *frame)
{
	struct err err;
	if (session_access_check(&session->access, session->sessions->functions, session->worker,
	                         frame, &err) == 0) {
		return true;
	}
	err.code = "FORBIDDEN"; /* as the protocol spells it */
	answer_bad(session, frame, &err);
	if (frame->type == MESSAGE_REGISTER_FUNCTION) {
		reject(session, err.code, frame->id);
	}
	return false;
}

static void hold_frame(struct session *session, struct span text)
{
	if (session->held_bytes + text.len > HELD_BYTES_MAX) {
		websocket_close(session->peer.conn, WS_CLOSE_POLICY,
		                SPAN("too many registrations before engine::workers::register"));
		return;
	}
	struct held_frame *held = MEM_NEW(struct held_frame);
	held->text = mem_span(text);
	session->held_bytes += text.len;
	list_push(&session->held, &held->link);
}

static void on_message(void *socket, bool is_text, struct span text)
{
	struct session *session = socket;
	const struct session_telemetry *telemetry = &session->sessions->telemetry;
	if (!is_text && telemetry->take != NULL) {
		telemetry->take(telemetry->ctx, text);
	}
	if (!is_text || session->worker == NULL) {
		return; /* the latter: a connection that has been replaced */
	}
	struct message frame;
	struct err err;
	session->worker->frames++;
	int status =
	        message_parse(text, MESSAGE_FROM_WORKER, &session->sessions->scratch, &frame, &err);
	if (status != 0) {
		answer_bad(session, &frame, &err);
	} else if (!session->worker->registered && needs_identity(frame.type)) {
		hold_frame(session, text);
	} else if (is_allowed(session, &frame)) {
		on_frame(session, &frame);
	}
}

/* ---- life ---- */

static void token_ended(struct session_access *access)
{
	struct session *session = MEM_CONTAINER(access, struct session, access);
	websocket_close(session->peer.conn, WS_CLOSE_POLICY,
	                SPAN("the token has ended, or one is needed now"));
}

static void *on_open(void *ctx, struct conn *conn, const struct http_request *request)
{
	struct sessions *sessions = ctx;
	struct session *session = MEM_NEW(struct session);
	session->sessions = sessions;
	session->peer.conn = conn;
	session->worker = worker_new(sessions->workers, session, &session_link);
	list_init(&session->held);
	list_init(&session->endpoints);
	session->grace.fn = grace_is_over;
	session->access.ended = token_ended;
	if (sessions->login != NULL) {
		session_access_begin(&session->access, sessions->login, request);
	}
	alarm_set_real(sessions->alarms, &session->grace, sessions->options.registration_grace_ms);
	struct span number;
	struct err err;
	if (url_param(request->query, SPAN("max_in_flight"), &number) &&
	    worker_set_max_in_flight(session->worker, number, &err) != 0) {
		log_warn("session", "a worker's address is wrong: %s", err.text);
		websocket_close(conn, WS_CLOSE_POLICY, span_of(err.text));
		return session;
	}
	const struct message hello = {
	        .type = MESSAGE_WORKER_REGISTERED,
	        .worker_id = span_of(session->worker->id),
	        .reattach_token = span_of(session->worker->token),
	};
	session_send(conn, &hello);
	conn_hold(conn, !sessions->is_open);
	return session;
}

static void on_closed(void *socket, const char *reason)
{
	struct session *session = socket;
	alarm_clear(session->sessions->alarms, &session->grace);
	session_access_end(&session->access);
	if (session->worker != NULL) {
		log_info("session", "worker %s lost its connection: %s", session->worker->id,
		         reason);
		session_types_lost(session->sessions->triggers, session->worker);
		worker_lost(session->worker);
	}
	LIST_EACH(&session->endpoints, endpoint_link)
	{
		drop_endpoint(session, MEM_CONTAINER(endpoint_link, struct endpoint, link));
	}
	LIST_EACH(&session->held, link)
	{
		struct held_frame *held = MEM_CONTAINER(link, struct held_frame, link);
		mem_free((char *)held->text.ptr);
		mem_free(held);
	}
	mem_free(session);
}

struct sessions *sessions_new(struct functions *functions, struct catalog *catalog,
                              struct workers *workers, struct webhook *webhook,
                              struct alarms *alarms, const struct session_options *options)
{
	struct sessions *sessions = MEM_NEW(struct sessions);
	sessions->functions = functions;
	sessions->catalog = catalog;
	sessions->workers = workers;
	sessions->webhook = webhook;
	sessions->alarms = alarms;
	sessions->options = *options;
	sessions->triggers = session_triggers_new(catalog, session_send_to, sessions);
	return sessions;
}

static void read_on(void *ctx, struct worker *worker)
{
	(void)ctx;
	struct conn *conn = session_conn_of(worker);
	if (conn != NULL) {
		conn_hold(conn, false);
	}
}

void sessions_open(struct sessions *sessions)
{
	sessions->is_open = true;
	workers_each(sessions->workers, read_on, NULL);
}

void sessions_configure(struct sessions *sessions, const struct session_options *options)
{
	sessions->options = *options;
}

void sessions_tell(struct sessions *sessions, const struct session_telemetry *telemetry)
{
	sessions->telemetry = *telemetry;
}

void sessions_set_login(struct sessions *sessions, struct login *login)
{
	sessions->login = login;
}

void sessions_free(struct sessions *sessions)
{
	if (sessions != NULL) {
		session_triggers_free(sessions->triggers);
		buf_free(&sessions->scratch);
		buf_free(&sessions->scratch2);
		mem_free(sessions);
	}
}

struct conn_upgrade sessions_upgrade(struct sessions *sessions)
{
	return (struct conn_upgrade){
	        .ctx = sessions, .open = on_open, .message = on_message, .closed = on_closed};
}
