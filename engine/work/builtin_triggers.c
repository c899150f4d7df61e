/* This file lists, registers, removes, pauses and resumes triggers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/core/alarm_names.h"
#include "engine/core/catalog.h"
#include "engine/core/footprint.h"
#include "engine/core/queue_names.h"
#include "engine/core/react.h"
#include "engine/core/throttle.h"
#include "engine/core/timetable.h"
#include "engine/work/builtin.h"
#include "triggers/triggers.h"

static const char *origin_name(enum binding_origin origin)
{
	switch (origin) {
	case BINDING_CONFIG:
		return "config";
	case BINDING_WORKER:
		return "worker";
	case BINDING_API:
		break;
	}
	return "api";
}

static void write_tally(const struct binding *binding, struct buf *out)
{
	const struct filter_tally *tally = &binding->filter->tally;
	json_write_member_uint(out, "considered", tally->considered);
	json_write_member_uint(out, "condition_false",
	                       tally->condition_false + binding->condition_no);
	json_write_member_uint(out, "condition_errors", tally->condition_errors);
	json_write_name(out, "last_condition_error");
	if (tally->condition_errors == 0) {
		BUF_LITERAL(out, "null");
	} else {
		buf_byte(out, '{');
		json_write_member_string(out, "text", span_of(filter_error(binding->filter)));
		json_write_member_uint(out, "seq", tally->error_seq);
		buf_byte(out, '}');
	}
	json_write_member_uint(out, "evaluation_ns",
	                       tally->samples != 0 ? tally->samples_ns / tally->samples : 0);
}

static const char *status_of(const struct binding *binding, bool bound)
{
	if (binding->pause.is_on) {
		return "paused";
	}
	if (!bound) {
		return binding->was_bound ? "waiting" : "unbound";
	}
	return binding->lagging ? "lagging" : "live";
}

static void write_pause(const struct pause *pause, struct buf *out)
{
	char since[CLOCK_TEXT_LEN + 1];
	clock_format(pause->since_ms, since);
	json_write_member_string(out, "pause", span_of(pause_mode_name(pause->mode)));
	json_write_member_string(out, "paused_since", span_of(since));
	json_write_member_string(out, "paused_because", span_of(pause->reason));
}

static void write_windows(const struct windows *windows, struct buf *out)
{
	char next[CLOCK_TEXT_LEN + 1];
	json_write_name(out, "windows");
	buf_byte(out, '{');
	json_write_member_uint(out, "open", windows->count);
	json_write_member_uint(out, "events", windows->events);
	if (windows_next_deadline(windows) != 0) {
		clock_format(windows_next_deadline(windows), next);
		json_write_member_string(out, "next_deadline", span_of(next));
	}
	json_write_member_uint(out, "key_errors", windows->key_errors);
	buf_byte(out, '}');
}

static void write_warning(const struct binding *binding, struct buf *out)
{
	struct buf text = {0};
	if (footprint_warns(binding, &text)) {
		json_write_member_string(out, "warning", buf_view(&text));
	}
	buf_free(&text);
}

static void write_disabled(const struct function *served, struct buf *out)
{
	struct span reason = served != NULL ? function_disabled(served) : SPAN_NONE;
	if (reason.ptr != NULL) {
		json_write_member_string(out, "function_disabled", reason);
	}
}

static void write_route(const struct http_rule *rule, struct buf *out)
{
	struct buf route = {0};
	buf_format(&route, "%.*s %.*s", SPAN_ARG(rule->method), SPAN_ARG(rule->path));
	json_write_member_string(out, "route", buf_view(&route));
	buf_free(&route);
}

static void write_time(const char *name, int64_t time_ms, struct buf *out)
{
	char text[CLOCK_TEXT_LEN + 1];
	if (time_ms != 0) {
		clock_format(time_ms, text);
		json_write_member_string(out, name, span_of(text));
	} else {
		json_write_member_raw(out, name, SPAN("null"));
	}
}

static void write_times(const struct binding *binding, struct buf *out)
{
	struct timetable_view view;
	if (timetable_show(binding, &view)) {
		write_time("next_fire", view.next_ms, out);
		write_time("last_fire", view.last_ms, out);
		json_write_member_uint(out, "fired", view.fired);
		json_write_member_uint(out, "skipped", view.skipped);
		json_write_member_uint(out, "missed", view.missed);
	}
}

static void write_binding(const struct core *core, const struct binding *binding, struct buf *out)
{
	struct function *served =
	        function_find(core->functions, binding->namespace_, binding->function_id);
	bool bound = served != NULL || function_is_offered(binding->watch.function);
	buf_byte(out, '{');
	json_write_member_string(out, "id", binding->id);
	json_write_member_uint(out, "version", binding->version);
	json_write_member_string(out, "trigger_type", binding->type);
	json_write_member_string(out, "function_id", binding->function_id);
	json_write_member_string(out, "namespace", binding->namespace_);
	json_write_member_string(out, "origin", span_of(origin_name(binding->origin)));
	json_write_member_bool(out, "durable", binding->stays);
	json_write_member_string(out, "status", span_of(status_of(binding, bound)));
	if (binding->pause.is_on) {
		write_pause(&binding->pause, out);
	}
	write_disabled(served, out);
	if (binding->filter->http != NULL) {
		write_route(binding->filter->http, out);
	}
	write_times(binding, out);
	json_write_member_string(out, "config_summary", binding->config);
	json_write_member_raw(out, "config", binding->config);
	if (binding->metadata.len != 0) {
		json_write_member_raw(out, "metadata", binding->metadata);
	}
	json_write_member_uint(out, "from_seq", binding->from_seq);
	json_write_member_uint(out, "until_seq", binding->until_seq);
	json_write_member_uint(out, "cursor", react_cursor(core->react, binding));
	json_write_member_uint(out, "waiting", binding->held - binding->busy);
	json_write_member_uint(out, "running", binding->busy);
	if (binding->windows != NULL) {
		write_windows(binding->windows, out);
	}
	if (binding->throttle != NULL) {
		json_write_member_uint(out, "throttled", binding->throttle->waiting);
	}
	json_write_member_uint(out, "matched", binding->matched);
	json_write_member_uint(out, "delivered", binding->delivered);
	json_write_member_uint(out, "paused_keys", binding->blocked);
	json_write_member_uint(out, "dropped", binding->dropped);
	json_write_member_uint(out, "cancelled", binding->cancelled);
	write_tally(binding, out);
	json_write_member_uint(out, "failed_attempts", binding->failed);
	json_write_member_uint(out, "retries", binding->retried);
	json_write_member_uint(out, "dead", binding->buried);
	json_write_member_string(out, "last_error", span_of(binding->last_error));
	write_warning(binding, out);
	struct executor *holder = NULL;
	LIST_EACH(&binding->holders, link)
	{
		const struct trigger_hold *hold =
		        MEM_CONTAINER(link, struct trigger_hold, in_binding);
		holder = hold->owner;
	}
	json_write_member_string(out, "worker_name", holder ? holder->name : SPAN(""));
	buf_byte(out, '}');
}

struct binding_list {
	struct work *work;
	bool with_queues;
};

static void add_binding(void *ctx, struct binding *binding)
{
	const struct binding_list *list = ctx;
	bool is_engines = span_is(binding->type, QUEUE_TYPE) ||
	                  span_starts_with(binding->id, SPAN(ALARM_TRIGGERS));
	if (list->with_queues || !is_engines) {
		json_write_comma(&list->work->out);
		write_binding(list->work->core, binding, &list->work->out);
	}
}

/* Queues are lists of their own (engine::queue::list). */
static void list_bindings(struct work *work, struct span data)
{
	struct binding_list list = {work, work_bool(data, "include_internal")};
	BUF_LITERAL(&work->out, "{\"registered_triggers\":[");
	catalog_each(work->core->catalog, add_binding, &list);
	BUF_LITERAL(&work->out, "]}");
	work_reply_out(work);
}

static void show_binding(struct work *work, struct span data)
{
	struct span id = work_text(data, "id", &work->data);
	struct binding *binding = catalog_find(work->core->catalog, id);
	if (binding == NULL) {
		work_refuse(work, "trigger_not_found",
		            "there is no trigger \"%.*s\"; `pawl triggers` lists them",
		            SPAN_ARG(id));
		return;
	}
	write_binding(work->core, binding, &work->out);
	work_reply_out(work);
}

static void list_types(struct work *work, struct span data)
{
	(void)data;
	BUF_LITERAL(&work->out, "{\"triggers\":[");
	for (size_t i = 0; i < trigger_type_count(); i++) {
		const struct trigger_type *type = trigger_type_at(i);
		if (i != 0) {
			buf_byte(&work->out, ',');
		}
		buf_byte(&work->out, '{');
		json_write_member_string(&work->out, "id", span_of(type->name));
		json_write_member_string(&work->out, "worker_name", SPAN("engine"));
		json_write_member_string(&work->out, "description", span_of(type->help));
		buf_byte(&work->out, '}');
	}
	BUF_LITERAL(&work->out, "]}");
	work_reply_out(work);
}

/* ---- registering for good ---- */

/* A hold that only waits for the trigger to be durable. */
struct registration {
	struct trigger_hold hold;
	struct work *work;
	struct buf text;
	bool is_put; /* the answer tells the version, and whether there was another */
	bool replaces;
};

static void free_registration(struct registration *registration)
{
	buf_free(&registration->text);
	mem_free(registration);
}

static void write_placed(const struct registration *registration, const struct binding *binding,
                         struct buf *out)
{
	if (registration->is_put) {
		json_write_member_uint(out, "version", binding->version);
		json_write_member_bool(out, "replaced", registration->replaces);
	}
}

static void was_registered(struct trigger_hold *hold, int status, const struct err *err)
{
	struct registration *registration = MEM_CONTAINER(hold, struct registration, hold);
	struct work *work = registration->work;
	if (status != 0) {
		work_fail(work, err);
	} else {
		buf_byte(&work->out, '{');
		json_write_member_string(&work->out, "id", hold->sdk_id);
		if (hold->binding != NULL) {
			write_placed(registration, hold->binding, &work->out);
			write_warning(hold->binding, &work->out);
		}
		buf_byte(&work->out, '}');
		work_reply_out(work);
	}
	if (hold->binding != NULL) {
		list_remove(&hold->in_binding);
	}
	free_registration(registration);
}

static void never_gone(struct trigger_hold *hold)
{
	(void)hold;
	NEVER("a registration is on no session's list");
}

static struct span member(struct span data, const char *name)
{
	struct span value;
	return json_get(data, span_of(name), &value) && !json_is_null(value) ? value : SPAN_NONE;
}

static void begin_registration(struct work *work, struct span data,
                               struct registration *registration)
{
	struct buf *text = &registration->text;
	/* All texts together are no longer than the data: the buffer does not move. */
	(void)buf_reserve(text, data.len * 2 + 64);
	struct trigger_spec spec = {
	        .origin = BINDING_API,
	        .id = work_text(data, "id", text),
	        .type = work_text(data, "trigger_type", text),
	        .namespace_ = work_text(data, "namespace", text),
	        .function_id = work_text(data, "function_id", text),
	        .config = member(data, "config"),
	        .metadata = member(data, "metadata"),
	};
	if (spec.type.len == 0) {
		spec.type = work_text(data, "type", text);
	}
	if (spec.id.len == 0) {
		char id[ID_UUID_LEN + 1];
		id_uuid(id);
		size_t at = text->len;
		buf_add(text, id, ID_UUID_LEN);
		spec.id = span_make(text->ptr + at, ID_UUID_LEN);
	}
	registration->work = work;
	registration->hold.sdk_id = spec.id;
	registration->hold.registered = was_registered;
	registration->hold.gone = never_gone;
	list_init(&registration->hold.in_session);
	list_init(&registration->hold.in_binding);
	struct err err;
	if (catalog_register(work->core->catalog, &spec, &registration->hold, &err) != 0) {
		work_fail(work, &err);
		free_registration(registration);
	}
}

static void register_trigger(struct work *work, struct span data)
{
	begin_registration(work, data, MEM_NEW(struct registration));
}

/* A trigger that is as it should be stays as it is; another one gets a new version. */
static void put_trigger(struct work *work, struct span data)
{
	struct span id = work_text(data, "id", &work->data);
	const struct binding *there = catalog_find(work->core->catalog, id);
	if (id.len == 0) {
		work_refuse(work, "argument_required", "name the trigger by its id");
	} else if (there != NULL && there->origin == BINDING_CONFIG) {
		work_refuse(work, "trigger_in_config",
		            "trigger \"%.*s\" stands in the engine's config; change it there",
		            SPAN_ARG(id));
	} else {
		struct registration *registration = MEM_NEW(struct registration);
		registration->is_put = true;
		registration->replaces = there != NULL;
		begin_registration(work, data, registration);
	}
}

/* ---- removing, pausing ---- */

static void unregister_trigger(struct work *work, struct span data)
{
	struct span id = work_text(data, "id", &work->data);
	struct store_waiter *waiter = work_waiter(work);
	struct err err;
	BUF_LITERAL(&work->out, "{\"removed\":true}");
	if (catalog_remove(work->core->catalog, id, waiter, &err) != 0) {
		work_waiter_fail(waiter, &err);
	}
}

static void answer_with_pause(struct work *work, struct span id, bool paused)
{
	buf_byte(&work->out, '{');
	json_write_member_string(&work->out, "id", id);
	json_write_member_bool(&work->out, "paused", paused);
	buf_byte(&work->out, '}');
}

static void pause_trigger(struct work *work, struct span data)
{
	(void)buf_reserve(&work->data, data.len * 4); /* the texts must not move */
	struct span id = work_text(data, "id", &work->data);
	struct span word = work_text(data, "mode", &work->data);
	struct span reason = work_text(data, "reason", &work->data);
	enum trigger_pause mode;
	if (word.len != 0 && !pause_mode_parse(word, &mode)) {
		work_refuse(work, "invalid_data", "'mode' is hold or drop, not \"%.*s\"",
		            (int)(word.len < 64 ? word.len : 64), word.ptr);
		return;
	}
	struct store_waiter *waiter = work_waiter(work);
	struct err err;
	answer_with_pause(work, id, true);
	if (catalog_pause(work->core->catalog, id, word.len != 0 ? &mode : NULL, reason, waiter,
	                  &err) != 0) {
		work_waiter_fail(waiter, &err);
	}
}

static void resume_trigger(struct work *work, struct span data)
{
	(void)buf_reserve(&work->data, data.len * 4); /* the texts must not move */
	struct span id = work_text(data, "id", &work->data);
	struct span scope = work_text(data, "scope", &work->data);
	struct span key = work_text(data, "key", &work->data);
	struct catalog *catalog = work->core->catalog;
	struct store_waiter *waiter = work_waiter(work);
	struct err err;
	answer_with_pause(work, id, false);
	int status = key.ptr != NULL ? catalog_release_key(catalog, id, scope, key, waiter, &err)
	                             : catalog_resume(catalog, id, waiter, &err);
	if (status != 0) {
		work_waiter_fail(waiter, &err);
	}
}

const struct builtin_row builtin_trigger_rows[] = {
        {"engine::triggers::list", list_types, "Lists the types of triggers."},
        {"engine::registered-triggers::list", list_bindings, "Lists the triggers."},
        {"engine::registered-triggers::info", show_binding, "Shows one trigger."},
        {"engine::register_trigger", register_trigger, "Registers a durable trigger."},
        {"engine::triggers::put", put_trigger, "Makes a durable trigger, or replaces it."},
        {"engine::unregister_trigger", unregister_trigger, "Removes a durable trigger."},
        {"engine::triggers::pause", pause_trigger,
         "Pauses a trigger: its events wait, or are dropped."},
        {"engine::triggers::resume", resume_trigger,
         "Lets a paused trigger, or a key of it, go on."},
        {NULL, NULL, NULL},
};
