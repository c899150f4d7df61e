/* This file says which right each function of the engine takes, and whether a caller has it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/permission.h"

#include "base/json.h"
#include "engine/core/function.h"
#include "engine/core/object_scope.h"
#include "engine/core/queue_names.h"

/* How the data of a function says what it is about. */
enum permission_kind {
	PERMISSION_ANYBODY, /* whoever has a token at all */
	PERMISSION_MANAGE,
	PERMISSION_SELF,  /* the right to invoke this very function */
	PERMISSION_SCOPE, /* its "scope"; every scope, if it names none */
	PERMISSION_ITEMS, /* its "scope", or that of each of its "items" */
	PERMISSION_OPS,   /* that of each of its "ops": a check reads, all others write */
	PERMISSION_EVERY, /* every scope */
	PERMISSION_SPACE, /* every object of its "namespace" */
	PERMISSION_ALARM, /* its "scope", and the right to invoke its "function_id" */
	PERMISSION_QUEUE, /* what the call that is put into the queue takes */
	PERMISSION_TRIGGER,
};

struct permission_row {
	const char *function;
	enum permission_kind kind;
	enum right right;      /* of scopes */
	enum rights_word word; /* of MANAGE and TRIGGER */
};

#define SCOPE(id, right)                                                                           \
	{                                                                                          \
		id, PERMISSION_SCOPE, right, RIGHTS_EVERYTHING                                     \
	}
#define EVERY(id)                                                                                  \
	{                                                                                          \
		id, PERMISSION_EVERY, RIGHT_READ, RIGHTS_EVERYTHING                                \
	}
#define MANAGE(id, word)                                                                           \
	{                                                                                          \
		id, PERMISSION_MANAGE, RIGHT_ADMIN, word                                           \
	}
#define OTHER(id, kind)                                                                            \
	{                                                                                          \
		id, kind, RIGHT_WRITE, RIGHTS_EVERYTHING                                           \
	}

static const struct permission_row rows[] = {
        SCOPE("state::get", RIGHT_READ),
        SCOPE("state::list", RIGHT_READ),
        SCOPE("state::set", RIGHT_WRITE),
        SCOPE("state::update", RIGHT_WRITE),
        SCOPE("state::delete", RIGHT_WRITE),
        SCOPE("state::clear", RIGHT_ADMIN),
        OTHER("state::get_many", PERMISSION_ITEMS),
        OTHER("state::transact", PERMISSION_OPS),
        EVERY("state::list_groups"),
        EVERY("state::list_namespaces"),
        OTHER("state::list_objects", PERMISSION_SPACE),

        SCOPE("alarm::get", RIGHT_READ),
        SCOPE("alarm::list", RIGHT_READ),
        OTHER("alarm::set", PERMISSION_ALARM),
        SCOPE("alarm::delete", RIGHT_WRITE),
        SCOPE("alarm::fire", RIGHT_ADMIN),

        SCOPE("engine::events::list", RIGHT_READ),
        EVERY("engine::events::get"),
        EVERY("engine::events::explain"),
        EVERY("engine::triggers::test"),

        OTHER("publish", PERMISSION_SELF),
        OTHER("iii::durable::publish", PERMISSION_SELF),
        OTHER("engine::events::publish", PERMISSION_SELF),
        OTHER(QUEUE_ENQUEUE, PERMISSION_QUEUE),

        {"engine::register_trigger", PERMISSION_TRIGGER, RIGHT_READ, RIGHTS_TRIGGERS},
        {"engine::triggers::put", PERMISSION_TRIGGER, RIGHT_READ, RIGHTS_TRIGGERS},
        MANAGE("engine::unregister_trigger", RIGHTS_TRIGGERS),
        MANAGE("engine::triggers::pause", RIGHTS_TRIGGERS),
        MANAGE("engine::triggers::resume", RIGHTS_TRIGGERS),
        MANAGE("engine::replay", RIGHTS_TRIGGERS),
        MANAGE("engine::jobs::list", RIGHTS_JOBS),
        MANAGE("engine::jobs::show", RIGHTS_JOBS),
        MANAGE("engine::jobs::cancel", RIGHTS_JOBS),
        MANAGE("engine::jobs::retry", RIGHTS_JOBS),
        MANAGE("engine::scheduled::list", RIGHTS_JOBS),
        MANAGE("engine::scheduled::get", RIGHTS_JOBS),
        MANAGE("engine::scheduled::cancel", RIGHTS_JOBS),
        MANAGE("engine::dead::list", RIGHTS_DEAD),
        MANAGE("engine::dead::show", RIGHTS_DEAD),
        MANAGE("engine::dead::replay", RIGHTS_DEAD),
        MANAGE("engine::dead::replay_all", RIGHTS_DEAD),
        MANAGE("engine::dead::discard", RIGHTS_DEAD),
        MANAGE("engine::dead::discard_all", RIGHTS_DEAD),
        MANAGE("iii::queue::redrive", RIGHTS_DEAD),
        MANAGE("iii::queue::redrive_message", RIGHTS_DEAD),
        MANAGE("iii::queue::discard_message", RIGHTS_DEAD),
        MANAGE("engine::workers::drain", RIGHTS_WORKERS),
        MANAGE("engine::workers::resume", RIGHTS_WORKERS),
        MANAGE("engine::functions::enable", RIGHTS_WORKERS),
        MANAGE("engine::config::reload", RIGHTS_CONFIG),
        MANAGE("engine::clock::advance", RIGHTS_CLOCK),
        MANAGE("engine::tokens::create", RIGHTS_TOKENS),
        MANAGE("engine::tokens::list", RIGHTS_TOKENS),
        MANAGE("engine::tokens::revoke", RIGHTS_TOKENS),

        MANAGE("engine::status", RIGHTS_VIEW),
        MANAGE("engine::metrics", RIGHTS_VIEW),
        MANAGE("engine::health::check", RIGHTS_VIEW),
        MANAGE("engine::functions::list", RIGHTS_VIEW),
        MANAGE("engine::functions::info", RIGHTS_VIEW),
        MANAGE("engine::workers::list", RIGHTS_VIEW),
        MANAGE("engine::workers::info", RIGHTS_VIEW),
        MANAGE("engine::triggers::list", RIGHTS_VIEW),
        MANAGE("engine::registered-triggers::list", RIGHTS_VIEW),
        MANAGE("engine::registered-triggers::info", RIGHTS_VIEW),
        MANAGE("engine::queue::list", RIGHTS_VIEW),
        MANAGE("engine::queue::list_topics", RIGHTS_VIEW),
        MANAGE("engine::queue::topic_stats", RIGHTS_VIEW),
        MANAGE("engine::queue::dlq_topics", RIGHTS_VIEW),
        MANAGE("engine::queue::dlq_messages", RIGHTS_DEAD),
        MANAGE("engine::log::info", RIGHTS_VIEW),
        MANAGE("engine::log::warn", RIGHTS_VIEW),
        MANAGE("engine::log::error", RIGHTS_VIEW),
        MANAGE("engine::log::debug", RIGHTS_VIEW),
        MANAGE("engine::channels::create", RIGHTS_VIEW),
        OTHER("engine::clock::now", PERMISSION_ANYBODY),

        /* What the engine calls by itself. */
        MANAGE("engine::alarm::run", RIGHTS_EVERYTHING),
        MANAGE(QUEUE_RUN, RIGHTS_EVERYTHING),
};

static const char *const right_names[] = {"read", "write", "admin", "invoke", "work"};

static const struct permission_row *find_row(struct span function_id)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (span_is(function_id, rows[i].function)) {
			return &rows[i];
		}
	}
	return NULL;
}

bool permission_has_row(struct span function_id)
{
	return find_row(function_id) != NULL;
}

/* ---- refusing ---- */

static int deny(enum right right, struct span what, struct err *err)
{
	return err_set(err, E_DENIED, "forbidden", "this token has no right to %s %.*s",
	               right == RIGHT_ADMIN   ? "clear or command the scope"
	               : right == RIGHT_READ  ? "read the scope"
	               : right == RIGHT_WRITE ? "write to the scope"
	                                      : right_names[right],
	               (int)(what.len < 200 ? what.len : 200), what.ptr);
}

static int check_word(const struct rights *rights, enum rights_word word, struct span function_id,
                      struct err *err)
{
	if (rights_manage(rights, word)) {
		return 0;
	}
	return err_set(err, E_DENIED, "forbidden",
	               "%.*s takes the right to manage (%s), which this token does not have",
	               SPAN_ARG(function_id), rights_word_name(word));
}

/* ---- what the data is about ---- */

static int check_every(const struct rights *rights, enum right right, struct err *err)
{
	if (rights_cover(rights, right, SPAN("*"))) {
		return 0;
	}
	return err_set(
	        err, E_DENIED, "forbidden",
	        "this is about every scope: it takes the right to %s \"*\", which this token "
	        "does not have",
	        right_names[right]);
}

/* The member "scope"; without one it is about all of them. */
static int check_scope(const struct rights *rights, enum right right, struct span data,
                       struct err *err)
{
	struct span value;
	struct buf text = {0};
	if (json_kind(data) != JSON_OBJECT || !json_get(data, SPAN("scope"), &value) ||
	    json_kind(value) != JSON_STRING) {
		return check_every(rights, right, err);
	}
	(void)buf_reserve(&text, value.len);
	struct span scope = json_plain(value, &text);
	int status = rights_allow(rights, right, scope) ? 0 : deny(right, scope, err);
	buf_free(&text);
	return status;
}

/* A namespace's objects are the scopes that begin with it and a '/'. */
static int check_namespace(const struct rights *rights, enum right right, struct span data,
                           struct err *err)
{
	struct span value;
	struct buf name = {0};
	struct buf pattern = {0};
	if (!json_get(data, SPAN("namespace"), &value) || json_kind(value) != JSON_STRING) {
		return check_every(rights, right, err);
	}
	json_string(value, &name);
	object_scope_write(buf_view(&name), SPAN("*"), &pattern);
	int status = rights_cover(rights, right, buf_view(&pattern))
	                     ? 0
	                     : deny(right, buf_view(&pattern), err);
	buf_free(&name);
	buf_free(&pattern);
	return status;
}

static bool is_check(struct span op)
{
	struct span type;
	return json_kind(op) == JSON_OBJECT && json_get(op, SPAN("type"), &type) &&
	       json_string_is(type, SPAN("check"));
}

/* Each item of a list; `least` is what all of them take. */
static int check_list(const struct rights *rights, enum right least, struct span list,
                      struct err *err)
{
	struct span item;
	if (json_kind(list) != JSON_ARRAY) {
		return check_every(rights, least, err);
	}
	int status = 0;
	for (struct json_iter iter = json_iter(list);
	     status == 0 && json_next_item(&iter, &item);) {
		enum right right = is_check(item) ? RIGHT_READ : least;
		status = check_scope(rights, right, item, err);
	}
	return status;
}

static int check_many(const struct rights *rights, const struct permission_row *row,
                      struct span data, struct err *err)
{
	bool is_ops = row->kind == PERMISSION_OPS;
	struct span list;
	if (json_get(data, is_ops ? SPAN("ops") : SPAN("items"), &list) && !json_is_null(list)) {
		int status = check_list(rights, is_ops ? RIGHT_WRITE : RIGHT_READ, list, err);
		struct span scope;
		bool has_scope = json_get(data, SPAN("scope"), &scope) && !json_is_null(scope);
		return status == 0 && !is_ops && has_scope
		               ? check_scope(rights, RIGHT_READ, data, err)
		               : status;
	}
	return check_scope(rights, RIGHT_READ, data, err);
}

/* ---- functions that are called later ---- */

/* The engine's own functions do as much harm by a trigger as by a call: nobody wakes those but who
 * may do everything. */
static int check_handler(const struct rights *rights, struct functions *functions,
                         const struct permission_call *handler, bool or_work, struct err *err)
{
	struct function *function =
	        function_find(functions, handler->namespace_, handler->function_id);
	if (function != NULL && span_is(function->namespace_, "engine")) {
		return check_word(rights, RIGHTS_EVERYTHING, handler->function_id, err);
	}
	bool is_allowed = rights_allow(rights, RIGHT_INVOKE, handler->function_id) ||
	                  (or_work && rights_allow(rights, RIGHT_WORK, handler->function_id));
	return is_allowed ? 0 : deny(RIGHT_INVOKE, handler->function_id, err);
}

/* The text member of an object as a function; 0 when there is none. */
static int check_handler_member(const struct rights *rights, struct functions *functions,
                                struct span object, const char *name, bool or_work, struct err *err)
{
	struct span value;
	struct buf text = {0};
	if (object.ptr == NULL || json_kind(object) != JSON_OBJECT ||
	    !json_get(object, span_of(name), &value) || json_kind(value) != JSON_STRING) {
		return 0;
	}
	(void)buf_reserve(&text, value.len + object.len);
	struct permission_call handler = {.function_id = json_plain(value, &text)};
	if (json_get(object, SPAN("namespace"), &value)) {
		handler.namespace_ = json_copy_text(value, &text);
	}
	int status = check_handler(rights, functions, &handler, or_work, err);
	buf_free(&text);
	return status;
}

static int check_steps(const struct rights *rights, struct functions *functions, struct span config,
                       struct err *err)
{
	struct span list;
	struct span item;
	int status =
	        check_handler_member(rights, functions, config, "condition_function_id", true, err);
	if (status != 0 || !json_get(config, SPAN("middleware_function_ids"), &list) ||
	    json_kind(list) != JSON_ARRAY) {
		return status;
	}
	for (struct json_iter iter = json_iter(list);
	     status == 0 && json_next_item(&iter, &item);) {
		struct buf text = {0};
		struct permission_call step = {.function_id = json_copy_text(item, &text)};
		status = check_handler(rights, functions, &step, true, err);
		buf_free(&text);
	}
	return status;
}

int permission_check_sight(const struct rights *rights, struct span scope, struct err *err)
{
	if (rights == NULL || rights_cover(rights, RIGHT_READ, scope)) {
		return 0;
	}
	return scope.ptr == NULL ? check_every(rights, RIGHT_READ, err)
	                         : deny(RIGHT_READ, scope, err);
}

/* Whose events a trigger gets, it may read. */
static int check_sight(const struct rights *rights, struct span type, struct span config,
                       struct err *err)
{
	bool sees_scopes = span_is(type, "state") || span_is(type, "alarm");
	struct span value;
	struct buf text = {0};
	if (span_is(type, "dead")) {
		return check_word(rights, RIGHTS_DEAD, SPAN("a trigger of type dead"), err);
	}
	if (!sees_scopes) {
		return 0;
	}
	struct span scope = SPAN_NONE;
	if (config.ptr != NULL && json_get(config, SPAN("scope"), &value) &&
	    json_kind(value) == JSON_STRING) {
		(void)buf_reserve(&text, value.len);
		scope = json_plain(value, &text);
	}
	int status = permission_check_sight(rights, scope, err);
	buf_free(&text);
	return status;
}

int permission_check_trigger(const struct rights *rights, struct functions *functions,
                             const struct permission_call *handler, struct span type,
                             struct span config, struct err *err)
{
	if (rights == NULL) {
		return 0;
	}
	bool has_config = config.ptr != NULL && json_kind(config) == JSON_OBJECT;
	struct span object = has_config ? config : SPAN("{}");
	int status = check_handler(rights, functions, handler, true, err);
	if (status == 0) {
		status = check_steps(rights, functions, object, err);
	}
	return status == 0 ? check_sight(rights, type, object, err) : status;
}

/* engine::register_trigger: what a worker may do with a frame, and be allowed to manage them. */
static int check_new_trigger(const struct rights *rights, struct functions *functions,
                             struct span data, struct err *err)
{
	enum { FUNCTION, NAMESPACE, CONFIG, TYPE, SHORT_TYPE, COUNT };
	struct span found[COUNT];
	static const struct span names[COUNT] = {{"function_id", 11},
	                                         {"namespace", 9},
	                                         {"config", 6},
	                                         {"trigger_type", 12},
	                                         {"type", 4}};
	struct buf text = {0};
	json_get_many(data, names, COUNT, found);
	(void)buf_reserve(&text, data.len * 2); /* the texts must not move */
	const struct permission_call handler = {
	        .function_id = json_copy_text(found[FUNCTION], &text),
	        .namespace_ = json_copy_text(found[NAMESPACE], &text)};
	struct span type = json_copy_text(found[TYPE], &text);
	if (type.len == 0) {
		type = json_copy_text(found[SHORT_TYPE], &text);
	}
	int status =
	        permission_check_trigger(rights, functions, &handler, type, found[CONFIG], err);
	buf_free(&text);
	return status;
}

/* The call that a message holds; the data may stand under either name. */
static int check_letter(const struct rights *rights, struct functions *functions,
                        const struct permission_call *letter, struct err *err)
{
	struct span data = letter->data;
	static const struct span names[4] = {
	        {"function_id", 11}, {"namespace", 9}, {"data", 4}, {"payload", 7}};
	struct span found[4];
	struct buf text = {0};
	json_get_many(data, names, 4, found);
	(void)buf_reserve(&text, data.len);
	struct span given = found[2].ptr != NULL ? found[2] : found[3];
	struct permission_call call = {.function_id = json_copy_text(found[0], &text),
	                               .namespace_ = json_copy_text(found[1], &text),
	                               .data = given.ptr != NULL ? given : SPAN("{}")};
	if (call.namespace_.len == 0) {
		call.namespace_ = letter->namespace_;
	}
	int status = span_is(call.function_id, QUEUE_ENQUEUE)
	                     ? check_word(rights, RIGHTS_EVERYTHING, call.function_id, err)
	                     : permission_check(rights, functions, &call, err);
	buf_free(&text);
	return status;
}

/* ---- the whole ---- */

static int check_row(const struct rights *rights, struct functions *functions,
                     const struct permission_row *row, const struct permission_call *call,
                     struct err *err)
{
	struct span id = span_of(row->function);
	struct span data = call->data;
	int status = 0;
	switch (row->kind) {
	case PERMISSION_ANYBODY:
		return 0;
	case PERMISSION_MANAGE:
		return check_word(rights, row->word, id, err);
	case PERMISSION_SELF:
		return rights_allow(rights, RIGHT_INVOKE, id) ? 0 : deny(RIGHT_INVOKE, id, err);
	case PERMISSION_SCOPE:
		return check_scope(rights, row->right, data, err);
	case PERMISSION_EVERY:
		return check_every(rights, row->right, err);
	case PERMISSION_SPACE:
		return check_namespace(rights, RIGHT_READ, data, err);
	case PERMISSION_ITEMS:
	case PERMISSION_OPS:
		return check_many(rights, row, data, err);
	case PERMISSION_ALARM:
		status = check_scope(rights, RIGHT_WRITE, data, err);
		return status != 0 ? status
		                   : check_handler_member(rights, functions, data, "function_id",
		                                          true, err);
	case PERMISSION_QUEUE:
		return check_letter(rights, functions, call, err);
	case PERMISSION_TRIGGER:
		status = check_word(rights, row->word, id, err);
		return status != 0 ? status : check_new_trigger(rights, functions, data, err);
	}
	return status;
}

int permission_check(const struct rights *rights, struct functions *functions,
                     const struct permission_call *call, struct err *err)
{
	if (rights == NULL) {
		return 0;
	}
	const struct function *function =
	        function_find(functions, call->namespace_, call->function_id);
	if (function == NULL || !span_is(function->namespace_, "engine")) {
		return rights_allow(rights, RIGHT_INVOKE, call->function_id)
		               ? 0
		               : deny(RIGHT_INVOKE, call->function_id, err);
	}
	const struct permission_row *row = find_row(call->function_id);
	if (row == NULL) {
		return check_word(rights, RIGHTS_EVERYTHING, call->function_id, err);
	}
	struct permission_call known = *call;
	if (known.data.len == 0 || json_kind(known.data) != JSON_OBJECT) {
		known.data = SPAN("{}"); /* the function will refuse it */
	}
	return check_row(rights, functions, row, &known, err);
}

int permission_check_work(const struct rights *rights, struct span function_id, struct err *err)
{
	if (rights == NULL || rights_allow(rights, RIGHT_WORK, function_id)) {
		return 0;
	}
	return err_set(err, E_DENIED, "forbidden", "this token has no right to serve (work) %.*s",
	               (int)(function_id.len < 200 ? function_id.len : 200), function_id.ptr);
}
