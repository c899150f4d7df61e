/* This file fills the slots of an event: in one walk over its text, or one by one when asked. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/activation.h"

#include "base/err.h"
#include "base/json_read.h"
#include "base/json_scan.h"
#include "base/mem.h"

/*
 * DESIGN. The walk goes over the members of an object whose node has children, and down where a
 * member has a node with children of its own; everything else is skipped or becomes one value. A
 * name that stands twice: the last one wins, so that all that came from below the first is unset.
 * That is the piece of `touched` between the slot itself and the end of its value, which the slot's
 * extent remembers: however many duplicates a text has, an entry is looked at once for each level
 * it is in.
 */
enum { ARENA_LIMIT = 4 << 20, SCRATCH_MOST = 64 << 10 };

struct activation_extent {
	uint32_t from; /* where the slot stands in `touched` */
	uint32_t to;   /* behind the slots that were filled from its value, during the walk */
};

/* ---- slots ---- */

static void grow_slots(struct activation *activation, size_t size)
{
	size_t cap = activation->slot_cap;
	size = size < 2 * cap ? 2 * cap : size;
	activation->slots = mem_grow(activation->slots, size * sizeof *activation->slots);
	memset(activation->slots + cap, 0, (size - cap) * sizeof *activation->slots);
	activation->extents = mem_grow(activation->extents, size * sizeof *activation->extents);
	activation->slot_cap = size;
}

static inline void grow(struct activation *activation)
{
	size_t size = paths_size(activation->paths);
	if (size > activation->slot_cap) {
		grow_slots(activation, size);
	}
}

static void grow_touched(struct activation *activation)
{
	size_t cap = activation->touched_cap;
	activation->touched_cap = cap != 0 ? 2 * cap : 64;
	activation->touched = mem_grow(activation->touched,
	                               activation->touched_cap * sizeof *activation->touched);
}

static inline void set(struct activation *activation, uint32_t slot, struct value value)
{
	if (activation->slots[slot].tag == VALUE_UNSET) {
		if (activation->touched_count == activation->touched_cap) {
			grow_touched(activation);
		}
		uint32_t at = (uint32_t)activation->touched_count++;
		activation->touched[at] = slot;
		activation->extents[slot] = (struct activation_extent){at, at + 1};
	}
	activation->slots[slot] = value;
}

static void unset(struct activation *activation, uint32_t slot)
{
	activation->touched[activation->extents[slot].from] = PATHS_NONE;
	activation->slots[slot] = (struct value){.tag = VALUE_UNSET};
}

/* During the walk: the slot, and all that the walk filled from its value. */
static void unset_filled(struct activation *activation, uint32_t slot)
{
	struct activation_extent extent = activation->extents[slot];
	for (uint32_t i = extent.from; i < extent.to; i++) {
		if (activation->touched[i] != PATHS_NONE) {
			unset(activation, activation->touched[i]);
		}
	}
}

static uint32_t root_of(const struct paths *paths, uint32_t slot)
{
	uint32_t parent = paths_parent(paths, slot);
	while (parent != PATHS_NONE) {
		slot = parent;
		parent = paths_parent(paths, slot);
	}
	return slot;
}

/* A variable that gets another value within an event: what was found below it goes too. */
static void unset_root(struct activation *activation, uint32_t root)
{
	if (activation->slots[root].tag == VALUE_UNSET) {
		return;
	}
	size_t kept = 0;
	for (size_t i = 0; i < activation->touched_count; i++) {
		uint32_t slot = activation->touched[i];
		if (slot == PATHS_NONE) {
			continue;
		}
		if (root_of(activation->paths, slot) == root) {
			activation->slots[slot] = (struct value){.tag = VALUE_UNSET};
		} else {
			activation->extents[slot].from = (uint32_t)kept;
			activation->touched[kept++] = slot;
		}
	}
	activation->touched_count = kept;
}

/* ---- life ---- */

static void changed(struct paths_watcher *watcher, uint32_t slot)
{
	struct activation *activation = MEM_CONTAINER(watcher, struct activation, watcher);
	if (slot < activation->slot_cap && activation->slots[slot].tag != VALUE_UNSET) {
		unset(activation, slot);
	}
	uint32_t parent = paths_parent(activation->paths, slot);
	if (parent != PATHS_NONE && parent < activation->slot_cap) {
		activation->slots[parent].flags &= (uint8_t)~VALUE_FILLED;
	}
}

void activation_init(struct activation *activation, struct paths *paths, size_t arena_limit)
{
	*activation = (struct activation){
	        .paths = paths,
	        .watcher.changed = changed,
	        .allowance.arena.limit = arena_limit != 0 ? arena_limit : ARENA_LIMIT,
	};
	paths_watch(paths, &activation->watcher);
}

void activation_close(struct activation *activation)
{
	paths_unwatch(&activation->watcher);
	arena_close(&activation->allowance.arena);
	buf_free(&activation->scratch);
	mem_free(activation->extents);
	mem_free(activation->touched);
	mem_free(activation->slots);
}

void activation_reset(struct activation *activation)
{
	for (size_t i = 0; i < activation->touched_count; i++) {
		uint32_t slot = activation->touched[i];
		if (slot != PATHS_NONE) {
			activation->slots[slot] = (struct value){.tag = VALUE_UNSET};
		}
	}
	activation->touched_count = 0;
	buf_shrink(&activation->scratch, SCRATCH_MOST);
	arena_reset(&activation->allowance.arena);
	activation->allowance.budget = 0;
}

void activation_bind(struct activation *activation, uint32_t root, struct value value)
{
	grow(activation);
	unset_root(activation, root);
	/* It may be the value of another slot, whose children are not those of this one. */
	value.flags &= (uint8_t)~VALUE_FILLED;
	set(activation, root, value);
}

/* ---- the walk ---- */

static const char *walk_members(struct activation *activation, uint32_t slot, const char *at,
                                const char *end);

/* `at` is the first byte of a value; returns the byte behind it. */
static const char *fill(struct activation *activation, uint32_t slot, const char *at,
                        const char *end)
{
	if (activation->slots[slot].tag != VALUE_UNSET) {
		unset_filled(activation, slot);
	}
	if (*at != '{' || !paths_has_children(activation->paths, slot)) {
		const char *behind = json_skip_value(at, end);
		struct span text = {at, (size_t)(behind - at)};
		set(activation, slot, value_from_json(&activation->allowance, text));
		return behind;
	}
	struct value map = {.tag = VALUE_MAP, .flags = VALUE_TEXT | VALUE_FILLED, .as.text = at};
	set(activation, slot, map);
	const char *behind = walk_members(activation, slot, at, end);
	activation->slots[slot].len = (uint32_t)(behind - at);
	activation->extents[slot].to = (uint32_t)activation->touched_count;
	return behind;
}

/* `name` is between its quotes, still escaped. */
static uint32_t child_of_escaped(struct activation *activation, uint32_t slot, struct span name)
{
	buf_clear(&activation->scratch);
	json_string(span_make(name.ptr - 1, name.len + 2), &activation->scratch);
	return paths_child(activation->paths, slot, buf_view(&activation->scratch));
}

/* `at` is the bracket that opens an object; returns the byte behind the one that closes it. */
static const char *walk_members(struct activation *activation, uint32_t slot, const char *at,
                                const char *end)
{
	uint64_t marks = paths_marks(activation->paths, slot);
	at = json_skip_space(at + 1, end);
	while (at < end && *at == '"') {
		const char *name_at = at + 1;
		const char *quote = json_scan_quote(name_at, end);
		bool escaped = quote < end && *quote == '\\';
		quote = escaped ? json_scan_string(quote, end) : quote;
		struct span name = {name_at, (size_t)(quote - name_at)};
		PRE(end - quote >= 3);
		const char *colon = json_skip_space(quote + 1, end);
		const char *value_at = json_skip_space(colon + 1, end);
		uint32_t child = PATHS_NONE;
		if (escaped) {
			child = child_of_escaped(activation, slot, name);
		} else if ((marks & paths_mark(name)) != 0) {
			child = paths_child(activation->paths, slot, name);
		}
		at = child == PATHS_NONE ? json_skip_value(value_at, end)
		                         : fill(activation, child, value_at, end);
		at = json_skip_space(at, end);
		if (at < end && *at == ',') {
			at = json_skip_space(at + 1, end);
		}
	}
	PRE(at < end); /* at the bracket that closes it */
	return at + 1;
}

void activation_bind_json(struct activation *activation, uint32_t root, struct span json)
{
	grow(activation);
	unset_root(activation, root);
	if (json.len > UINT32_MAX) {
		set(activation, root, value_error(ERROR_TOO_BIG, NULL));
		return;
	}
	if (paths_has_children(activation->paths, root)) {
		(void)fill(activation, root, json.ptr, json.ptr + json.len);
	} else {
		set(activation, root, value_from_json(&activation->allowance, json));
	}
}

/* ---- asking ---- */

/* `detail` is NULL: a copy of the name. */
static struct value select_from(struct allowance *allowance, struct value *map, struct span name,
                                const char *detail)
{
	if (map->tag != VALUE_MAP) {
		struct value error = value_error(ERROR_NO_SUCH_OVERLOAD, NULL);
		error.types = value_types(map->tag, 0);
		return value_is_error(*map) ? *map : error;
	}
	if ((map->flags & VALUE_FILLED) == 0 || detail == NULL) {
		const struct value_map *members = value_map(allowance, map);
		if (members == NULL) {
			return allowance_error(allowance);
		}
		const struct value *found = value_map_get_name(members, name);
		if (found != NULL) {
			return *found;
		}
	}
	return value_error(ERROR_NO_SUCH_KEY,
	                   detail != NULL ? detail : arena_copy(&allowance->arena, name).ptr);
}

struct value activation_select(struct allowance *allowance, struct value *map, struct span name)
{
	return select_from(allowance, map, name, NULL);
}

struct value activation_resolve(struct activation *activation, uint32_t slot)
{
	grow(activation);
	const char *name = paths_name(activation->paths, slot).ptr;
	uint32_t parent = paths_parent(activation->paths, slot);
	struct value value;
	if (parent == PATHS_NONE) {
		value = value_error(ERROR_UNKNOWN_NAME, name);
	} else {
		value = activation_get(activation, parent);
		if (!value_is_error(value)) {
			value = select_from(&activation->allowance, &activation->slots[parent],
			                    paths_name(activation->paths, slot), name);
		}
	}
	/* The next evaluation has a budget of its own. */
	if (!value_is_error(value) || value.code != ERROR_BUDGET) {
		set(activation, slot, value);
	}
	return value;
}
