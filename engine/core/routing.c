/* This file keeps the tree of paths that HTTP triggers want. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/routing.h"

#include "base/hash.h"
#include "base/mem.h"

/* A step of a path. It goes when nothing hangs on it any more. */
struct route_node {
	struct map_node in_steps; /* of plain text */
	struct route_node *parent;
	struct span text;         /* owned */
	struct route_node *param; /* NULL: none; likewise */
	struct route_node *rest;
	size_t children;
	struct list bindings; /* binding.in_route, oldest first */
};

struct routing {
	struct map steps; /* by parent and text */
	struct route_node root;
};

struct step {
	const struct route_node *parent;
	struct span text;
};

static bool is_step(const struct map_node *node, const void *key)
{
	const struct route_node *route = MEM_CONTAINER(node, struct route_node, in_steps);
	const struct step *step = key;
	return route->parent == step->parent && span_equal(route->text, step->text);
}

static uint64_t step_hash(const struct step *step)
{
	return hash_bytes(step->text, (uint64_t)(uintptr_t)step->parent);
}

static struct route_node *find_text(const struct routing *routing, const struct route_node *parent,
                                    struct span text)
{
	const struct step step = {parent, text};
	struct map_node *node = map_get(&routing->steps, step_hash(&step), &step, is_step);
	return node ? MEM_CONTAINER(node, struct route_node, in_steps) : NULL;
}

static struct route_node *find_step(const struct routing *routing, const struct route_node *parent,
                                    const struct http_segment *segment)
{
	switch (segment->kind) {
	case HTTP_PARAM:
		return parent->param;
	case HTTP_REST:
		return parent->rest;
	case HTTP_TEXT:
		break;
	}
	return find_text(routing, parent, segment->text);
}

static struct route_node *add_step(struct routing *routing, struct route_node *parent,
                                   const struct http_segment *segment)
{
	struct route_node *node = MEM_NEW(struct route_node);
	node->parent = parent;
	parent->children++;
	list_init(&node->bindings);
	if (segment->kind == HTTP_PARAM) {
		parent->param = node;
	} else if (segment->kind == HTTP_REST) {
		parent->rest = node;
	} else {
		node->text = mem_span(segment->text);
		const struct step step = {parent, node->text};
		map_add(&routing->steps, &node->in_steps, step_hash(&step));
	}
	return node;
}

/* The node and those above it, as far as nothing hangs on them. */
static void drop_unused(struct routing *routing, struct route_node *node)
{
	while (node->parent != NULL && node->children == 0 && list_is_empty(&node->bindings)) {
		struct route_node *parent = node->parent;
		if (parent->param == node) {
			parent->param = NULL;
		} else if (parent->rest == node) {
			parent->rest = NULL;
		} else {
			map_remove(&routing->steps, &node->in_steps);
		}
		parent->children--;
		mem_free((char *)node->text.ptr);
		mem_free(node);
		node = parent;
	}
}

struct routing *routing_new(void)
{
	struct routing *routing = MEM_NEW(struct routing);
	list_init(&routing->root.bindings);
	return routing;
}

void routing_free(struct routing *routing)
{
	if (routing != NULL) {
		PRE(routing->root.children == 0);
		map_close(&routing->steps);
		mem_free(routing);
	}
}

void routing_add(struct routing *routing, struct binding *binding)
{
	const struct http_rule *rule = binding->filter->http;
	struct route_node *node = &routing->root;
	for (size_t i = 0; i < rule->count; i++) {
		struct route_node *next = find_step(routing, node, &rule->segments[i]);
		node = next ? next : add_step(routing, node, &rule->segments[i]);
	}
	binding->route = node;
	list_push(&node->bindings, &binding->in_route);
}

void routing_remove(struct routing *routing, struct binding *binding)
{
	if (binding->route != NULL) {
		list_remove(&binding->in_route);
		drop_unused(routing, binding->route);
		binding->route = NULL;
	}
}

/* ---- who else is there ---- */

static bool same_function(const struct binding *a, const struct binding *b)
{
	return a->origin == BINDING_WORKER && b->origin == BINDING_WORKER &&
	       span_equal(a->function_id, b->function_id) &&
	       span_equal(a->namespace_, b->namespace_);
}

int routing_check(const struct routing *routing, const struct binding *fresh,
                  enum binding_origin but, struct err *err)
{
	const struct http_rule *rule = fresh->filter->http;
	const struct route_node *node = &routing->root;
	for (size_t i = 0; node != NULL && i < rule->count; i++) {
		node = find_step(routing, node, &rule->segments[i]);
	}
	if (node == NULL) {
		return 0;
	}
	LIST_EACH(&node->bindings, link)
	{
		const struct binding *other = MEM_CONTAINER(link, struct binding, in_route);
		const struct http_rule *theirs = other->filter->http;
		bool is_rival = span_equal(theirs->method, rule->method) &&
		                !span_equal(other->id, fresh->id) && other->origin != but &&
		                !binding_is_detached(other) && !same_function(other, fresh);
		if (is_rival) {
			return err_set(err, E_CONFLICT, "route_taken",
			               "%.*s %.*s belongs to the trigger \"%.*s\" (%.*s), which "
			               "wakes \"%.*s\"",
			               SPAN_ARG(rule->method), SPAN_ARG(rule->path),
			               SPAN_ARG(other->id), SPAN_ARG(theirs->path),
			               SPAN_ARG(other->function_id));
		}
	}
	return 0;
}

/* ---- looking ---- */

struct search {
	const struct routing *routing;
	const struct span *segments;
	size_t count;
	/* Shown every node whose pattern the path has, the best one first; true ends the search. */
	bool (*visit)(struct search *search, const struct route_node *node);
	struct span method;
	struct binding *found;
	unsigned methods; /* bit i: http_methods[i] */
};

static bool walk(struct search *search, const struct route_node *node, size_t at)
{
	if (at == search->count) {
		return !list_is_empty(&node->bindings) && search->visit(search, node);
	}
	struct span segment = search->segments[at];
	const struct route_node *next = find_text(search->routing, node, segment);
	if (next != NULL && walk(search, next, at + 1)) {
		return true;
	}
	if (node->param != NULL && segment.len != 0 && walk(search, node->param, at + 1)) {
		return true;
	}
	bool has_more = segment.len != 0 || at + 1 < search->count;
	return node->rest != NULL && has_more && search->visit(search, node->rest);
}

/* The config's before others, one that somebody holds before one that waits for its worker. */
static unsigned rank(const struct binding *binding)
{
	return binding->origin == BINDING_CONFIG ? 2 : binding_is_detached(binding) ? 0 : 1;
}

/* The last one of the highest rank. */
static bool choose(struct search *search, const struct route_node *node)
{
	struct binding *best = NULL;
	LIST_EACH(&node->bindings, link)
	{
		struct binding *binding = MEM_CONTAINER(link, struct binding, in_route);
		if (span_equal(binding->filter->http->method, search->method) &&
		    (best == NULL || rank(binding) >= rank(best))) {
			best = binding;
		}
	}
	search->found = best;
	return best != NULL;
}

struct binding *routing_find(const struct routing *routing, struct span method,
                             const struct span segments[], size_t count)
{
	struct search search = {.routing = routing,
	                        .segments = segments,
	                        .count = count,
	                        .visit = choose,
	                        .method = method};
	if (!walk(&search, &routing->root, 0) && span_is(method, "HEAD")) {
		search.method = SPAN("GET");
		(void)walk(&search, &routing->root, 0);
	}
	return search.found;
}

static bool collect(struct search *search, const struct route_node *node)
{
	LIST_EACH(&node->bindings, link)
	{
		const struct binding *binding = MEM_CONTAINER(link, struct binding, in_route);
		for (size_t i = 0; http_methods[i] != NULL; i++) {
			if (span_is(binding->filter->http->method, http_methods[i])) {
				search->methods |= 1u << i;
			}
		}
	}
	return false;
}

void routing_methods(const struct routing *routing, const struct span segments[], size_t count,
                     struct buf *out)
{
	struct search search = {
	        .routing = routing, .segments = segments, .count = count, .visit = collect};
	(void)walk(&search, &routing->root, 0);
	bool has_get = (search.methods & 1u) != 0; /* the first of the list */
	for (size_t i = 0; search.methods != 0 && http_methods[i] != NULL; i++) {
		bool is_implied = span_is(span_of(http_methods[i]), "OPTIONS") ||
		                  (has_get && span_is(span_of(http_methods[i]), "HEAD"));
		if (is_implied || (search.methods & 1u << i) != 0) {
			buf_format(out, "%s%s", out->len != 0 ? ", " : "", http_methods[i]);
		}
	}
}
