/* This file orders what is due, loads the next page in time, and tells batch by batch. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/durable/agenda.h"

#include "base/hash.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "engine/durable/agenda_walk.h"

enum {
	AHEAD_MS = 10000, /* how long before it is due a record should be in memory */
	RETRY_MS = 1000,
};

struct entry {
	struct heap_node node; /* rank: when it is due */
	struct map_node by_name;
	uint16_t part_len;
	uint16_t key_len;
	char bytes[]; /* part, key */
};

/* A question that is out; it may outlive the agenda. */
struct page {
	struct store_due due;
	struct agenda *agenda; /* NULL once it was freed or began again */
	bool is_useless;       /* entries were forgotten behind its beginning */
};

struct agenda {
	struct store *store;
	struct alarms *alarms;
	struct agenda_options options;
	struct heap heap;
	struct map by_name;
	struct alarm next; /* the first entry is due */
	struct alarm load; /* the horizon comes near */
	/* What stands here or before is in memory; INT64_MAX: everything. */
	int64_t horizon_ms;
	struct buf horizon_part, horizon_key;
	bool is_started;
	bool has_missed; /* something behind the horizon was put, and the view may not have it */
	struct page *page;
	struct agenda_walk *walk;
	unsigned out; /* batches */
	bool is_telling;
	uint64_t pages;
};

static struct span part_of(const struct entry *entry)
{
	return span_make(entry->bytes, entry->part_len);
}

static struct span key_of(const struct entry *entry)
{
	return span_make(entry->bytes + entry->part_len, entry->key_len);
}

static struct agenda_due due_of(const struct entry *entry)
{
	return (struct agenda_due){part_of(entry), key_of(entry), entry->node.rank};
}

/* ---- entries ---- */

static uint64_t hash_of(struct span part, struct span key)
{
	return hash_quick(key, hash_quick(part, 0));
}

static bool is_named(const struct map_node *node, const void *name)
{
	const struct entry *entry = MEM_CONTAINER(node, struct entry, by_name);
	const struct agenda_due *due = name;
	return span_equal(key_of(entry), due->key) && span_equal(part_of(entry), due->part);
}

static struct entry *find(const struct agenda *agenda, const struct agenda_due *due)
{
	struct map_node *node =
	        map_get(&agenda->by_name, hash_of(due->part, due->key), due, is_named);
	return node != NULL ? MEM_CONTAINER(node, struct entry, by_name) : NULL;
}

static void forget(struct agenda *agenda, struct entry *entry)
{
	heap_remove(&agenda->heap, &entry->node);
	map_remove(&agenda->by_name, &entry->by_name);
	mem_free(entry);
}

static void keep(struct agenda *agenda, const struct agenda_due *due)
{
	struct entry *entry = find(agenda, due);
	if (entry != NULL) {
		heap_remove(&agenda->heap, &entry->node);
	} else {
		entry = mem_new(sizeof *entry + due->part.len + due->key.len);
		entry->part_len = (uint16_t)due->part.len;
		entry->key_len = (uint16_t)due->key.len;
		memcpy(entry->bytes, due->part.ptr, due->part.len);
		memcpy(entry->bytes + due->part.len, due->key.ptr, due->key.len);
		map_add(&agenda->by_name, &entry->by_name, hash_of(due->part, due->key));
	}
	heap_add(&agenda->heap, &entry->node, due->at_ms);
}

/* ---- the horizon ---- */

static int compare(const struct agenda_due *a, const struct agenda_due *b)
{
	if (a->at_ms != b->at_ms) {
		return a->at_ms < b->at_ms ? -1 : 1;
	}
	int order = span_compare(a->part, b->part);
	return order != 0 ? order : span_compare(a->key, b->key);
}

static bool is_behind_horizon(const struct agenda *agenda, const struct agenda_due *due)
{
	const struct agenda_due horizon = {buf_view(&agenda->horizon_part),
	                                   buf_view(&agenda->horizon_key), agenda->horizon_ms};
	return agenda->horizon_ms != INT64_MAX && compare(due, &horizon) > 0;
}

static void set_horizon(struct agenda *agenda, const struct agenda_due *due)
{
	agenda->horizon_ms = due->at_ms;
	buf_clear(&agenda->horizon_part);
	buf_clear(&agenda->horizon_key);
	buf_span(&agenda->horizon_part, due->part);
	buf_span(&agenda->horizon_key, due->key);
}

static int compare_entries(struct heap_node *a, struct heap_node *b)
{
	const struct agenda_due first = due_of(MEM_CONTAINER(a, struct entry, node));
	const struct agenda_due second = due_of(MEM_CONTAINER(b, struct entry, node));
	return compare(&first, &second);
}

/* Hoare's selection: afterwards nothing before nodes[nth] is due after it, nor the other way round.
 */
static void select_nth(struct heap_node **nodes, ptrdiff_t count, ptrdiff_t nth)
{
	ptrdiff_t low = 0;
	ptrdiff_t high = count - 1;
	while (low < high) {
		struct heap_node *pivot = nodes[low + (high - low) / 2];
		ptrdiff_t i = low;
		ptrdiff_t j = high;
		while (i <= j) {
			while (compare_entries(nodes[i], pivot) < 0) {
				i++;
			}
			while (compare_entries(pivot, nodes[j]) < 0) {
				j--;
			}
			if (i <= j) {
				struct heap_node *swapped = nodes[i];
				nodes[i++] = nodes[j];
				nodes[j--] = swapped;
			}
		}
		if (nth <= j) {
			high = j;
		} else if (nth >= i) {
			low = i;
		} else {
			return;
		}
	}
}

/* Forgets the later half. */
static void come_back(struct agenda *agenda)
{
	size_t count = agenda->heap.count;
	size_t half = count / 2;
	struct heap_node **nodes = mem_raw(count * sizeof(struct heap_node *));
	memcpy(nodes, agenda->heap.nodes, count * sizeof *nodes);
	select_nth(nodes, (ptrdiff_t)count, (ptrdiff_t)half);
	const struct agenda_due last = due_of(MEM_CONTAINER(nodes[half], struct entry, node));
	set_horizon(agenda, &last);
	for (size_t i = half + 1; i < count; i++) {
		forget(agenda, MEM_CONTAINER(nodes[i], struct entry, node));
	}
	mem_free(nodes);
	agenda->has_missed = true;
	if (agenda->page != NULL) {
		agenda->page->is_useless = true;
	}
}

/* ---- loading ---- */

static void go_on(struct agenda *agenda);

static void load_failed(struct agenda *agenda, int status, const struct err *err)
{
	if (status != E_CANCELED) {
		log_warn("agenda", "what is due cannot be read, trying again: %s", err->text);
	}
	alarm_set_real(agenda->alarms, &agenda->load, RETRY_MS);
}

static void take_rows(struct agenda *agenda, const struct store_due *page)
{
	for (size_t i = 0; i < page->count; i++) {
		const struct adapter_due row = store_due_at(page, i);
		const struct agenda_due due = {row.part, row.key, row.at_ms};
		/* What was noted while the page was out is newer than the page. */
		if (find(agenda, &due) == NULL) {
			keep(agenda, &due);
		}
		if (i + 1 == page->count && page->more) {
			set_horizon(agenda, &due);
		}
	}
	if (!page->more) {
		agenda->horizon_ms = INT64_MAX;
	}
}

static void page_came(struct store_due *due, int status, const struct err *err)
{
	struct page *page = MEM_CONTAINER(due, struct page, due);
	struct agenda *agenda = page->agenda;
	if (agenda != NULL) {
		agenda->page = NULL;
		agenda->has_missed |= (status != 0 || page->is_useless) && due->is_fresh;
		if (status != 0) {
			load_failed(agenda, status, err);
		} else if (!page->is_useless) {
			take_rows(agenda, due);
		}
	}
	store_due_close(due);
	mem_free(page);
	if (agenda != NULL && status == 0) {
		go_on(agenda);
	}
}

static void ask_for_page(struct agenda *agenda)
{
	struct page *page = MEM_NEW(struct page);
	struct store_due *due = &page->due;
	page->agenda = agenda;
	due->space = agenda->options.space;
	due->after_ms = agenda->horizon_ms;
	buf_span(&due->after_part, buf_view(&agenda->horizon_part));
	buf_span(&due->after_key, buf_view(&agenda->horizon_key));
	due->limit = agenda->options.page;
	due->is_fresh = agenda->has_missed;
	due->done = page_came;
	agenda->has_missed = false;
	agenda->page = page;
	agenda->pages++;
	store_due_start(agenda->store, due);
}

static void met(void *ctx, const struct adapter_due *due)
{
	const struct agenda_due noted = {due->part, due->key, due->at_ms};
	keep(ctx, &noted);
}

static void walked(void *ctx, int status, const struct err *err)
{
	struct agenda *agenda = ctx;
	agenda->walk = NULL;
	if (status != 0) {
		load_failed(agenda, status, err);
		return;
	}
	agenda->horizon_ms = INT64_MAX;
	go_on(agenda);
}

static void load_if_needed(struct agenda *agenda)
{
	size_t count = agenda->heap.count;
	int64_t near_ms = agenda->horizon_ms - AHEAD_MS;
	alarm_clear(agenda->alarms, &agenda->load);
	if (agenda->page != NULL || agenda->walk != NULL || agenda->horizon_ms == INT64_MAX ||
	    count >= agenda->options.most / 2) {
		return; /* if there are too many: what is told makes room, and comes here again */
	}
	if (count >= agenda->options.page / 4 && near_ms > store_time_ms(agenda->store)) {
		alarm_set(agenda->alarms, &agenda->load, near_ms);
		return;
	}
	if (store_can_tell_due(agenda->store)) {
		ask_for_page(agenda);
		return;
	}
	const struct agenda_walk_hooks hooks = {.each = met, .done = walked, .ctx = agenda};
	agenda->walk = agenda_walk_start(agenda->store, agenda->options.space, &hooks);
}

/* ---- telling ---- */

static size_t take_due(struct agenda *agenda, struct entry *taken[], int64_t now_ms)
{
	size_t count = 0;
	struct heap_node *node;
	while (count < AGENDA_BATCH && (node = heap_first(&agenda->heap)) != NULL &&
	       node->rank <= now_ms) {
		struct entry *entry = MEM_CONTAINER(node, struct entry, node);
		heap_remove(&agenda->heap, node);
		map_remove(&agenda->by_name, &entry->by_name);
		taken[count++] = entry;
	}
	return count;
}

static bool tell(struct agenda *agenda)
{
	struct entry *taken[AGENDA_BATCH];
	struct agenda_due list[AGENDA_BATCH];
	size_t count = take_due(agenda, taken, store_time_ms(agenda->store));
	if (count == 0) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		list[i] = due_of(taken[i]);
	}
	agenda->out++;
	agenda->options.due(agenda->options.ctx, list, count);
	for (size_t i = 0; i < count; i++) {
		mem_free(taken[i]);
	}
	return true;
}

static void go_on(struct agenda *agenda)
{
	if (!agenda->is_started || agenda->is_telling) {
		return;
	}
	bool more = true;
	agenda->is_telling = true;
	while (agenda->out < AGENDA_TOLD && more) {
		more = tell(agenda);
	}
	agenda->is_telling = false;
	const struct heap_node *first = heap_first(&agenda->heap);
	if (first != NULL && agenda->out < AGENDA_TOLD) {
		alarm_set(agenda->alarms, &agenda->next, first->rank);
	} else {
		alarm_clear(agenda->alarms, &agenda->next);
	}
	load_if_needed(agenda);
}

static void next_is_due(struct alarm *alarm)
{
	go_on(MEM_CONTAINER(alarm, struct agenda, next));
}

static void load_is_due(struct alarm *alarm)
{
	go_on(MEM_CONTAINER(alarm, struct agenda, load));
}

void agenda_done(struct agenda *agenda)
{
	PRE(agenda->out != 0);
	agenda->out--;
	go_on(agenda);
}

void agenda_note(struct agenda *agenda, const struct agenda_due *due)
{
	if (!agenda->is_started) {
		return; /* the first page will have it */
	}
	if (agenda->page == NULL && agenda->walk == NULL && is_behind_horizon(agenda, due)) {
		struct entry *old = find(agenda, due);
		if (old != NULL) {
			forget(agenda, old);
		}
		agenda->has_missed = true;
		return;
	}
	keep(agenda, due);
	if (agenda->heap.count > agenda->options.most && agenda->walk == NULL &&
	    store_can_tell_due(agenda->store)) {
		come_back(agenda);
	}
	const struct heap_node *first = heap_first(&agenda->heap);
	if (first->rank == due->at_ms && agenda->out < AGENDA_TOLD) {
		alarm_set(agenda->alarms, &agenda->next, first->rank);
	}
}

/* ---- life ---- */

struct agenda *agenda_new(struct store *store, struct alarms *alarms,
                          const struct agenda_options *options)
{
	struct agenda *agenda = MEM_NEW(struct agenda);
	agenda->store = store;
	agenda->alarms = alarms;
	agenda->options = *options;
	agenda->next.fn = next_is_due;
	agenda->load.fn = load_is_due;
	return agenda;
}

static void forget_all(struct agenda *agenda)
{
	struct heap_node *node;
	while ((node = heap_first(&agenda->heap)) != NULL) {
		forget(agenda, MEM_CONTAINER(node, struct entry, node));
	}
	alarm_clear(agenda->alarms, &agenda->next);
	alarm_clear(agenda->alarms, &agenda->load);
	if (agenda->page != NULL) {
		agenda->page->agenda = NULL;
		agenda->page = NULL;
	}
	if (agenda->walk != NULL) {
		agenda_walk_drop(agenda->walk);
		agenda->walk = NULL;
	}
}

void agenda_free(struct agenda *agenda)
{
	if (agenda != NULL) {
		forget_all(agenda);
		heap_close(&agenda->heap);
		map_close(&agenda->by_name);
		buf_free(&agenda->horizon_part);
		buf_free(&agenda->horizon_key);
		mem_free(agenda);
	}
}

void agenda_start(struct agenda *agenda)
{
	const struct agenda_due beginning = {SPAN(""), SPAN(""), 0};
	set_horizon(agenda, &beginning);
	agenda->is_started = true;
	agenda->has_missed = true;
	load_if_needed(agenda);
}

void agenda_restart(struct agenda *agenda)
{
	if (agenda->is_started) {
		forget_all(agenda);
		agenda_start(agenda);
	}
}

void agenda_get_stats(const struct agenda *agenda, struct agenda_stats *out)
{
	const struct heap_node *first = heap_first(&agenda->heap);
	*out = (struct agenda_stats){
	        .in_memory = agenda->heap.count,
	        .next_ms = first != NULL ? first->rank : 0,
	        .horizon_ms = agenda->horizon_ms,
	        .pages = agenda->pages,
	};
}
