/* This file makes the catalog's triggers what the config says, and judges by its defaults. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/catalog_inside.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/core/routing.h"
#include "triggers/filter.h"
#include <string.h>

/* The config's triggers by id. */
struct wanted {
	struct map_node node;
	const struct trigger_spec *spec;
};

static bool has_id(const struct map_node *node, const void *key)
{
	return span_equal(MEM_CONTAINER(node, struct wanted, node)->spec->id,
	                  *(const struct span *)key);
}

static bool is_wanted(const struct map *wanted, struct span id)
{
	return map_get(wanted, hash_bytes(id, 0), &id, has_id) != NULL;
}

/* What the config no longer has ends with the next event. */
static void end_missing(struct catalog *catalog, const struct trigger_spec specs[], size_t count)
{
	struct map by_id = {0};
	struct wanted *wanted = MEM_ARRAY(struct wanted, count + 1);
	for (size_t i = 0; i < count; i++) {
		wanted[i].spec = &specs[i];
		map_add(&by_id, &wanted[i].node, hash_bytes(specs[i].id, 0));
	}
	LIST_EACH(&catalog->bindings, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, link);
		if (binding->origin == BINDING_CONFIG && binding->until_seq == 0 &&
		    !is_wanted(&by_id, binding->id)) {
			catalog_end_at(catalog, binding, store_next_seq(catalog->store));
		}
	}
	for (size_t i = 0; i < count; i++) {
		map_remove(&by_id, &wanted[i].node);
	}
	map_close(&by_id);
	mem_free(wanted);
}

/* The config's own trigger, word for word: nothing is to be done for it. */
static bool is_there(const struct catalog *catalog, const struct trigger_spec *spec)
{
	const struct binding *binding = catalog_find(catalog, spec->id);
	if (binding == NULL || binding->origin != BINDING_CONFIG ||
	    !span_equal(binding->type, spec->type) ||
	    !span_equal(binding->namespace_, spec->namespace_) ||
	    !span_equal(binding->function_id, spec->function_id) ||
	    !span_equal(binding->metadata, spec->metadata)) {
		return false;
	}
	struct buf canonical = {0};
	filter_canonical(spec->config, &canonical);
	bool same = span_equal(buf_view(&canonical), binding->config);
	buf_free(&canonical);
	return same;
}

/* ---- paths of HTTP triggers ---- */

int catalog_check_route(const struct catalog *catalog, const struct binding *fresh, struct err *err)
{
	if (fresh->filter->http == NULL) {
		return 0;
	}
	if (catalog->options.routing == NULL) {
		return err_set(err, E_UNSUPPORTED, "http_not_listening",
		               "nobody listens for requests of %.*s %.*s: set http.listen (such as "
		               "127.0.0.1:3111) in the engine's config and restart it",
		               SPAN_ARG(fresh->filter->http->method),
		               SPAN_ARG(fresh->filter->http->path));
	}
	/* All of the config's are judged together, by judge_routes. */
	bool is_config = fresh->origin == BINDING_CONFIG;
	int status =
	        routing_check(catalog->options.routing, fresh, is_config ? BINDING_CONFIG : 0, err);
	if (status != 0 && is_config && !catalog->started) {
		/* A trigger that somebody made must not keep the daemon from starting. */
		log_warn("catalog", "trigger \"%.*s\" of the config answers, though %s",
		         SPAN_ARG(fresh->id), err->text);
		status = 0;
	}
	return status;
}

/* Do the config's HTTP triggers go with each other, and with those of workers and callers? */
static int judge_routes(const struct catalog *catalog, const struct trigger_spec specs[],
                        size_t count, struct err *err)
{
	struct routing *routing = routing_new();
	struct binding **made = MEM_ARRAY(struct binding *, count + 1);
	size_t made_count = 0;
	int status = 0;
	for (size_t i = 0; status == 0 && i < count; i++) {
		struct binding *binding;
		if (!span_is(specs[i].type, "http")) {
			continue;
		}
		status = catalog_build(catalog, &specs[i], &binding, err);
		if (status != 0) {
			break;
		}
		made[made_count++] = binding;
		binding->id = mem_span(specs[i].id);
		status = catalog_check_route(catalog, binding, err);
		if (status == 0) {
			status = routing_check(routing, binding, 0, err);
		}
		if (status == 0) {
			routing_add(routing, binding);
		} else {
			(void)err_wrap(err, "trigger \"%.*s\"", SPAN_ARG(specs[i].id));
		}
	}
	for (size_t i = 0; i < made_count; i++) {
		routing_remove(routing, made[i]);
		trigger_record_free(made[i]);
	}
	mem_free(made);
	routing_free(routing);
	return status;
}

int catalog_judge_config(const struct catalog *catalog, const struct trigger_spec specs[],
                         size_t count, struct err *err)
{
	if (store_refuses_records(catalog->store, err) != 0) {
		return err->number;
	}
	for (size_t i = 0; i < count; i++) {
		bool fits = is_there(catalog, &specs[i]) ||
		            (catalog_check_function(&specs[i], err) == 0 &&
		             catalog_check(catalog, &specs[i], err) == 0);
		if (!fits) {
			return err_wrap(err, "trigger \"%.*s\"", SPAN_ARG(specs[i].id));
		}
	}
	return judge_routes(catalog, specs, count, err);
}

int catalog_sync_config(struct catalog *catalog, const struct trigger_spec specs[], size_t count,
                        struct store_waiter *waiter, struct err *err)
{
	if (catalog_judge_config(catalog, specs, count, err) != 0) {
		return err->number;
	}
	end_missing(catalog, specs, count);
	for (size_t i = 0; i < count; i++) {
		if (is_there(catalog, &specs[i])) {
			continue;
		}
		struct binding *fresh;
		int status = catalog_build(catalog, &specs[i], &fresh, err);
		POST(status == 0); /* judged above */
		fresh->id = mem_span(specs[i].id);
		(void)catalog_place(catalog, fresh);
	}
	store_commit(catalog->store, waiter);
	return 0;
}

static bool same_retry(const struct retry_policy *x, const struct retry_policy *y)
{
	return x->max_attempts == y->max_attempts && x->initial_ms == y->initial_ms &&
	       x->max_ms == y->max_ms && !(x->multiplier < y->multiplier) &&
	       !(x->multiplier > y->multiplier) && x->jitter_percent == y->jitter_percent &&
	       x->max_age_ms == y->max_age_ms && x->schedule_count == y->schedule_count &&
	       memcmp(x->schedule, y->schedule, x->schedule_count * sizeof *x->schedule) == 0;
}

static bool same_defaults(const struct trigger_defaults *a, const struct trigger_defaults *b)
{
	return a->concurrency == b->concurrency && a->timeout_ms == b->timeout_ms &&
	       a->alarm_timeout_ms == b->alarm_timeout_ms && same_retry(&a->retry, &b->retry) &&
	       same_retry(&a->alarm_retry, &b->alarm_retry);
}

void catalog_configure(struct catalog *catalog, const struct catalog_options *options)
{
	bool same = same_defaults(&catalog->options.defaults, &options->defaults);
	PRE(options->conditions == catalog->options.conditions);
	PRE(options->routing == catalog->options.routing);
	catalog->options = *options;
	LIST_EACH(&catalog->bindings, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, link);
		if (!same) {
			trigger_spec_default(binding, &options->defaults);
			dispatch_hold_back(catalog->dispatch, binding, binding->held_back_from);
		}
	}
}
