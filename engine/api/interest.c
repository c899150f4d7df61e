/* This file defines what watchers want of events, once for all that want the same. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/interest.h"

#include "base/hash.h"
#include "base/mem.h"
#include "engine/api/watch_query.h"
#include "triggers/glob.h"

void interests_init(struct interests *interests)
{
	*interests = (struct interests){.env = condition_env_new()};
	list_init(&interests->wide);
}

void interests_close(struct interests *interests)
{
	PRE(interests->count == 0);
	map_close(&interests->by_scope);
	condition_env_free(interests->env);
}

static bool is_exact(const struct interest *interest)
{
	return interest->scope.len != 0 && !interest->is_glob;
}

static bool has_scope(const struct map_node *node, const void *key)
{
	const struct interest *interest = MEM_CONTAINER(node, struct interest, by_scope);
	return span_equal(interest->scope, *(const struct span *)key);
}

struct interest *interests_next(const struct interests *interests, struct span scope,
                                const struct interest *after)
{
	const struct list *wide = interests->wide.next;
	if (after != NULL && !is_exact(after)) {
		wide = after->wide.next;
	} else {
		struct map_node *node = after != NULL
		                                ? map_get_next(&after->by_scope, &scope, has_scope)
		                                : map_get(&interests->by_scope,
		                                          hash_bytes(scope, 0), &scope, has_scope);
		if (node != NULL) {
			return MEM_CONTAINER(node, struct interest, by_scope);
		}
	}
	return wide != &interests->wide ? MEM_CONTAINER(wide, struct interest, wide) : NULL;
}

bool interest_fits(const struct interest *interest, const struct event *event)
{
	if ((interest->events & (1u << event->kind)) == 0) {
		return false;
	}
	if (interest->is_glob ? !glob_matches(interest->scope, event->scope)
	                      : is_exact(interest) && !span_equal(interest->scope, event->scope)) {
		return false;
	}
	return interest->prefix.len == 0 || span_starts_with(event->key, interest->prefix);
}

static bool is_same(const struct interest *interest, const struct watch_query *query)
{
	struct span when =
	        interest->condition != NULL ? condition_source(interest->condition) : SPAN("");
	return interest->is_glob == query->is_glob && interest->events == query->events &&
	       span_equal(interest->scope, buf_view(&query->scope)) &&
	       span_equal(interest->prefix, buf_view(&query->prefix)) &&
	       span_equal(when, buf_view(&query->when));
}

static struct interest *find(const struct interests *interests, const struct watch_query *query)
{
	struct interest *interest = NULL;
	do {
		interest = interests_next(interests, buf_view(&query->scope), interest);
	} while (interest != NULL && !is_same(interest, query));
	return interest;
}

static int add(struct interests *interests, const struct watch_query *query, struct interest **out,
               struct err *err)
{
	struct condition *condition = NULL;
	struct span when = buf_view(&query->when);
	struct fault fault = {0};
	if (when.len != 0 &&
	    condition_new(interests->env, when, FIRE_CHANGE, &condition, &fault) != 0) {
		return condition_refuse(&fault, "when", when, NULL, err);
	}
	struct interest *interest = MEM_NEW(struct interest);
	interest->scope = mem_span(buf_view(&query->scope));
	interest->prefix = mem_span(buf_view(&query->prefix));
	interest->is_glob = query->is_glob;
	interest->events = query->events;
	interest->condition = condition;
	list_init(&interest->watchers);
	list_init(&interest->wide);
	if (is_exact(interest)) {
		map_add(&interests->by_scope, &interest->by_scope, hash_bytes(interest->scope, 0));
	} else {
		list_push(&interests->wide, &interest->wide);
	}
	interests->count++;
	*out = interest;
	return 0;
}

int interest_take(struct interests *interests, const struct watch_query *query,
                  struct interest **out, struct err *err)
{
	struct interest *interest = find(interests, query);
	int status = interest == NULL ? add(interests, query, &interest, err) : 0;
	if (status == 0) {
		interest->holders++;
		*out = interest;
	}
	return status;
}

void interest_drop(struct interests *interests, struct interest *interest)
{
	if (--interest->holders != 0) {
		return;
	}
	if (is_exact(interest)) {
		map_remove(&interests->by_scope, &interest->by_scope);
	}
	list_remove(&interest->wide);
	interests->count--;
	condition_free(interest->condition);
	mem_free((char *)interest->scope.ptr);
	mem_free((char *)interest->prefix.ptr);
	mem_free(interest);
}
