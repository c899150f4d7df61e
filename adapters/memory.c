/* This file keeps records in a hash table and a skip list over the same nodes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/memory.h"

#include "adapters/memory_journal.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/map.h"
#include "base/mem.h"

/*
 * DESIGN. get goes by the hash table; scan and parts go by the skip list, which is ordered by
 * (space, part, key). Level 0 of the list has links in both directions; a quarter of the nodes of
 * each level is on the next one too.
 */
enum { LEVELS_MAX = 16 };

struct node {
	struct map_node in_table;
	struct record record; /* the value's bytes are the node's own */
	struct node *before;
	uint16_t part_len;
	uint16_t key_len;
	uint8_t space;
	uint8_t levels;
	struct node *next[]; /* `levels` of them; then the bytes of part and key */
};

struct memory {
	struct adapter adapter;
	struct map table;
	struct node *head; /* stands before all others; has all levels and no names */
	uint64_t dice;
	char log[ADAPTER_LOG_LEN + 1];
	struct memory_journal journal;
};

static struct memory *self(struct adapter *adapter)
{
	return MEM_CONTAINER(adapter, struct memory, adapter);
}

static struct record_key key_of(const struct node *node)
{
	const char *names = (const char *)&node->next[node->levels];
	return (struct record_key){(enum space)node->space, span_make(names, node->part_len),
	                           span_make(names + node->part_len, node->key_len)};
}

static int compare(const struct record_key *a, const struct record_key *b)
{
	if (a->space != b->space) {
		return a->space < b->space ? -1 : 1;
	}
	int order = span_compare(a->part, b->part);
	return order != 0 ? order : span_compare(a->key, b->key);
}

static bool is_key(const struct map_node *node, const void *key)
{
	struct record_key found = key_of(MEM_CONTAINER(node, struct node, in_table));
	const struct record_key *wanted = key;
	return found.space == wanted->space && span_equal(found.part, wanted->part) &&
	       span_equal(found.key, wanted->key);
}

static uint64_t hash_of(const struct record_key *key)
{
	return hash_bytes(key->key, hash_bytes(key->part, (uint64_t)key->space));
}

static struct node *find(const struct memory *memory, const struct record_key *key)
{
	struct map_node *found = map_get(&memory->table, hash_of(key), key, is_key);
	return found ? MEM_CONTAINER(found, struct node, in_table) : NULL;
}

static struct node *new_node(const struct record_key *key, int levels)
{
	struct node *node = mem_raw(sizeof *node + (size_t)levels * sizeof node->next[0] +
	                            key->part.len + key->key.len);
	*node = (struct node){
	        .part_len = (uint16_t)key->part.len,
	        .key_len = (uint16_t)key->key.len,
	        .space = (uint8_t)key->space,
	        .levels = (uint8_t)levels,
	};
	for (int level = 0; level < levels; level++) {
		node->next[level] = NULL;
	}
	char *names = (char *)&node->next[levels];
	if (key->part.len != 0) {
		memcpy(names, key->part.ptr, key->part.len);
	}
	if (key->key.len != 0) {
		memcpy(names + key->part.len, key->key.ptr, key->key.len);
	}
	return node;
}

static void free_node(struct node *node)
{
	mem_free((char *)(uintptr_t)node->record.value.ptr);
	mem_free(node);
}

/* The last node of each level that stands before `key`. */
static void find_places(const struct memory *memory, const struct record_key *key,
                        struct node *places[LEVELS_MAX])
{
	struct node *node = memory->head;
	for (int level = LEVELS_MAX - 1; level >= 0; level--) {
		for (struct node *next = node->next[level]; next != NULL;
		     next = node->next[level]) {
			struct record_key next_key = key_of(next);
			if (compare(&next_key, key) >= 0) {
				break;
			}
			node = next;
		}
		places[level] = node;
	}
}

static int throw_levels(struct memory *memory)
{
	memory->dice ^= memory->dice << 13;
	memory->dice ^= memory->dice >> 7;
	memory->dice ^= memory->dice << 17;
	int levels = 1;
	for (uint64_t dice = memory->dice; levels < LEVELS_MAX && (dice & 3) == 0; dice >>= 2) {
		levels++;
	}
	return levels;
}

static struct node *add_node(struct memory *memory, const struct record_key *key)
{
	struct node *places[LEVELS_MAX];
	find_places(memory, key, places);
	struct node *node = new_node(key, throw_levels(memory));
	for (int level = 0; level < node->levels; level++) {
		node->next[level] = places[level]->next[level];
		places[level]->next[level] = node;
	}
	node->before = places[0];
	if (node->next[0] != NULL) {
		node->next[0]->before = node;
	}
	map_add(&memory->table, &node->in_table, hash_of(key));
	return node;
}

static void remove_node(struct memory *memory, struct node *node)
{
	struct node *places[LEVELS_MAX];
	struct record_key key = key_of(node);
	find_places(memory, &key, places);
	for (int level = 0; level < node->levels; level++) {
		places[level]->next[level] = node->next[level];
	}
	if (node->next[0] != NULL) {
		node->next[0]->before = node->before;
	}
	map_remove(&memory->table, &node->in_table);
	free_node(node);
}

/* The first node that is not before `key`; NULL when all are. */
static struct node *seek(const struct memory *memory, const struct record_key *key)
{
	struct node *places[LEVELS_MAX];
	find_places(memory, key, places);
	return places[0]->next[0];
}

static bool is_in_part(const struct node *node, enum space space, struct span part)
{
	return node->space == (uint8_t)space && span_equal(key_of(node).part, part);
}

/* ---- open, close ---- */

static int memory_open(const struct adapter_open *how, struct adapter **out, struct err *err)
{
	(void)how;
	(void)err;
	struct memory *memory = MEM_NEW(struct memory);
	memory->adapter.type = &memory_adapter;
	struct record_key none = {.space = (enum space)0};
	memory->head = new_node(&none, LEVELS_MAX);
	unsigned char random[ADAPTER_LOG_LEN / 2];
	id_random(random, sizeof random);
	id_hex(random, sizeof random, memory->log);
	id_random(&memory->dice, sizeof memory->dice);
	memory->dice |= 1;
	memory_journal_open(&memory->journal);
	*out = &memory->adapter;
	return 0;
}

static void memory_close(struct adapter *adapter)
{
	struct memory *memory = self(adapter);
	for (struct node *node = memory->head; node != NULL;) {
		struct node *next = node->next[0];
		free_node(node);
		node = next;
	}
	map_close(&memory->table);
	memory_journal_close(&memory->journal);
	mem_free(memory);
}

/* ---- records ---- */

static int memory_get(struct adapter *adapter, const struct record_key keys[], size_t count,
                      adapter_found_fn *found, void *ctx, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < count; i++) {
		const struct node *node = find(self(adapter), &keys[i]);
		if (node != NULL) {
			found(ctx, i, &node->record);
		}
	}
	return 0;
}

static bool is_before_end(const struct node *node, const struct adapter_range *range)
{
	return is_in_part(node, range->space, range->part) &&
	       (range->end.ptr == NULL || span_compare(key_of(node).key, range->end) < 0);
}

static int memory_scan(struct adapter *adapter, const struct adapter_range *range, size_t limit,
                       bool reverse, adapter_row_fn *row, void *ctx, struct err *err)
{
	(void)err;
	const struct memory *memory = self(adapter);
	struct record_key start = {range->space, range->part, range->start};
	const struct node *node = seek(memory, &start);
	if (!reverse) {
		for (size_t i = 0; i < limit && node != NULL && is_before_end(node, range); i++) {
			if (!row(ctx, key_of(node).key, &node->record)) {
				break;
			}
			node = node->next[0];
		}
		return 0;
	}
	/* Backwards from behind the end: of the range, or of the part, which is where the least
	 * part above it would begin. */
	struct buf above = {0};
	struct record_key end = {range->space, range->part, range->end};
	if (range->end.ptr == NULL) {
		buf_span(&above, range->part);
		buf_byte(&above, '\0');
		end = (struct record_key){range->space, buf_view(&above), SPAN_NONE};
	}
	struct node *places[LEVELS_MAX];
	find_places(memory, &end, places);
	node = places[0];
	for (size_t i = 0; i < limit && node != memory->head; i++) {
		if (!is_in_part(node, range->space, range->part) ||
		    span_compare(key_of(node).key, range->start) < 0 ||
		    !row(ctx, key_of(node).key, &node->record)) {
			break;
		}
		node = node->before;
	}
	buf_free(&above);
	return 0;
}

static int memory_parts(struct adapter *adapter, enum space space, struct span after, size_t limit,
                        adapter_part_fn *part, void *ctx, struct err *err)
{
	(void)err;
	struct buf above = {0}; /* the least part that is above the last one */
	if (after.ptr != NULL) {
		buf_span(&above, after);
		buf_byte(&above, '\0');
	}
	bool more = true;
	for (size_t i = 0; more && i < limit; i++) {
		struct record_key from = {space, buf_view(&above), SPAN_NONE};
		const struct node *node = seek(self(adapter), &from);
		if (node == NULL || node->space != (uint8_t)space) {
			break;
		}
		buf_clear(&above);
		buf_span(&above, key_of(node).part);
		buf_byte(&above, '\0');
		more = part(ctx, key_of(node).part);
	}
	buf_free(&above);
	return 0;
}

/* ---- write ---- */

static void put(struct memory *memory, const struct record_key *key, const struct batch *batch,
                const struct batch_op *op)
{
	struct node *node = find(memory, key);
	if (node == NULL) {
		node = add_node(memory, key);
	}
	struct span value = batch_op_value(batch, op);
	char *bytes = (char *)(uintptr_t)node->record.value.ptr;
	if (bytes == NULL || node->record.value.len != value.len) {
		mem_free(bytes);
		bytes = mem_raw(value.len);
	}
	memcpy(bytes, value.ptr, value.len);
	node->record =
	        (struct record){span_make(bytes, value.len), op->rev, op->expires_at_ms, op->flags};
}

static void delete_range(struct memory *memory, const struct record_key *start, struct span end)
{
	struct node *node = seek(memory, start);
	while (node != NULL && is_in_part(node, start->space, start->part) &&
	       (end.len == 0 || span_compare(key_of(node).key, end) < 0)) {
		struct node *next = node->next[0];
		remove_node(memory, node);
		node = next;
	}
}

static int memory_write(struct adapter *adapter, const struct batch *batch, struct err *err)
{
	(void)err;
	struct memory *memory = self(adapter);
	memory_journal_add(&memory->journal, batch, MEMORY_JOURNAL_MAX);
	for (size_t i = 0; i < batch->op_count; i++) {
		const struct batch_op *op = &batch->ops[i];
		struct record_key key = batch_op_key(batch, op);
		if (op->kind == BATCH_PUT) {
			put(memory, &key, batch, op);
		} else if (op->kind == BATCH_DELETE_RANGE) {
			delete_range(memory, &key, batch_op_value(batch, op));
		} else {
			struct node *node = find(memory, &key);
			if (node != NULL) {
				remove_node(memory, node);
			}
		}
	}
	return 0;
}

/* ---- journal ---- */

static int memory_head(struct adapter *adapter, struct adapter_head *out, struct err *err)
{
	(void)err;
	const struct memory *memory = self(adapter);
	*out = (struct adapter_head){
	        .epoch = 1,
	        .first_seq = memory->journal.first_seq,
	        .next_seq = memory->journal.next_seq,
	        .epoch_seq = 1,
	        .volatile_data = true,
	};
	memcpy(out->log, memory->log, sizeof out->log);
	return 0;
}

static int memory_read(struct adapter *adapter, uint64_t from, adapter_entry_fn *entry, void *ctx,
                       struct err *err)
{
	return memory_journal_read(&self(adapter)->journal, from, entry, ctx, err);
}

static int memory_trim(struct adapter *adapter, uint64_t seq, uint64_t *out_first,
                       uint64_t *out_bytes, struct err *err)
{
	(void)err;
	struct memory_journal *journal = &self(adapter)->journal;
	memory_journal_trim(journal, seq);
	*out_first = journal->first_seq;
	*out_bytes = journal->bytes;
	return 0;
}

const struct adapter_type memory_adapter = {
        .size = sizeof(struct adapter_type),
        .abi_version = ADAPTER_ABI_VERSION,
        .name = "memory",
        .help = "Everything in memory; nothing survives the process.",
        .flags = ADAPTER_INLINE,
        .open = memory_open,
        .close = memory_close,
        .get = memory_get,
        .scan = memory_scan,
        .parts = memory_parts,
        .head = memory_head,
        .write = memory_write,
        .read = memory_read,
        .trim = memory_trim,
};
