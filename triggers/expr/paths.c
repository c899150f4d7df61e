/* This file finds the children of a path by name, and counts who uses a path. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/paths.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json_write.h"
#include "base/mem.h"

/*
 * DESIGN. A node's children are a table of (hash, slot): open addressing, linear probing, at most
 * half full, a removal closes its gap. What most look-ups ask for is not there: the marks of all
 * names that ever were in the table (made of length and first byte) are a set of bits, which
 * answers most of them before anything is hashed.
 */
struct child {
	uint32_t hash;
	uint32_t slot; /* PATHS_NONE: empty */
};

struct children {
	struct child *table;
	uint32_t size; /* of the table: a power of two, or 0 */
	uint32_t count;
	uint64_t marks;
};

struct node {
	struct span name; /* owned, a NUL behind; absent while the slot is free */
	struct children children;
	uint32_t parent; /* of a free slot: the next free one */
	uint32_t users;  /* children among them, and for a root 1 */
	uint32_t hash;
};

struct paths {
	struct node *nodes;
	size_t count;
	size_t cap;
	uint32_t free;
	struct children roots;
	struct paths_watcher *watchers;
};

enum { TABLE_FIRST = 2 };

static uint32_t hash_name(struct span name)
{
	return (uint32_t)(hash_quick(name, 0) >> 32);
}

/* ---- tables ---- */

static inline uint32_t find(const struct paths *paths, const struct children *children,
                            struct span name)
{
	if ((children->marks & paths_mark(name)) == 0) {
		return PATHS_NONE;
	}
	uint32_t mask = children->size - 1;
	uint32_t hash = hash_name(name);
	for (uint32_t at = hash & mask;; at = (at + 1) & mask) {
		const struct child *child = &children->table[at];
		if (child->slot == PATHS_NONE) {
			return PATHS_NONE;
		}
		if (child->hash == hash && span_equal(paths->nodes[child->slot].name, name)) {
			return child->slot;
		}
	}
}

static void put(struct children *children, struct child child)
{
	uint32_t mask = children->size - 1;
	uint32_t at = child.hash & mask;
	while (children->table[at].slot != PATHS_NONE) {
		at = (at + 1) & mask;
	}
	children->table[at] = child;
}

static void add(struct children *children, struct child child, struct span name)
{
	if (children->count >= children->size / 2) {
		struct children larger = *children;
		larger.size = children->size != 0 ? children->size * 2 : TABLE_FIRST;
		larger.table = MEM_ARRAY(struct child, larger.size);
		for (uint32_t i = 0; i < larger.size; i++) {
			larger.table[i].slot = PATHS_NONE;
		}
		for (uint32_t i = 0; i < children->size; i++) {
			if (children->table[i].slot != PATHS_NONE) {
				put(&larger, children->table[i]);
			}
		}
		mem_free(children->table);
		*children = larger;
	}
	put(children, child);
	children->count++;
	children->marks |= paths_mark(name);
}

static void remove_child(struct children *children, uint32_t hash, uint32_t slot)
{
	if (--children->count == 0) {
		mem_free(children->table);
		*children = (struct children){0};
		return;
	}
	uint32_t mask = children->size - 1;
	uint32_t gap = hash & mask;
	while (children->table[gap].slot != slot) {
		gap = (gap + 1) & mask;
	}
	/* Who stands behind the gap, and not at its own place, would not be found across it. */
	for (uint32_t at = (gap + 1) & mask; children->table[at].slot != PATHS_NONE;
	     at = (at + 1) & mask) {
		uint32_t home = children->table[at].hash & mask;
		if (((at - home) & mask) >= ((at - gap) & mask)) {
			children->table[gap] = children->table[at];
			gap = at;
		}
	}
	children->table[gap].slot = PATHS_NONE;
}

/* ---- life ---- */

struct paths *paths_new(void)
{
	struct paths *paths = MEM_NEW(struct paths);
	paths->free = PATHS_NONE;
	return paths;
}

void paths_free(struct paths *paths)
{
	if (paths == NULL) {
		return;
	}
	while (paths->watchers != NULL) {
		paths_unwatch(paths->watchers);
	}
	for (size_t i = 0; i < paths->count; i++) {
		mem_free((char *)paths->nodes[i].name.ptr);
		mem_free(paths->nodes[i].children.table);
	}
	mem_free(paths->roots.table);
	mem_free(paths->nodes);
	mem_free(paths);
}

static uint32_t take_slot(struct paths *paths)
{
	uint32_t slot = paths->free;
	if (slot != PATHS_NONE) {
		paths->free = paths->nodes[slot].parent;
		return slot;
	}
	PRE(paths->count < UINT32_MAX / 4);
	if (paths->count == paths->cap) {
		paths->cap = paths->cap != 0 ? paths->cap * 2 : 16;
		paths->nodes = mem_grow(paths->nodes, paths->cap * sizeof *paths->nodes);
	}
	return (uint32_t)paths->count++;
}

static void tell(struct paths *paths, uint32_t slot)
{
	for (struct paths_watcher *each = paths->watchers; each != NULL; each = each->next) {
		each->changed(each, slot);
	}
}

static struct children *children_of(struct paths *paths, uint32_t parent)
{
	return parent == PATHS_NONE ? &paths->roots : &paths->nodes[parent].children;
}

static uint32_t new_node(struct paths *paths, uint32_t parent, struct span name)
{
	uint32_t slot = take_slot(paths);
	uint32_t hash = hash_name(name);
	paths->nodes[slot] =
	        (struct node){.name = mem_span(name), .parent = parent, .users = 1, .hash = hash};
	if (parent != PATHS_NONE) {
		paths->nodes[parent].users++;
	}
	add(children_of(paths, parent), (struct child){hash, slot}, name);
	tell(paths, slot);
	return slot;
}

uint32_t paths_root(struct paths *paths, struct span name)
{
	uint32_t slot = find(paths, &paths->roots, name);
	return slot != PATHS_NONE ? slot : new_node(paths, PATHS_NONE, name);
}

static struct node *node_of(const struct paths *paths, uint32_t slot)
{
	PRE(slot < paths->count && paths->nodes[slot].name.ptr != NULL);
	return &paths->nodes[slot];
}

uint32_t paths_take(struct paths *paths, uint32_t parent, struct span name)
{
	uint32_t slot = find(paths, &node_of(paths, parent)->children, name);
	return slot != PATHS_NONE ? paths_take_again(paths, slot) : new_node(paths, parent, name);
}

uint32_t paths_take_again(struct paths *paths, uint32_t slot)
{
	node_of(paths, slot)->users++;
	return slot;
}

void paths_drop(struct paths *paths, uint32_t slot)
{
	while (slot != PATHS_NONE) {
		struct node *node = node_of(paths, slot);
		PRE(node->users != 0);
		if (--node->users != 0) {
			return;
		}
		uint32_t parent = node->parent;
		PRE(parent != PATHS_NONE); /* a root was dropped more often than it was taken */
		tell(paths, slot);
		remove_child(children_of(paths, parent), node->hash, slot);
		mem_free((char *)node->name.ptr);
		*node = (struct node){.parent = paths->free};
		paths->free = slot;
		slot = parent;
	}
}

void paths_watch(struct paths *paths, struct paths_watcher *watcher)
{
	watcher->paths = paths;
	watcher->next = paths->watchers;
	paths->watchers = watcher;
}

void paths_unwatch(struct paths_watcher *watcher)
{
	if (watcher->paths == NULL) {
		return;
	}
	struct paths_watcher **at = &watcher->paths->watchers;
	while (*at != watcher) {
		at = &(*at)->next;
	}
	*at = watcher->next;
	watcher->paths = NULL;
}

/* ---- reading ---- */

size_t paths_size(const struct paths *paths)
{
	return paths->count;
}

uint32_t paths_parent(const struct paths *paths, uint32_t slot)
{
	return node_of(paths, slot)->parent;
}

struct span paths_name(const struct paths *paths, uint32_t slot)
{
	return node_of(paths, slot)->name;
}

bool paths_has_children(const struct paths *paths, uint32_t slot)
{
	return node_of(paths, slot)->children.count != 0;
}

uint32_t paths_child(const struct paths *paths, uint32_t parent, struct span name)
{
	return find(paths, &node_of(paths, parent)->children, name);
}

uint64_t paths_marks(const struct paths *paths, uint32_t slot)
{
	return node_of(paths, slot)->children.marks;
}

static bool is_identifier(struct span name)
{
	for (size_t i = 0; i < name.len; i++) {
		char byte = name.ptr[i];
		bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
		if (!letter && byte != '_' && !(i != 0 && byte >= '0' && byte <= '9')) {
			return false;
		}
	}
	return name.len != 0;
}

static void write_segment(struct span name, struct buf *out)
{
	if (is_identifier(name)) {
		buf_byte(out, '.');
		buf_span(out, name);
		return;
	}
	buf_byte(out, '[');
	json_write_string(out, name);
	buf_byte(out, ']');
}

void paths_write(const struct paths *paths, uint32_t slot, struct buf *out)
{
	size_t depth = 0;
	uint32_t at = slot;
	for (; paths_parent(paths, at) != PATHS_NONE; at = paths_parent(paths, at)) {
		depth++;
	}
	buf_span(out, paths_name(paths, at));
	while (depth-- != 0) {
		at = slot;
		for (size_t up = depth; up != 0; up--) {
			at = paths_parent(paths, at);
		}
		write_segment(paths_name(paths, at), out);
	}
}
