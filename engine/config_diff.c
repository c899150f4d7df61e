/* This file compares configurations: options by their tables, functions and triggers by id. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_diff.h"

#include "base/field_diff.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "engine/config_items.h"
#include "engine/config_scopes.h"
#include "engine/config_tokens.h"
#include "engine/core/secrets.h"

static struct config_change *add(struct config_diff *diff, enum config_change_kind kind,
                                 const char *what, struct span id)
{
	diff->items = mem_grow(diff->items, (diff->count + 1) * sizeof *diff->items);
	struct config_change *change = &diff->items[diff->count++];
	*change =
	        (struct config_change){.kind = kind, .what = what, .id = mem_copy(id.ptr, id.len)};
	diff->counts[kind]++;
	return change;
}

/* ---- options ---- */

struct option_walk {
	struct config_diff *diff;
	enum field_change change; /* rows of the other kind are passed over */
};

static void option_differs(void *ctx, const struct field_difference *difference)
{
	struct option_walk *walk = ctx;
	if (difference->field->change != walk->change) {
		return;
	}
	struct config_change *change =
	        add(walk->diff, walk->change == FIELD_LIVE ? CONFIG_CHANGED : CONFIG_NEEDS_RESTART,
	            "option", difference->name);
	if (difference->before.ptr != NULL) {
		json_write_member_string(&change->more, "from", difference->before);
		json_write_member_string(&change->more, "to", difference->after);
	}
}

/* ---- members of JSON objects ---- */

/* Appends to the list of names what differs; objects in the first level are looked into `depth`
 * times. */
static void compare_members(struct span before, struct span after, const char *prefix, int depth,
                            struct buf *names)
{
	struct span name;
	struct span value;
	struct span other;
	for (struct json_iter iter = json_iter(before); json_next_member(&iter, &name, &value);) {
		struct buf full = {0};
		buf_format(&full, "%s%.*s", prefix, SPAN_ARG(name));
		bool there = json_get(after, name, &other);
		if (there && depth > 0 && json_kind(value) == JSON_OBJECT &&
		    json_kind(other) == JSON_OBJECT) {
			BUF_LITERAL(&full, ".\0");
			compare_members(value, other, full.ptr, depth - 1, names);
		} else if (!there || !span_equal(value, other)) {
			json_write_comma(names);
			json_write_string(names, buf_view(&full));
		}
		buf_free(&full);
	}
	for (struct json_iter iter = json_iter(after); json_next_member(&iter, &name, &value);) {
		if (!json_get(before, name, &other)) {
			struct buf full = {0};
			buf_format(&full, "%s%.*s", prefix, SPAN_ARG(name));
			json_write_comma(names);
			json_write_string(names, buf_view(&full));
			buf_free(&full);
		}
	}
}

static void write_fields(struct span before, struct span after, int depth, struct buf *out)
{
	json_write_name(out, "fields");
	buf_byte(out, '[');
	compare_members(before, after, "", depth, out);
	buf_byte(out, ']');
}

static void compare_adapters(const struct config *boot, const struct config *next,
                             struct config_diff *diff)
{
	struct span before = span_of(boot->state.adapter.config);
	struct span after = span_of(next->state.adapter.config);
	if (boot->state.adapter.name == next->state.adapter.name && !span_equal(before, after)) {
		struct config_change *change =
		        add(diff, CONFIG_NEEDS_RESTART, "option", SPAN("state.adapter.config"));
		write_fields(before, after, 0, &change->more);
	}
}

static void compare_scopes(const struct config *now, const struct config *next,
                           struct config_diff *diff)
{
	struct buf before = {0};
	struct buf after = {0};
	config_write_scopes(now, &before);
	config_write_scopes(next, &after);
	if (!span_equal(buf_view(&before), buf_view(&after))) {
		struct config_change *change = add(diff, CONFIG_CHANGED, "option", SPAN("scopes"));
		json_write_member_raw(&change->more, "from", buf_view(&before));
		json_write_member_raw(&change->more, "to", buf_view(&after));
	}
	buf_free(&before);
	buf_free(&after);
}

/* Not what they are: hashes are nobody's business. */
static void compare_tokens(const struct config *now, const struct config *next,
                           struct config_diff *diff)
{
	struct buf before = {0};
	struct buf after = {0};
	config_write_tokens(now, &before);
	config_write_tokens(next, &after);
	if (!span_equal(buf_view(&before), buf_view(&after))) {
		add(diff, CONFIG_CHANGED, "option", SPAN("auth.tokens"));
	}
	buf_free(&before);
	buf_free(&after);
}

/* Never their values. */
static void compare_secrets(const struct config *now, const struct config *next,
                            struct config_diff *diff)
{
	uint8_t before[SHA256_LEN];
	uint8_t after[SHA256_LEN];
	secrets_digest(now->secrets, before);
	secrets_digest(next->secrets, after);
	if (memcmp(before, after, sizeof before) != 0) {
		add(diff, CONFIG_CHANGED, "option", SPAN("secrets"));
	}
}

/* ---- functions and triggers ---- */

struct declared {
	struct map_node node;
	const char *id;
	const char *namespace_; /* NULL: it is known by its id alone */
	struct buf text;        /* a JSON object */
	struct declared *before;
	bool stays;
};

struct declarations {
	struct declared *items;
	size_t count;
	struct map by_name;
};

static bool has_name(const struct map_node *node, const void *key)
{
	const struct declared *declared = MEM_CONTAINER(node, struct declared, node);
	const struct declared *wanted = key;
	return strcmp(declared->id, wanted->id) == 0 &&
	       (wanted->namespace_ == NULL ||
	        strcmp(declared->namespace_, wanted->namespace_) == 0);
}

static uint64_t name_hash(const struct declared *declared)
{
	return hash_bytes(span_of(declared->id), hash_bytes(span_of(declared->namespace_), 1));
}

static void index_names(struct declarations *all)
{
	for (size_t i = 0; i < all->count; i++) {
		map_add(&all->by_name, &all->items[i].node, name_hash(&all->items[i]));
	}
}

static void close_declarations(struct declarations *all)
{
	for (size_t i = 0; i < all->count; i++) {
		buf_free(&all->items[i].text);
	}
	map_close(&all->by_name);
	mem_free(all->items);
}

static struct declarations functions_of(const struct config *config)
{
	struct declarations all = {.count = config->function_count};
	all.items = MEM_ARRAY(struct declared, all.count + 1);
	for (size_t i = 0; i < all.count; i++) {
		all.items[i].id = config->functions[i].id;
		all.items[i].namespace_ = config->functions[i].namespace_;
		config_write_function(&config->functions[i], &all.items[i].text);
	}
	return all;
}

static struct declarations list_triggers(const struct config_trigger triggers[], size_t count)
{
	struct declarations all = {.count = count};
	all.items = MEM_ARRAY(struct declared, all.count + 1);
	for (size_t i = 0; i < all.count; i++) {
		all.items[i].id = triggers[i].id;
		config_write_trigger(&triggers[i], &all.items[i].text);
	}
	return all;
}

static struct declarations triggers_of(const struct config *config)
{
	return list_triggers(config->triggers, config->trigger_count);
}

static struct declarations queues_of(const struct config *config)
{
	return list_triggers(config->queues, config->queue_count);
}

static struct config_change *add_item(struct config_diff *diff, enum config_change_kind kind,
                                      const char *what, const struct declared *declared)
{
	struct config_change *change = add(diff, kind, what, span_of(declared->id));
	change->namespace_ = mem_text(declared->namespace_);
	return change;
}

static void compare_items(struct declarations *before, struct declarations *after, const char *what,
                          int depth, struct config_diff *diff)
{
	index_names(before);
	for (size_t i = 0; i < after->count; i++) {
		struct declared *next = &after->items[i];
		struct map_node *node = map_get(&before->by_name, name_hash(next), next, has_name);
		if (node == NULL) {
			add_item(diff, CONFIG_ADDED, what, next);
			continue;
		}
		struct declared *old = MEM_CONTAINER(node, struct declared, node);
		old->stays = true;
		if (!span_equal(buf_view(&old->text), buf_view(&next->text))) {
			struct config_change *change = add_item(diff, CONFIG_CHANGED, what, next);
			write_fields(buf_view(&old->text), buf_view(&next->text), depth,
			             &change->more);
		}
	}
	for (size_t i = 0; i < before->count; i++) {
		if (!before->items[i].stays) {
			add_item(diff, CONFIG_REMOVED, what, &before->items[i]);
		}
	}
	close_declarations(before);
	close_declarations(after);
}

/* ---- the whole ---- */

void config_diff_make(const struct config *boot, const struct config *now,
                      const struct config *next, struct config_diff *out)
{
	struct option_walk live = {out, FIELD_LIVE};
	struct option_walk restart = {out, FIELD_RESTART};
	*out = (struct config_diff){0};
	field_diff(config_fields, now, next, option_differs, &live);
	field_diff(config_fields, boot, next, option_differs, &restart);
	compare_adapters(boot, next, out);
	compare_scopes(now, next, out);
	compare_secrets(now, next, out);
	compare_tokens(now, next, out);
	struct declarations before = functions_of(now);
	struct declarations after = functions_of(next);
	compare_items(&before, &after, "function", 1, out);
	before = triggers_of(now);
	after = triggers_of(next);
	compare_items(&before, &after, "trigger", 0, out);
	before = queues_of(now);
	after = queues_of(next);
	compare_items(&before, &after, "queue", 1, out);
}

void config_diff_write(const struct config_diff *diff, struct buf *out)
{
	static const char *const names[] = {"added", "changed", "removed", "needs_restart"};
	for (int kind = 0; kind < CONFIG_CHANGE_KINDS; kind++) {
		json_write_name(out, names[kind]);
		buf_byte(out, '[');
		for (size_t i = 0; i < diff->count; i++) {
			const struct config_change *change = &diff->items[i];
			if ((int)change->kind != kind) {
				continue;
			}
			json_write_comma(out);
			buf_byte(out, '{');
			json_write_member_string(out, "kind", span_of(change->what));
			json_write_member_string(out, "id", span_of(change->id));
			if (change->namespace_ != NULL) {
				json_write_member_string(out, "namespace",
				                         span_of(change->namespace_));
			}
			if (change->more.len != 0) {
				buf_byte(out, ',');
				buf_span(out, buf_view(&change->more));
			}
			buf_byte(out, '}');
		}
		buf_byte(out, ']');
	}
}

void config_diff_close(struct config_diff *diff)
{
	for (size_t i = 0; i < diff->count; i++) {
		mem_free(diff->items[i].id);
		mem_free(diff->items[i].namespace_);
		buf_free(&diff->items[i].more);
	}
	mem_free(diff->items);
	*diff = (struct config_diff){0};
}
