/* This file registers, versions and removes triggers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/catalog_inside.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/alarm_names.h"
#include "engine/core/footprint.h"
#include "engine/core/job_store.h"
#include "engine/core/queue_names.h"
#include "engine/core/redeploy.h"
#include "engine/core/routing.h"
#include "engine/core/timetable.h"
#include "engine/core/trigger_record.h"
#include "engine/durable/space.h"
#include "triggers/triggers.h"
#include <stdio.h>

enum { UNBOUND_MS = 60000 };

/* ---- bindings in memory ---- */

struct binding_name {
	struct span id;
	uint32_t version; /* 0 = the current one */
};

static bool has_name(const struct map_node *node, const void *key)
{
	const struct binding *binding = MEM_CONTAINER(node, struct binding, by_name);
	const struct binding_name *name = key;
	bool fits = name->version ? binding->version == name->version : binding->until_seq == 0;
	return fits && span_equal(binding->id, name->id);
}

static struct binding *lookup(const struct catalog *catalog, struct span id, uint32_t version)
{
	struct binding_name name = {id, version};
	struct map_node *node = map_get(&catalog->by_name, hash_bytes(id, 0), &name, has_name);
	return node ? MEM_CONTAINER(node, struct binding, by_name) : NULL;
}

struct binding *catalog_find(const struct catalog *catalog, struct span id)
{
	return lookup(catalog, id, 0);
}

struct binding *catalog_find_version(const struct catalog *catalog, struct span id,
                                     uint32_t version)
{
	return lookup(catalog, id, version);
}

struct binding *catalog_find_owner(const struct catalog *catalog, struct span id, uint64_t seq)
{
	LIST_EACH(&catalog->bindings, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, link);
		if (span_equal(binding->id, id) &&
		    (dispatch_has_seq(binding, seq) || job_store_is_done(binding, seq))) {
			return binding;
		}
	}
	return NULL;
}

void catalog_each(const struct catalog *catalog, catalog_each_fn *each, void *ctx)
{
	LIST_EACH(&catalog->bindings, link)
	{
		each(ctx, MEM_CONTAINER(link, struct binding, link));
	}
}

const struct timetable_figures *catalog_cron_figures(const struct catalog *catalog)
{
	return timetable_figures(catalog->timetable);
}

size_t catalog_count(const struct catalog *catalog)
{
	return catalog->count;
}

static void detach_is_due(struct alarm *alarm);

static void tell_footprint(const struct binding *binding)
{
	struct buf why = {0};
	if (binding->until_seq == 0 && footprint_warns(binding, &why)) {
		log_warn("catalog", "trigger %.*s may wake itself: %.*s", SPAN_ARG(binding->id),
		         SPAN_ARG(buf_view(&why)));
	}
	buf_free(&why);
}

/* Takes the binding over: from here on it is judged by and watched for. */
static void enter(struct catalog *catalog, struct binding *binding, uint64_t own_cursor)
{
	list_init(&binding->holders);
	list_init(&binding->in_route);
	binding->detach.fn = detach_is_due;
	binding->catalog = catalog;
	list_push(&catalog->bindings, &binding->link);
	map_add(&catalog->by_name, &binding->by_name, hash_bytes(binding->id, 0));
	catalog->count++;
	alarm_set_in(catalog->alarms, &catalog->unbound, UNBOUND_MS);
	if (binding->filter->cron != NULL) {
		binding->filter->scope = mem_span(binding->id); /* its own times only */
	}
	binding->footprint =
	        footprint_take(catalog->footprints, binding->namespace_, binding->function_id);
	tell_footprint(binding);
	dispatch_attach(catalog->dispatch, binding);
	react_add(catalog->react, binding, own_cursor);
	if (binding->filter->http != NULL && catalog->options.routing != NULL &&
	    binding->until_seq == 0) {
		routing_add(catalog->options.routing, binding);
	}
}

static void leave(struct catalog *catalog, struct binding *binding, bool keep_records)
{
	alarm_clear(catalog->alarms, &binding->detach);
	LIST_EACH(&binding->holders, link)
	{
		MEM_CONTAINER(link, struct trigger_hold, in_binding)->binding = NULL;
		list_remove(link);
	}
	routing_remove(catalog->options.routing, binding);
	timetable_end(catalog->timetable, binding, keep_records);
	react_remove(catalog->react, binding, keep_records);
	dispatch_detach(catalog->dispatch, binding, keep_records);
	list_remove(&binding->link);
	map_remove(&catalog->by_name, &binding->by_name);
	catalog->count--;
	footprint_drop(catalog->footprints, binding->footprint);
	trigger_record_free(binding);
}

static void delete_record(struct catalog *catalog, const struct binding *binding)
{
	struct space_key room;
	store_delete(catalog->store, space_trigger(&room, binding->id, binding->version), 0);
}

void catalog_put_record(struct catalog *catalog, const struct binding *binding)
{
	struct space_key room;
	struct buf value = {0};
	trigger_record_encode(binding, &value);
	struct record record = {.value = buf_view(&value)};
	store_put(catalog->store, space_trigger(&room, binding->id, binding->version), &record);
	buf_free(&value);
}

/* Gone at once, with all that waits. */
static void remove_now(struct catalog *catalog, struct binding *binding)
{
	delete_record(catalog, binding);
	leave(catalog, binding, false);
}

/* Judges nothing from `until_seq` on; goes when all before that is settled. */
void catalog_end_at(struct catalog *catalog, struct binding *binding, uint64_t until_seq)
{
	binding->until_seq = until_seq;
	routing_remove(catalog->options.routing, binding);
	timetable_end(catalog->timetable, binding, false);
	catalog_put_record(catalog, binding);
	react_touch(catalog->react, binding);
}

static void version_is_finished(void *ctx, struct binding *binding)
{
	struct catalog *catalog = ctx;
	if (store_can_put(catalog->store)) {
		remove_now(catalog, binding);
		store_commit_lazy(catalog->store);
	}
}

/* The store has lost what was put last. */
static void put_all(void *ctx)
{
	struct catalog *catalog = ctx;
	LIST_EACH(&catalog->bindings, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, link);
		catalog_put_record(catalog, binding);
		react_drop_cursor(catalog->react, binding);
	}
	timetable_recovered(catalog->timetable);
}

/* ---- registering ---- */

int catalog_build(const struct catalog *catalog, const struct trigger_spec *spec,
                  struct binding **out, struct err *err)
{
	return trigger_spec_build(catalog->options.conditions, &catalog->options.defaults, spec,
	                          out, err);
}

int catalog_check(const struct catalog *catalog, const struct trigger_spec *spec, struct err *err)
{
	struct binding *binding;
	int status = catalog_build(catalog, spec, &binding, err);
	if (status == 0) {
		trigger_record_free(binding);
	}
	return status;
}

/* Identity of a worker's trigger: what it is, and its ordinal among equals of its connection. */
static struct span identity(const struct binding *binding, uint64_t ordinal)
{
	uint64_t hash = hash_stable(binding->namespace_, ordinal);
	hash = hash_stable(binding->type, hash);
	hash = hash_stable(binding->function_id, hash);
	hash = hash_stable(binding->config, hash);
	uint64_t more = hash_stable(binding->config, hash ^ 1);
	char text[40];
	int len = snprintf(text, sizeof text, "w-%016llx%08x", (unsigned long long)hash,
	                   (unsigned)(more >> 32));
	return mem_span(span_make(text, (size_t)len));
}

static bool is_held_by(const struct binding *binding, const void *owner)
{
	LIST_EACH(&binding->holders, link)
	{
		if (MEM_CONTAINER(link, struct trigger_hold, in_binding)->owner == owner) {
			return true;
		}
	}
	return false;
}

static bool is_same(const struct binding *a, const struct binding *b)
{
	return span_equal(a->type, b->type) && span_equal(a->namespace_, b->namespace_) &&
	       span_equal(a->function_id, b->function_id) && span_equal(a->config, b->config);
}

static void take_metadata(struct catalog *catalog, struct binding *binding, struct span metadata)
{
	if (!span_equal(binding->metadata, metadata)) {
		mem_free((char *)binding->metadata.ptr);
		binding->metadata = metadata.len != 0 ? mem_span(metadata) : SPAN_NONE;
		binding->filter->metadata = binding->metadata;
		catalog_put_record(catalog, binding);
	}
}

/* Who declared it last answers for it. */
static void take_origin(struct catalog *catalog, struct binding *binding,
                        const struct binding *declared)
{
	if (binding->origin != declared->origin) {
		binding->origin = declared->origin;
		binding->stays = declared->stays;
		catalog_put_record(catalog, binding);
	}
}

static bool has_id(const struct map_node *node, const void *key)
{
	return span_equal(MEM_CONTAINER(node, struct binding, by_name)->id,
	                  *(const struct span *)key);
}

static void each_version(void *ctx, struct span id, void (*each)(void *, struct binding *),
                         void *each_ctx)
{
	const struct catalog *catalog = ctx;
	struct map_node *node = map_get(&catalog->by_name, hash_bytes(id, 0), &id, has_id);
	for (; node != NULL; node = map_get_next(node, &id, has_id)) {
		each(each_ctx, MEM_CONTAINER(node, struct binding, by_name));
	}
}

static struct binding *find_current(void *ctx, struct span id)
{
	return catalog_find(ctx, id);
}

/* Of all that are known, ended ones too: they keep their records until they are finished. */
static uint32_t last_version(const struct catalog *catalog, struct span id)
{
	uint32_t last = 0;
	struct map_node *node = map_get(&catalog->by_name, hash_bytes(id, 0), &id, has_id);
	for (; node != NULL; node = map_get_next(node, &id, has_id)) {
		uint32_t version = MEM_CONTAINER(node, struct binding, by_name)->version;
		last = version > last ? version : last;
	}
	return last;
}

/* The current binding of this content: an old one, or the fresh one, which is taken over either
 * way. */
struct binding *catalog_place(struct catalog *catalog, struct binding *fresh)
{
	struct binding *old = lookup(catalog, fresh->id, 0);
	if (old != NULL && is_same(old, fresh)) {
		take_metadata(catalog, old, fresh->metadata);
		take_origin(catalog, old, fresh);
		trigger_record_free(fresh);
		return old;
	}
	uint64_t next_seq = store_next_seq(catalog->store);
	fresh->from_seq =
	        redeploy_begins_at(dispatch_held_back(catalog->dispatch), fresh, next_seq);
	fresh->version = last_version(catalog, fresh->id) + 1;
	catalog_inherit_pause(catalog, fresh, old);
	if (fresh->filter->cron != NULL) {
		timetable_begin(catalog->timetable, fresh, old);
	}
	if (old != NULL) {
		catalog_end_at(catalog, old, fresh->from_seq);
	}
	catalog_put_record(catalog, fresh);
	enter(catalog, fresh, REACT_NO_CURSOR);
	if (fresh->from_seq < next_seq) {
		react_begin_at(catalog->react, fresh, fresh->from_seq);
	}
	return fresh;
}

static void hold_is_durable(struct store_waiter *waiter, int status, const struct err *err)
{
	struct trigger_hold *hold = MEM_CONTAINER(waiter, struct trigger_hold, waiter);
	hold->registered(hold, status, err);
}

int catalog_check_function(const struct trigger_spec *spec, struct err *err)
{
	bool is_queue =
	        span_is(spec->type, QUEUE_TYPE) || span_starts_with(spec->id, SPAN(QUEUE_TRIGGER));
	if (is_queue && spec->origin != BINDING_CONFIG) {
		return err_set(err, E_INVALID, "trigger_registration_failed",
		               "queues, and triggers whose ids begin with \"" QUEUE_TRIGGER
		               "\", are made from `queues` of the config");
	}
	if (span_starts_with(spec->id, SPAN(ALARM_TRIGGERS)) && spec->origin != BINDING_CONFIG) {
		return err_set(err, E_INVALID, "trigger_registration_failed",
		               "the ids that begin with \"" ALARM_TRIGGERS
		               "\" are the engine's; choose another one");
	}
	if (spec->function_id.len == 0 || spec->function_id.len > 512) {
		return err_set(err, E_INVALID, "trigger_registration_failed",
		               "a trigger names the function that it wakes: function_id of 1 to "
		               "512 bytes");
	}
	return 0;
}

int catalog_register(struct catalog *catalog, const struct trigger_spec *spec,
                     struct trigger_hold *hold, struct err *err)
{
	struct binding *fresh;
	if (store_refuses_records(catalog->store, err) != 0 ||
	    catalog_check_function(spec, err) != 0 ||
	    catalog_build(catalog, spec, &fresh, err) != 0) {
		return err->number;
	}
	if (spec->id.len != 0) {
		fresh->id = mem_span(spec->id);
	} else {
		for (uint64_t ordinal = 0;; ordinal++) {
			fresh->id = identity(fresh, ordinal);
			const struct binding *there = lookup(catalog, fresh->id, 0);
			if (there == NULL || !is_held_by(there, hold->owner)) {
				break;
			}
			mem_free((char *)fresh->id.ptr);
		}
	}
	if (catalog_check_route(catalog, fresh, err) != 0) {
		trigger_record_free(fresh);
		return err->number;
	}
	if (fresh->origin == BINDING_WORKER &&
	    function_find(catalog->functions, fresh->namespace_, fresh->function_id) == NULL) {
		/* Its function comes later. */
		catalog_function_comes(catalog, fresh->namespace_, fresh->function_id);
	}
	struct binding *binding = catalog_place(catalog, fresh);
	alarm_clear(catalog->alarms, &binding->detach);
	hold->binding = binding;
	list_push(&binding->holders, &hold->in_binding);
	dispatch_hold_back(catalog->dispatch, binding, 0);
	hold->waiter.done = hold_is_durable;
	store_commit(catalog->store, &hold->waiter);
	return 0;
}

/* ---- holders ---- */

static void begin_grace(struct catalog *catalog, struct binding *binding)
{
	alarm_set_in(catalog->alarms, &binding->detach, catalog->options.detach_grace_ms);
}

static void detach_is_due(struct alarm *alarm)
{
	struct binding *binding = MEM_CONTAINER(alarm, struct binding, detach);
	struct catalog *catalog = binding->catalog;
	bool owes = !dispatch_owes_nothing(binding) || binding->lagging;
	if (!store_can_put(catalog->store) || binding->pause.is_on ||
	    (owes && react_holds_dead_letters(catalog->react))) {
		begin_grace(catalog, binding);
		return;
	}
	log_info("catalog", "trigger %.*s is removed: no worker has held it for %lld ms",
	         SPAN_ARG(binding->id), (long long)catalog->options.detach_grace_ms);
	if (owes) {
		dispatch_bury_all(
		        catalog->dispatch, binding, store_durable_seq(catalog->store),
		        "trigger_detached",
		        "the trigger's worker did not come back within workers.detach_grace");
	}
	remove_now(catalog, binding);
	store_commit(catalog->store, NULL);
}

void catalog_release(struct catalog *catalog, struct trigger_hold *hold, bool explicit_)
{
	struct binding *binding = hold->binding;
	list_remove(&hold->in_session);
	if (binding == NULL) {
		return;
	}
	list_remove(&hold->in_binding);
	hold->binding = NULL;
	if (!binding_is_detached(binding)) {
		return;
	}
	if (explicit_ && store_can_put(catalog->store)) {
		remove_now(catalog, binding);
		store_commit(catalog->store, NULL);
	} else {
		begin_grace(catalog, binding);
	}
}

int catalog_remove(struct catalog *catalog, struct span id, struct store_waiter *waiter,
                   struct err *err)
{
	struct binding *binding = lookup(catalog, id, 0);
	if (binding == NULL) {
		return err_set(err, E_NOT_FOUND, "trigger_not_found",
		               "there is no trigger \"%.*s\"; `pawl triggers` lists them",
		               SPAN_ARG(id));
	}
	if (binding->origin == BINDING_CONFIG) {
		return err_set(err, E_DENIED, "trigger_in_config",
		               "trigger \"%.*s\" stands in the config file; remove it there",
		               SPAN_ARG(id));
	}
	int status = store_refuses_records(catalog->store, err);
	if (status == 0) {
		remove_now(catalog, binding);
		store_commit(catalog->store, waiter);
	}
	return status;
}

void catalog_function_comes(struct catalog *catalog, struct span namespace_, struct span id)
{
	redeploy_hold_back(&catalog->bindings, catalog->dispatch, namespace_, id,
	                   store_next_seq(catalog->store));
}

bool catalog_worker_settled(struct catalog *catalog, struct executor *executor)
{
	if (!store_can_put(catalog->store)) {
		return false;
	}
	bool ended = false;
	LIST_EACH(&catalog->bindings, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, link);
		bool serves = function_offered_by(executor, binding->namespace_,
		                                  binding->function_id) != NULL;
		if (!binding_is_detached(binding) || !serves || binding->held_back_from == 0) {
			continue;
		}
		alarm_clear(catalog->alarms, &binding->detach);
		catalog_end_at(catalog, binding, binding->held_back_from);
		dispatch_drop_from(catalog->dispatch, binding, binding->held_back_from);
		dispatch_hold_back(catalog->dispatch, binding, 0);
		ended = true;
	}
	if (ended) {
		store_commit(catalog->store, NULL);
	}
	return true;
}

/* ---- life ---- */

struct catalog *catalog_new(struct store *store, struct functions *functions, struct alarms *alarms,
                            struct dispatch *dispatch, struct react *react,
                            const struct catalog_options *options)
{
	struct catalog *catalog = MEM_NEW(struct catalog);
	catalog->store = store;
	catalog->functions = functions;
	catalog->alarms = alarms;
	catalog->dispatch = dispatch;
	catalog->react = react;
	catalog->footprints = footprints_new();
	catalog->options = *options;
	catalog->unbound.fn = catalog_tell_unbound;
	list_init(&catalog->bindings);
	const struct timetable_hooks hooks = {
	        .find = find_current, .each_version = each_version, .ctx = catalog};
	catalog->timetable = timetable_new(store, alarms, react, dispatch, &hooks);
	dispatch_on_dead(dispatch, catalog_died, catalog);
	react_on_finished(react, version_is_finished, catalog);
	react_on_recovery(react, put_all, catalog);
	feedback_on_suspect(react_feedback(react), catalog_suspects, catalog);
	return catalog;
}

void catalog_free(struct catalog *catalog)
{
	if (catalog != NULL) {
		alarm_clear(catalog->alarms, &catalog->unbound);
		while (!list_is_empty(&catalog->bindings)) {
			leave(catalog, LIST_FIRST(&catalog->bindings, struct binding, link), true);
		}
		timetable_free(catalog->timetable);
		map_close(&catalog->by_name);
		footprints_free(catalog->footprints);
		mem_free(catalog);
	}
}

int catalog_adopt(struct catalog *catalog, const struct trigger_record *record, uint64_t own_cursor,
                  struct err *err)
{
	const struct trigger_spec spec = {
	        .origin = record->origin,
	        .type = record->type,
	        .namespace_ = record->namespace_,
	        .function_id = record->function_id,
	        .config = record->config,
	        .metadata = record->metadata,
	};
	struct binding *binding;
	if (catalog_build(catalog, &spec, &binding, err) != 0) {
		return err_wrap(err, "trigger \"%.*s\" on disk", SPAN_ARG(record->id));
	}
	binding->id = mem_span(record->id);
	binding->version = record->version;
	binding->from_seq = record->from_seq;
	binding->until_seq = record->until_seq;
	binding->pause = record->pause;
	enter(catalog, binding, own_cursor);
	if (binding->filter->cron != NULL && binding->until_seq == 0) {
		timetable_adopt(catalog->timetable, binding);
	}
	return 0;
}

void catalog_start(struct catalog *catalog)
{
	catalog->started = true;
	LIST_EACH(&catalog->bindings, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, link);
		if (binding_is_detached(binding)) {
			begin_grace(catalog, binding);
		}
	}
	timetable_start(catalog->timetable);
}
