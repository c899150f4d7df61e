/* This file keeps a few scopes for each function, and compares them with what triggers want. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/footprint.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "engine/core/own_scope.h"

struct place {
	struct buf scope;
	struct buf key;
	enum event_kind kind;
	uint64_t seq;
};

struct footprint {
	struct map_node node;
	struct span namespace_; /* owned, as the next */
	struct span function_id;
	size_t holders;
	size_t count;
	size_t next; /* the one that is forgotten for a new one */
	struct place *places;
};

struct footprints {
	struct map all;
	size_t idle; /* nobody has them */
};

struct function_name {
	struct span namespace_;
	struct span function_id;
};

static bool is_of(const struct map_node *node, const void *key)
{
	const struct footprint *print = MEM_CONTAINER(node, struct footprint, node);
	const struct function_name *name = key;
	return span_equal(print->function_id, name->function_id) &&
	       span_equal(print->namespace_, name->namespace_);
}

struct footprints *footprints_new(void)
{
	return MEM_NEW(struct footprints);
}

static void remove_print(struct footprints *prints, struct footprint *print)
{
	map_remove(&prints->all, &print->node);
	for (size_t i = 0; i < print->count; i++) {
		buf_free(&print->places[i].scope);
		buf_free(&print->places[i].key);
	}
	mem_free(print->places);
	mem_free((char *)print->namespace_.ptr);
	mem_free((char *)print->function_id.ptr);
	mem_free(print);
}

void footprints_free(struct footprints *prints)
{
	if (prints == NULL) {
		return;
	}
	MAP_EACH(&prints->all, node)
	{
		struct footprint *print = MEM_CONTAINER(node, struct footprint, node);
		PRE(print->holders == 0);
		remove_print(prints, print);
	}
	map_close(&prints->all);
	mem_free(prints);
}

struct footprint *footprint_take(struct footprints *prints, struct span namespace_,
                                 struct span function_id)
{
	const struct function_name name = {namespace_, function_id};
	uint64_t hash = hash_bytes(function_id, hash_bytes(namespace_, 0));
	struct map_node *node = map_get(&prints->all, hash, &name, is_of);
	struct footprint *print = node ? MEM_CONTAINER(node, struct footprint, node) : NULL;
	if (print == NULL) {
		print = MEM_NEW(struct footprint);
		print->namespace_ = mem_span(namespace_);
		print->function_id = mem_span(function_id);
		map_add(&prints->all, &print->node, hash);
		prints->idle++;
	}
	prints->idle -= print->holders++ == 0;
	return print;
}

void footprint_drop(struct footprints *prints, struct footprint *print)
{
	if (--print->holders != 0) {
		return;
	}
	if (print->count == 0 || prints->idle == FOOTPRINTS_MOST) {
		remove_print(prints, print);
	} else {
		prints->idle++;
	}
}

static struct place *place_of(struct footprint *print, struct span scope)
{
	for (size_t i = 0; i < print->count; i++) {
		if (span_equal(buf_view(&print->places[i].scope), scope)) {
			return &print->places[i];
		}
	}
	if (print->places == NULL) {
		print->places = MEM_ARRAY(struct place, FOOTPRINT_SCOPES);
	}
	size_t index = print->count;
	if (index < FOOTPRINT_SCOPES) {
		print->count++;
	} else {
		index = print->next;
		print->next = (index + 1) % FOOTPRINT_SCOPES;
	}
	buf_clear(&print->places[index].scope);
	buf_span(&print->places[index].scope, scope);
	return &print->places[index];
}

/* Of a place only the fields can be asked that speak of it. */
static bool fits(const struct filter *filter, const struct event *event)
{
	enum filter_miss miss = filter_miss(filter, event);
	return miss == MISS_NOTHING || miss == MISS_CHANGED;
}

void footprint_note(struct binding *binding, const struct event *event)
{
	struct place *place = place_of(binding->footprint, event->scope);
	buf_clear(&place->key);
	buf_span(&place->key, event->key);
	place->kind = event->kind;
	place->seq = event->seq;
	if (binding->own_seq != 0 || filter_miss(binding->filter, event) != MISS_NOTHING) {
		return;
	}
	binding->own_seq = event->seq;
	struct buf why = {0};
	(void)footprint_warns(binding, &why);
	log_warn("footprint", "trigger %.*s may wake itself: %.*s", SPAN_ARG(binding->id),
	         SPAN_ARG(buf_view(&why)));
	buf_free(&why);
}

static void write_end(const struct binding *binding, struct buf *out)
{
	bool has_more = binding->filter->condition != NULL || binding->filter->changed_count != 0;
	buf_span(out, has_more ? SPAN(" unless its condition says no") : SPAN(""));
	BUF_LITERAL(out, "; a chain of such changes ends at delivery.loop_depth");
}

bool footprint_warns(const struct binding *binding, struct buf *out)
{
	const struct footprint *print = binding->footprint;
	if (binding->own_seq != 0) {
		buf_format(out, "its function has written event %llu, which wakes it",
		           (unsigned long long)binding->own_seq);
		write_end(binding, out);
		return true;
	}
	for (size_t i = 0; i < print->count; i++) {
		const struct place *place = &print->places[i];
		const struct event event = {.kind = place->kind,
		                            .scope = buf_view(&place->scope),
		                            .key = buf_view(&place->key)};
		if (event.kind != EVENT_CUSTOM && fits(binding->filter, &event)) {
			buf_format(out,
			           "its function has written the key \"%.*s\" of the scope "
			           "\"%.*s\" (event %llu), which is such as wakes it",
			           SPAN_ARG(event.key), SPAN_ARG(event.scope),
			           (unsigned long long)place->seq);
			write_end(binding, out);
			return true;
		}
	}
	return own_scope_warns(binding->type, binding->function_id, binding->config, out);
}
