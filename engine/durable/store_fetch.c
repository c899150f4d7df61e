/* This file collects keys into rounds, reads them and calls who waits. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/store_fetch.h"

#include "base/mem.h"

enum { ROUND_BYTES = 64 * 1024 /* what a round keeps for the next one */ };

struct store_fetch_key {
	enum space space;
	uint32_t at; /* of the part; the key follows */
	uint16_t part_len;
	uint16_t key_len;
};

struct store_fetch_value {
	bool is_there;
	size_t at;
	struct record record; /* its value is set from `at` once all are there */
};

void store_fetches_init(struct store_fetches *fetches, struct store_table *table)
{
	*fetches = (struct store_fetches){.table = table};
	for (int i = 0; i < 2; i++) {
		fetches->rounds[i].fetches = fetches;
		list_init(&fetches->waiting[i]);
	}
	list_init(&fetches->ready);
}

void store_fetches_close(struct store_fetches *fetches)
{
	PRE(!fetches->is_out);
	for (int i = 0; i < 2; i++) {
		struct store_fetch_round *round = &fetches->rounds[i];
		buf_free(&round->bytes);
		buf_free(&round->values);
		mem_free(round->keys);
		mem_free(round->found);
	}
}

/* ---- keys ---- */

static struct store_fetch_key copy_key(struct buf *bytes, struct record_key key)
{
	PRE(bytes->len <= UINT32_MAX && key.part.len <= UINT16_MAX && key.key.len <= UINT16_MAX);
	struct store_fetch_key copy = {key.space, (uint32_t)bytes->len, (uint16_t)key.part.len,
	                               (uint16_t)key.key.len};
	(void)buf_reserve(bytes, key.part.len + key.key.len + 1); /* never without an address */
	buf_span(bytes, key.part);
	buf_span(bytes, key.key);
	return copy;
}

static struct record_key key_of(const struct buf *bytes, const struct store_fetch_key *key)
{
	const char *at = bytes->ptr + key->at;
	return (struct record_key){key->space, span_make(at, key->part_len),
	                           span_make(at + key->part_len, key->key_len)};
}

static void ask(struct store_fetches *fetches, struct hot *hot, struct record_key key)
{
	struct store_fetch_round *round = &fetches->rounds[fetches->next];
	if (round->count == round->cap) {
		round->cap = round->cap ? round->cap * 2 : 16;
		round->keys = mem_grow(round->keys, round->cap * sizeof *round->keys);
	}
	round->keys[round->count++] = copy_key(&round->bytes, key);
	hot->read = HOT_READ_ASKED;
}

/* Puts the fetch behind the round that brings the last of its records. They are pinned. */
static void place(struct store_fetches *fetches, struct store_fetch *fetch)
{
	const struct store_fetch_key *keys = fetch->rows;
	bool needs_next = false;
	bool needs_out = false;
	for (size_t i = 0; i < fetch->count; i++) {
		struct record_key key = key_of(&fetch->bytes, &keys[i]);
		struct hot *hot = store_table_get(fetches->table, key);
		POST(hot != NULL);
		if (hot->state != STORE_UNKNOWN) {
			continue;
		}
		if (hot->read == HOT_READ_NONE) {
			ask(fetches, hot, key);
		}
		needs_next |= hot->read == HOT_READ_ASKED;
		needs_out |= hot->read == HOT_READ_OUT;
	}
	if (needs_next) {
		list_push(&fetches->waiting[fetches->next], &fetch->link);
	} else if (needs_out) {
		list_push(&fetches->waiting[1 - fetches->next], &fetch->link);
	} else {
		list_push(&fetches->ready, &fetch->link);
	}
}

void store_fetches_add(struct store_fetches *fetches, struct store_fetch *fetch,
                       const struct record_key keys[], size_t count)
{
	struct store_fetch_key *copies = mem_raw(count * sizeof *copies);
	fetch->bytes = (struct buf){0};
	fetch->count = count;
	fetch->rows = copies;
	for (size_t i = 0; i < count; i++) {
		copies[i] = copy_key(&fetch->bytes, keys[i]);
		(void)store_table_pin(fetches->table, keys[i]);
	}
	place(fetches, fetch);
}

/* ---- a round ---- */

static void found(void *ctx, size_t index, const struct record *record)
{
	struct store_fetch_round *round = ctx;
	struct store_fetch_value *value = &round->found[index];
	*value = (struct store_fetch_value){true, round->values.len, *record};
	buf_span(&round->values, record->value);
}

static void read_round(struct store_job *job)
{
	struct store_fetch_round *round = MEM_CONTAINER(job, struct store_fetch_round, job);
	struct record_key *keys = mem_raw(round->count * sizeof *keys);
	for (size_t i = 0; i < round->count; i++) {
		keys[i] = key_of(&round->bytes, &round->keys[i]);
		round->found[i] = (struct store_fetch_value){.is_there = false};
	}
	round->err = (struct err){0};
	round->status = round->adapter->type->get(round->adapter, keys, round->count, found, round,
	                                          &round->err);
	mem_free(keys);
}

static void fill(struct store_fetches *fetches, struct store_fetch_round *round)
{
	for (size_t i = 0; i < round->count; i++) {
		struct store_fetch_value *value = &round->found[i];
		value->record.value = span_make(buf_view(&round->values).ptr + value->at,
		                                value->record.value.len);
		store_table_fill(fetches->table, key_of(&round->bytes, &round->keys[i]),
		                 value->is_there ? &value->record : NULL);
	}
}

/* The read is over, whatever came of it. */
static void unmark(struct store_fetches *fetches, const struct store_fetch_round *round)
{
	for (size_t i = 0; i < round->count; i++) {
		struct hot *hot =
		        store_table_get(fetches->table, key_of(&round->bytes, &round->keys[i]));
		if (hot != NULL) {
			hot->read = HOT_READ_NONE;
		}
	}
}

static void empty(struct store_fetch_round *round)
{
	round->count = 0;
	buf_clear(&round->bytes);
	buf_clear(&round->values);
	buf_shrink(&round->bytes, ROUND_BYTES);
	buf_shrink(&round->values, ROUND_BYTES);
}

/* The fetch may be gone once it was called, so what the store needs is taken out of it first. */
static void call(struct store_fetches *fetches, struct store_fetch *fetch, int status,
                 const struct err *err)
{
	struct store_fetch_key *keys = fetch->rows;
	struct buf bytes = fetch->bytes;
	size_t count = fetch->count;
	fetch->rows = NULL;
	fetch->bytes = (struct buf){0};
	fetch->count = 0;
	list_remove(&fetch->link);
	fetch->done(fetch, status, err);
	for (size_t i = 0; i < count; i++) {
		store_table_unpin(fetches->table, key_of(&bytes, &keys[i]));
	}
	mem_free(keys);
	buf_free(&bytes);
}

static void call_all(struct store_fetches *fetches, struct list *list, int status,
                     const struct err *err)
{
	struct list now;
	list_init(&now);
	list_move(list, &now);
	while (!list_is_empty(&now)) {
		call(fetches, LIST_FIRST(&now, struct store_fetch, link), status, err);
	}
}

static void place_all(struct store_fetches *fetches, struct list *list)
{
	struct list now;
	list_init(&now);
	list_move(list, &now);
	while (!list_is_empty(&now)) {
		struct store_fetch *fetch = LIST_FIRST(&now, struct store_fetch, link);
		list_remove(&fetch->link);
		place(fetches, fetch);
	}
}

static void round_done(struct store_job *job)
{
	struct store_fetch_round *round = MEM_CONTAINER(job, struct store_fetch_round, job);
	struct store_fetches *fetches = round->fetches;
	struct list *waiting = &fetches->waiting[1 - fetches->next];
	int status = round->status;
	bool is_void = fetches->is_void;
	if (status == 0 && !is_void) {
		fill(fetches, round);
	}
	unmark(fetches, round);
	empty(round);
	fetches->is_out = false;
	fetches->is_void = false;
	if (is_void) {
		return;
	}
	const struct err err = round->err;
	call_all(fetches, waiting, status, status != 0 ? &err : NULL);
	if (status != 0) {
		/* Some who wait for the next round counted on this one for a key. */
		place_all(fetches, &fetches->waiting[fetches->next]);
	}
}

struct store_job *store_fetches_next(struct store_fetches *fetches, struct adapter *adapter)
{
	struct store_fetch_round *round = &fetches->rounds[fetches->next];
	if (fetches->is_out || round->count == 0) {
		return NULL;
	}
	if (round->found_cap < round->count) {
		round->found_cap = round->cap;
		round->found = mem_grow(round->found, round->found_cap * sizeof *round->found);
	}
	for (size_t i = 0; i < round->count; i++) {
		struct hot *hot =
		        store_table_get(fetches->table, key_of(&round->bytes, &round->keys[i]));
		if (hot != NULL) {
			hot->read = HOT_READ_OUT;
		}
	}
	round->adapter = adapter;
	round->job.work = read_round;
	round->job.done = round_done;
	fetches->next = 1 - fetches->next;
	fetches->is_out = true;
	return &round->job;
}

bool store_fetches_call_ready(struct store_fetches *fetches)
{
	bool any = !list_is_empty(&fetches->ready);
	call_all(fetches, &fetches->ready, 0, NULL);
	return any;
}

void store_fetches_void(struct store_fetches *fetches)
{
	fetches->is_void = fetches->is_out;
}

void store_fetches_again(struct store_fetches *fetches)
{
	PRE(!fetches->is_out);
	struct list all;
	list_init(&all);
	for (int i = 0; i < 2; i++) {
		unmark(fetches, &fetches->rounds[i]);
		empty(&fetches->rounds[i]);
		list_move(&fetches->waiting[i], &all);
	}
	list_move(&fetches->ready, &all);
	place_all(fetches, &all);
}

void store_fetches_cancel(struct store_fetches *fetches, int status, const struct err *err)
{
	PRE(!fetches->is_out);
	for (int i = 0; i < 2; i++) {
		unmark(fetches, &fetches->rounds[i]);
		empty(&fetches->rounds[i]);
		call_all(fetches, &fetches->waiting[i], status, err);
	}
	call_all(fetches, &fetches->ready, status, err);
}
