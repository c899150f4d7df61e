/* This file matches the bindings of workers with the catalog or with who provides their type. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/session_triggers.h"

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "triggers/triggers.h"

struct session_triggers {
	struct catalog *catalog;
	session_send_fn *send;
	void *ctx;
	struct list types;   /* provided_type.link */
	struct list foreign; /* foreign_binding.link, in the order of registration */
	struct list leaving; /* claim.leaving: released before they were durable */
};

/* A worker's claim on a trigger of the catalog. */
struct claim {
	struct trigger_hold hold;
	struct session_triggers *triggers;
	struct list leaving;
	bool answered;
	struct span trigger_type;
	struct span function_id;
};

/* A trigger type that a worker provides. */
struct provided_type {
	struct list link;
	struct worker *worker;
	struct span id;
};

/* A binding to a type that is not ours. */
struct foreign_binding {
	struct list link;
	struct worker *worker;
	struct message frame; /* spans are owned copies */
};

/* ---- our own types: the catalog ---- */

static void free_claim(struct claim *claim)
{
	list_remove(&claim->leaving);
	mem_free((char *)claim->hold.sdk_id.ptr);
	mem_free((char *)claim->trigger_type.ptr);
	mem_free((char *)claim->function_id.ptr);
	mem_free(claim);
}

static void claim_is_gone(struct trigger_hold *hold)
{
	struct claim *claim = MEM_CONTAINER(hold, struct claim, hold);
	hold->owner = NULL;
	if (claim->answered) {
		free_claim(claim);
	} else {
		list_push(&claim->triggers->leaving, &claim->leaving);
	}
}

static void claim_is_registered(struct trigger_hold *hold, int status, const struct err *err)
{
	struct claim *claim = MEM_CONTAINER(hold, struct claim, hold);
	struct session_triggers *triggers = claim->triggers;
	claim->answered = true;
	if (hold->owner == NULL) {
		free_claim(claim);
		return;
	}
	const struct message result = {
	        .type = MESSAGE_TRIGGER_REGISTRATION_RESULT,
	        .id = hold->sdk_id,
	        .trigger_type = claim->trigger_type,
	        .function_id = claim->function_id,
	};
	triggers->send(triggers->ctx, hold->owner, &result, status != 0 ? err : NULL);
}

static struct claim *find_claim(struct worker *worker, struct span id)
{
	LIST_EACH(&worker->holds, link)
	{
		struct trigger_hold *hold = MEM_CONTAINER(link, struct trigger_hold, in_session);
		if (span_equal(hold->sdk_id, id)) {
			return MEM_CONTAINER(hold, struct claim, hold);
		}
	}
	return NULL;
}

static void claim_trigger(struct session_triggers *triggers, struct worker *worker,
                          const struct message *frame)
{
	struct err err;
	struct claim *old = find_claim(worker, frame->id);
	if (old != NULL) {
		/* The same id again: what it says now replaces what it said. */
		catalog_release(triggers->catalog, &old->hold, false);
		claim_is_gone(&old->hold);
	}
	const struct trigger_spec spec = {
	        .origin = BINDING_WORKER,
	        .type = frame->trigger_type,
	        .namespace_ = frame->namespace.len ? frame->namespace : worker->namespace_,
	        .function_id = frame->function_id,
	        .config = json_is_null(frame->config) ? SPAN_NONE : frame->config,
	        .metadata = json_is_null(frame->metadata) ? SPAN_NONE : frame->metadata,
	};
	struct claim *claim = MEM_NEW(struct claim);
	claim->triggers = triggers;
	claim->trigger_type = mem_span(frame->trigger_type);
	claim->function_id = mem_span(frame->function_id);
	list_init(&claim->leaving);
	claim->hold.owner = worker;
	claim->hold.sdk_id = mem_span(frame->id);
	claim->hold.registered = claim_is_registered;
	claim->hold.gone = claim_is_gone;
	list_init(&claim->hold.in_session);
	list_init(&claim->hold.in_binding);
	if (catalog_register(triggers->catalog, &spec, &claim->hold, &err) != 0) {
		const struct message result = {
		        .type = MESSAGE_TRIGGER_REGISTRATION_RESULT,
		        .id = frame->id,
		        .trigger_type = frame->trigger_type,
		        .function_id = frame->function_id,
		};
		log_warn("session", "worker %s: a trigger of %.*s was refused: %s", worker->id,
		         SPAN_ARG(frame->function_id), err.text);
		err.code = "trigger_registration_failed";
		triggers->send(triggers->ctx, worker, &result, &err);
		free_claim(claim);
		return;
	}
	list_push(&worker->holds, &claim->hold.in_session);
}

/* ---- others' types ---- */

static struct provided_type *find_type(const struct session_triggers *triggers, struct span id)
{
	LIST_EACH(&triggers->types, link)
	{
		struct provided_type *type = MEM_CONTAINER(link, struct provided_type, link);
		if (span_equal(type->id, id)) {
			return type;
		}
	}
	return NULL;
}

static void forward(struct session_triggers *triggers, const struct provided_type *type,
                    const struct foreign_binding *binding)
{
	struct message frame = binding->frame;
	frame.type = MESSAGE_REGISTER_TRIGGER;
	triggers->send(triggers->ctx, type->worker, &frame, NULL);
}

static void park(struct session_triggers *triggers, struct worker *worker,
                 const struct message *frame)
{
	struct foreign_binding *binding = MEM_NEW(struct foreign_binding);
	binding->worker = worker;
	binding->frame.type = MESSAGE_REGISTER_TRIGGER;
	for (size_t i = 0; i < MESSAGE_FIELD_COUNT; i++) {
		if (frame->fields[i].ptr != NULL) {
			binding->frame.fields[i] = mem_span(frame->fields[i]);
		}
	}
	if (binding->frame.namespace.ptr == NULL) {
		binding->frame.namespace = mem_span(worker->namespace_);
	}
	list_push(&triggers->foreign, &binding->link);
	const struct provided_type *type = find_type(triggers, frame->trigger_type);
	if (type != NULL) {
		forward(triggers, type, binding);
		return; /* the provider answers */
	}
	log_info("session", "trigger type \"%.*s\" is not provided by any worker yet; %.*s waits",
	         SPAN_ARG(frame->trigger_type), SPAN_ARG(frame->function_id));
	const struct message result = {
	        .type = MESSAGE_TRIGGER_REGISTRATION_RESULT,
	        .id = frame->id,
	        .trigger_type = frame->trigger_type,
	        .function_id = frame->function_id,
	};
	triggers->send(triggers->ctx, worker, &result, NULL);
}

static void end_foreign(struct session_triggers *triggers, struct foreign_binding *binding)
{
	const struct provided_type *type = find_type(triggers, binding->frame.trigger_type);
	if (type != NULL) {
		const struct message frame = {
		        .type = MESSAGE_UNREGISTER_TRIGGER,
		        .id = binding->frame.id,
		        .trigger_type = binding->frame.trigger_type,
		};
		triggers->send(triggers->ctx, type->worker, &frame, NULL);
	}
	list_remove(&binding->link);
	for (size_t i = 0; i < MESSAGE_FIELD_COUNT; i++) {
		mem_free((char *)binding->frame.fields[i].ptr);
	}
	mem_free(binding);
}

void session_register_type(struct session_triggers *triggers, struct worker *worker,
                           const struct message *frame)
{
	struct provided_type *type = find_type(triggers, frame->id);
	if (type == NULL) {
		type = MEM_NEW(struct provided_type);
		type->id = mem_span(frame->id);
		list_push(&triggers->types, &type->link);
	}
	type->worker = worker;
	LIST_EACH(&triggers->foreign, link)
	{
		struct foreign_binding *binding = MEM_CONTAINER(link, struct foreign_binding, link);
		if (span_equal(binding->frame.trigger_type, frame->id)) {
			forward(triggers, type, binding);
		}
	}
}

static void free_type(struct provided_type *type)
{
	list_remove(&type->link);
	mem_free((char *)type->id.ptr);
	mem_free(type);
}

void session_unregister_type(struct session_triggers *triggers, struct worker *worker,
                             struct span id)
{
	struct provided_type *type = find_type(triggers, id);
	if (type != NULL && type->worker == worker) {
		free_type(type);
	}
}

void session_type_answered(struct session_triggers *triggers, struct worker *worker,
                           const struct message *frame)
{
	(void)worker;
	LIST_EACH(&triggers->foreign, link)
	{
		struct foreign_binding *binding = MEM_CONTAINER(link, struct foreign_binding, link);
		if (span_equal(binding->frame.id, frame->id)) {
			triggers->send(triggers->ctx, binding->worker, frame, NULL);
			return;
		}
	}
}

void session_types_lost(struct session_triggers *triggers, struct worker *worker)
{
	LIST_EACH(&triggers->types, link)
	{
		struct provided_type *type = MEM_CONTAINER(link, struct provided_type, link);
		if (type->worker == worker) {
			free_type(type);
		}
	}
	LIST_EACH(&triggers->foreign, foreign_link)
	{
		struct foreign_binding *binding =
		        MEM_CONTAINER(foreign_link, struct foreign_binding, link);
		if (binding->worker == worker) {
			end_foreign(triggers, binding);
		}
	}
}

/* ---- frames ---- */

void session_register_trigger(struct session_triggers *triggers, struct worker *worker,
                              const struct message *frame)
{
	if (trigger_type_is_ours(frame->trigger_type)) {
		claim_trigger(triggers, worker, frame);
	} else {
		park(triggers, worker, frame);
	}
}

void session_unregister_trigger(struct session_triggers *triggers, struct worker *worker,
                                struct span id)
{
	struct claim *claim = find_claim(worker, id);
	if (claim != NULL) {
		catalog_release(triggers->catalog, &claim->hold, true);
		claim_is_gone(&claim->hold);
		return;
	}
	LIST_EACH(&triggers->foreign, link)
	{
		struct foreign_binding *binding = MEM_CONTAINER(link, struct foreign_binding, link);
		if (binding->worker == worker && span_equal(binding->frame.id, id)) {
			end_foreign(triggers, binding);
		}
	}
}

struct session_triggers *session_triggers_new(struct catalog *catalog, session_send_fn *send,
                                              void *ctx)
{
	struct session_triggers *triggers = MEM_NEW(struct session_triggers);
	triggers->catalog = catalog;
	triggers->send = send;
	triggers->ctx = ctx;
	list_init(&triggers->types);
	list_init(&triggers->foreign);
	list_init(&triggers->leaving);
	return triggers;
}

void session_triggers_free(struct session_triggers *triggers)
{
	if (triggers != NULL) {
		LIST_EACH(&triggers->leaving, link)
		{
			free_claim(MEM_CONTAINER(link, struct claim, leaving));
		}
		PRE(list_is_empty(&triggers->types) && list_is_empty(&triggers->foreign));
		mem_free(triggers);
	}
}
