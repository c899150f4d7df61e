/* This file keeps a journal and records in memory, with gates and planned faults. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/adapters/fault_adapter.h"

#include "base/mem.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct fault_row {
	struct record_key key; /* owned, like the value */
	struct record record;
};

struct fault_plan {
	enum fault_kind kind;
	int times;
	int number;
};

struct fault_disk {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char config[32];
	struct batch **written;
	size_t written_count;
	size_t applied; /* batches of `written` that the view has */
	uint64_t first_seq, next_seq, epoch;
	int64_t sync_every_ms;
	uint64_t trim_by;
	struct fault_row *rows; /* in order */
	size_t row_count, row_cap;
	struct fault_plan plans[FAULT_CALLS];
	bool is_shut[FAULT_CALLS];
	unsigned waiting[FAULT_CALLS];
	unsigned passed[FAULT_CALLS];
	size_t last_get;
	bool last_write_was_lazy;
};

struct fault_adapter {
	struct adapter adapter;
	struct fault_disk *disk;
};

/* ---- the disk ---- */

struct fault_disk *fault_disk_new(void)
{
	struct fault_disk *disk = MEM_NEW(struct fault_disk);
	(void)pthread_mutex_init(&disk->lock, NULL);
	(void)pthread_cond_init(&disk->changed, NULL);
	(void)snprintf(disk->config, sizeof disk->config, "%p", (void *)disk);
	disk->first_seq = 1;
	disk->next_seq = 1;
	disk->trim_by = 1;
	return disk;
}

static void row_free(struct fault_row *row)
{
	mem_free((char *)row->key.part.ptr);
	mem_free((char *)row->key.key.ptr);
	mem_free((char *)row->record.value.ptr);
}

void fault_disk_free(struct fault_disk *disk)
{
	for (size_t i = 0; i < disk->written_count; i++) {
		batch_close(disk->written[i]);
		mem_free(disk->written[i]);
	}
	for (size_t i = 0; i < disk->row_count; i++) {
		row_free(&disk->rows[i]);
	}
	mem_free(disk->written);
	mem_free(disk->rows);
	(void)pthread_cond_destroy(&disk->changed);
	(void)pthread_mutex_destroy(&disk->lock);
	mem_free(disk);
}

void fault_sync_every(struct fault_disk *disk, int64_t ms)
{
	disk->sync_every_ms = ms;
}

void fault_trim_by(struct fault_disk *disk, uint64_t entries)
{
	disk->trim_by = entries;
}

struct span fault_config(struct fault_disk *disk)
{
	return span_of(disk->config);
}

/* ---- rows ---- */

static int key_compare(struct record_key a, struct record_key b)
{
	if (a.space != b.space) {
		return a.space < b.space ? -1 : 1;
	}
	int order = span_compare(a.part, b.part);
	return order != 0 ? order : span_compare(a.key, b.key);
}

/* The first row that is not before the key. */
static size_t find(const struct fault_disk *disk, struct record_key key)
{
	size_t low = 0;
	size_t high = disk->row_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (key_compare(disk->rows[middle].key, key) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static bool is_at(const struct fault_disk *disk, size_t index, struct record_key key)
{
	return index < disk->row_count && key_compare(disk->rows[index].key, key) == 0;
}

static void remove_row(struct fault_disk *disk, size_t index)
{
	row_free(&disk->rows[index]);
	memmove(&disk->rows[index], &disk->rows[index + 1],
	        (disk->row_count - index - 1) * sizeof *disk->rows);
	disk->row_count--;
}

static void put_row(struct fault_disk *disk, struct record_key key, const struct record *record)
{
	size_t index = find(disk, key);
	if (is_at(disk, index, key)) {
		remove_row(disk, index);
	}
	if (disk->row_count == disk->row_cap) {
		disk->row_cap = disk->row_cap ? disk->row_cap * 2 : 64;
		disk->rows = mem_grow(disk->rows, disk->row_cap * sizeof *disk->rows);
	}
	memmove(&disk->rows[index + 1], &disk->rows[index],
	        (disk->row_count - index) * sizeof *disk->rows);
	disk->row_count++;
	disk->rows[index] =
	        (struct fault_row){{key.space, mem_span(key.part), mem_span(key.key)}, *record};
	disk->rows[index].record.value = mem_span(record->value);
}

static void delete_rows(struct fault_disk *disk, struct record_key start, struct span end)
{
	size_t index = find(disk, start);
	while (index < disk->row_count) {
		struct record_key key = disk->rows[index].key;
		if (key.space != start.space || !span_equal(key.part, start.part) ||
		    (end.len != 0 && span_compare(key.key, end) >= 0)) {
			break;
		}
		remove_row(disk, index);
	}
}

static void apply_batch(struct fault_disk *disk, const struct batch *batch)
{
	for (size_t i = 0; i < batch->op_count; i++) {
		const struct batch_op *op = &batch->ops[i];
		struct record_key key = batch_op_key(batch, op);
		const struct record record = {batch_op_value(batch, op), op->rev, op->expires_at_ms,
		                              op->flags};
		size_t index = find(disk, key);
		if (op->kind == BATCH_PUT) {
			put_row(disk, key, &record);
		} else if (op->kind == BATCH_DELETE_RANGE) {
			delete_rows(disk, key, record.value);
		} else if (is_at(disk, index, key)) {
			remove_row(disk, index);
		}
	}
}

/* ---- gates and faults ---- */

/* Returns 0, or the planned error; *out_happens says whether the call is to take effect. Takes the
 * lock, which the caller gives back. */
static int enter(struct fault_disk *disk, enum fault_call call, bool *out_happens, struct err *err)
{
	(void)pthread_mutex_lock(&disk->lock);
	disk->waiting[call]++;
	(void)pthread_cond_broadcast(&disk->changed);
	while (disk->is_shut[call]) {
		(void)pthread_cond_wait(&disk->changed, &disk->lock);
	}
	disk->waiting[call]--;
	disk->passed[call]++;
	struct fault_plan *plan = &disk->plans[call];
	*out_happens = true;
	if (plan->times == 0) {
		return 0;
	}
	plan->times--;
	*out_happens = plan->kind == FAULT_HAPPENS_AND_FAILS;
	return err_set(err, plan->number, plan->number == E_FULL ? "disk_full" : "io_error",
	               "a planned fault");
}

static int leave(struct fault_disk *disk, int status)
{
	(void)pthread_cond_broadcast(&disk->changed);
	(void)pthread_mutex_unlock(&disk->lock);
	return status;
}

void fault_plan(struct fault_disk *disk, enum fault_call call, enum fault_kind kind, int times,
                int number)
{
	(void)pthread_mutex_lock(&disk->lock);
	disk->plans[call] = (struct fault_plan){kind, times, number};
	(void)leave(disk, 0);
}

static void set_gate(struct fault_disk *disk, enum fault_call call, bool is_shut)
{
	(void)pthread_mutex_lock(&disk->lock);
	disk->is_shut[call] = is_shut;
	(void)leave(disk, 0);
}

void fault_shut(struct fault_disk *disk, enum fault_call call)
{
	set_gate(disk, call, true);
}

void fault_let_go(struct fault_disk *disk, enum fault_call call)
{
	set_gate(disk, call, false);
}

void fault_await(struct fault_disk *disk, enum fault_call call)
{
	struct timespec deadline;
	(void)clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += 60;
	(void)pthread_mutex_lock(&disk->lock);
	while (disk->waiting[call] == 0) {
		int late = pthread_cond_timedwait(&disk->changed, &disk->lock, &deadline);
		PRE(late == 0);
	}
	(void)pthread_mutex_unlock(&disk->lock);
}

bool fault_is_waiting(struct fault_disk *disk, enum fault_call call)
{
	(void)pthread_mutex_lock(&disk->lock);
	bool is_waiting = disk->waiting[call] != 0;
	(void)pthread_mutex_unlock(&disk->lock);
	return is_waiting;
}

unsigned fault_count(struct fault_disk *disk, enum fault_call call)
{
	(void)pthread_mutex_lock(&disk->lock);
	unsigned count = disk->passed[call];
	(void)pthread_mutex_unlock(&disk->lock);
	return count;
}

size_t fault_last_get(struct fault_disk *disk)
{
	(void)pthread_mutex_lock(&disk->lock);
	size_t count = disk->last_get;
	(void)pthread_mutex_unlock(&disk->lock);
	return count;
}

bool fault_last_write_was_lazy(struct fault_disk *disk)
{
	(void)pthread_mutex_lock(&disk->lock);
	bool was_lazy = disk->last_write_was_lazy;
	(void)pthread_mutex_unlock(&disk->lock);
	return was_lazy;
}

void fault_put(struct fault_disk *disk, struct record_key key, const struct record *record)
{
	(void)pthread_mutex_lock(&disk->lock);
	put_row(disk, key, record);
	(void)leave(disk, 0);
}

bool fault_has(struct fault_disk *disk, struct record_key key)
{
	(void)pthread_mutex_lock(&disk->lock);
	bool has = is_at(disk, find(disk, key), key);
	(void)pthread_mutex_unlock(&disk->lock);
	return has;
}

size_t fault_rows(struct fault_disk *disk, enum space space, struct span part)
{
	size_t count = 0;
	(void)pthread_mutex_lock(&disk->lock);
	for (size_t i = 0; i < disk->row_count; i++) {
		const struct record_key *key = &disk->rows[i].key;
		count += key->space == space && span_equal(key->part, part);
	}
	(void)pthread_mutex_unlock(&disk->lock);
	return count;
}

/* ---- the adapter ---- */

static struct fault_disk *disk_of(struct adapter *adapter)
{
	return MEM_CONTAINER(adapter, struct fault_adapter, adapter)->disk;
}

static int open_as(const struct adapter_type *type, const struct adapter_open *how,
                   struct adapter **out, struct err *err)
{
	void *address = NULL;
	int read = sscanf(how->config.ptr, "%p", &address);
	PRE(read == 1);
	struct fault_disk *disk = address;
	bool happens;
	int status = enter(disk, FAULT_OPEN, &happens, err);
	if (status == 0) {
		struct fault_adapter *opened = MEM_NEW(struct fault_adapter);
		opened->adapter.type = type;
		opened->disk = disk;
		disk->epoch++;
		*out = &opened->adapter;
	}
	return leave(disk, status);
}

static int open_with_view(const struct adapter_open *how, struct adapter **out, struct err *err)
{
	return open_as(&fault_with_view, how, out, err);
}

static int open_plain(const struct adapter_open *how, struct adapter **out, struct err *err)
{
	return open_as(&fault_plain, how, out, err);
}

static int open_inline(const struct adapter_open *how, struct adapter **out, struct err *err)
{
	return open_as(&fault_inline, how, out, err);
}

static int open_inline_walked(const struct adapter_open *how, struct adapter **out, struct err *err)
{
	return open_as(&fault_inline_walked, how, out, err);
}

static void fault_close(struct adapter *adapter)
{
	mem_free(MEM_CONTAINER(adapter, struct fault_adapter, adapter));
}

static int fault_get(struct adapter *adapter, const struct record_key keys[], size_t count,
                     adapter_found_fn *found, void *ctx, struct err *err)
{
	struct fault_disk *disk = disk_of(adapter);
	bool happens;
	int status = enter(disk, FAULT_GET, &happens, err);
	disk->last_get = count;
	for (size_t i = 0; status == 0 && i < count; i++) {
		size_t index = find(disk, keys[i]);
		if (is_at(disk, index, keys[i])) {
			found(ctx, i, &disk->rows[index].record);
		}
	}
	return leave(disk, status);
}

static bool is_in(const struct fault_row *row, const struct adapter_range *range)
{
	return row->key.space == range->space && span_equal(row->key.part, range->part) &&
	       (range->start.ptr == NULL || span_compare(row->key.key, range->start) >= 0) &&
	       (range->end.ptr == NULL || span_compare(row->key.key, range->end) < 0);
}

static int fault_scan(struct adapter *adapter, const struct adapter_range *range, size_t limit,
                      bool reverse, adapter_row_fn *row, void *ctx, struct err *err)
{
	struct fault_disk *disk = disk_of(adapter);
	bool happens;
	int status = enter(disk, FAULT_SCAN, &happens, err);
	for (size_t i = 0; status == 0 && i < disk->row_count && limit > 0; i++) {
		const struct fault_row *at = &disk->rows[reverse ? disk->row_count - 1 - i : i];
		if (is_in(at, range)) {
			limit--;
			if (!row(ctx, at->key.key, &at->record)) {
				break;
			}
		}
	}
	return leave(disk, status);
}

static int fault_parts(struct adapter *adapter, enum space space, struct span after, size_t limit,
                       adapter_part_fn *part, void *ctx, struct err *err)
{
	struct fault_disk *disk = disk_of(adapter);
	bool happens;
	int status = enter(disk, FAULT_PARTS, &happens, err);
	struct span last = after;
	for (size_t i = 0; status == 0 && i < disk->row_count && limit > 0; i++) {
		const struct record_key *key = &disk->rows[i].key;
		if (key->space == space &&
		    (last.ptr == NULL || span_compare(key->part, last) > 0)) {
			last = key->part;
			limit--;
			if (!part(ctx, key->part)) {
				break;
			}
		}
	}
	return leave(disk, status);
}

static int compare_due(const struct adapter_due *a, const struct adapter_due *b)
{
	if (a->at_ms != b->at_ms) {
		return a->at_ms < b->at_ms ? -1 : 1;
	}
	int order = span_compare(a->part, b->part);
	return order != 0 ? order : span_compare(a->key, b->key);
}

/* The first one of the space that stands behind `after`; false: there is none. */
static bool next_due(const struct fault_disk *disk, enum space space,
                     const struct adapter_due *after, struct adapter_due *out)
{
	bool found = false;
	for (size_t i = 0; i < disk->row_count; i++) {
		const struct fault_row *row = &disk->rows[i];
		const struct adapter_due due = {row->record.expires_at_ms, row->key.part,
		                                row->key.key};
		if (row->key.space == space && due.at_ms != 0 && compare_due(&due, after) > 0 &&
		    (!found || compare_due(&due, out) < 0)) {
			*out = due;
			found = true;
		}
	}
	return found;
}

static int fault_due(struct adapter *adapter, enum space space, const struct adapter_due *after,
                     size_t limit, adapter_due_fn *each, void *ctx, struct err *err)
{
	struct fault_disk *disk = disk_of(adapter);
	bool happens;
	int status = enter(disk, FAULT_DUE, &happens, err);
	struct adapter_due at = *after;
	struct adapter_due due;
	while (status == 0 && limit-- > 0 && next_due(disk, space, &at, &due) && each(ctx, &due)) {
		at = due;
	}
	return leave(disk, status);
}

static int fault_apply(struct adapter *adapter, const struct batch *const batches[], size_t count,
                       uint64_t serial, struct err *err)
{
	struct fault_disk *disk = disk_of(adapter);
	bool happens;
	int status = enter(disk, FAULT_APPLY, &happens, err);
	if (happens) {
		PRE(disk->applied + count == serial && serial <= disk->written_count);
		for (size_t i = 0; i < count; i++) {
			apply_batch(disk, batches[i]);
		}
		disk->applied = (size_t)serial;
	}
	return leave(disk, status);
}

static int fault_applied(struct adapter *adapter, uint64_t *out_serial, struct err *err)
{
	(void)err;
	struct fault_disk *disk = disk_of(adapter);
	(void)pthread_mutex_lock(&disk->lock);
	*out_serial = disk->applied;
	return leave(disk, 0);
}

static int fault_head(struct adapter *adapter, struct adapter_head *out, struct err *err)
{
	(void)err;
	struct fault_disk *disk = disk_of(adapter);
	(void)pthread_mutex_lock(&disk->lock);
	*out = (struct adapter_head){.log = "faultlog",
	                             .epoch = disk->epoch,
	                             .first_seq = disk->first_seq,
	                             .next_seq = disk->next_seq,
	                             .sync_every_ms = disk->sync_every_ms};
	return leave(disk, 0);
}

static struct batch *batch_copy(const struct batch *batch)
{
	struct batch *copy = MEM_NEW(struct batch);
	(void)buf_reserve(&copy->bytes, batch->bytes.len + 1);
	buf_span(&copy->bytes, buf_view(&batch->bytes));
	copy->entries = MEM_ARRAY(struct batch_entry, batch->entry_count + 1);
	copy->ops = MEM_ARRAY(struct batch_op, batch->op_count + 1);
	copy->entry_count = batch->entry_count;
	copy->op_count = batch->op_count;
	if (batch->entry_count != 0) {
		memcpy(copy->entries, batch->entries, batch->entry_count * sizeof *copy->entries);
	}
	if (batch->op_count != 0) {
		memcpy(copy->ops, batch->ops, batch->op_count * sizeof *copy->ops);
	}
	return copy;
}

static int fault_write(struct adapter *adapter, const struct batch *batch, struct err *err)
{
	struct fault_disk *disk = disk_of(adapter);
	bool happens;
	int status = enter(disk, FAULT_WRITE, &happens, err);
	disk->last_write_was_lazy = batch->lazy;
	if (happens) {
		PRE(batch->entry_count == 0 || batch->entries[0].seq == disk->next_seq);
		disk->written =
		        mem_grow(disk->written, (disk->written_count + 1) * sizeof(struct batch *));
		disk->written[disk->written_count++] = batch_copy(batch);
		disk->next_seq += batch->entry_count;
		if (adapter->type->apply == NULL) {
			apply_batch(disk, batch);
			disk->applied = disk->written_count;
		}
	}
	return leave(disk, status);
}

static int fault_sync(struct adapter *adapter, struct err *err)
{
	struct fault_disk *disk = disk_of(adapter);
	bool happens;
	return leave(disk, enter(disk, FAULT_SYNC, &happens, err));
}

static int fault_replay(struct adapter *adapter, adapter_batch_fn *each, void *ctx, struct err *err)
{
	struct fault_disk *disk = disk_of(adapter);
	(void)pthread_mutex_lock(&disk->lock);
	int status = 0;
	for (size_t i = disk->applied; status == 0 && i < disk->written_count; i++) {
		status = each(ctx, disk->written[i], err);
	}
	return leave(disk, status);
}

static int fault_read(struct adapter *adapter, uint64_t from, adapter_entry_fn *entry, void *ctx,
                      struct err *err)
{
	struct fault_disk *disk = disk_of(adapter);
	bool happens;
	int status = enter(disk, FAULT_READ, &happens, err);
	if (status == 0 && from < disk->first_seq) {
		status = err_set(err, E_NOT_FOUND, "compacted", "entry %llu is gone",
		                 (unsigned long long)from);
	}
	bool goes_on = status == 0;
	for (size_t i = 0; goes_on && i < disk->written_count; i++) {
		const struct batch *batch = disk->written[i];
		for (size_t j = 0; goes_on && j < batch->entry_count; j++) {
			const struct batch_entry *at = &batch->entries[j];
			if (at->seq >= from) {
				goes_on = entry(ctx, at->seq, batch_entry_bytes(batch, at));
			}
		}
	}
	return leave(disk, status);
}

static uint64_t kept_bytes(const struct fault_disk *disk)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < disk->written_count; i++) {
		const struct batch *batch = disk->written[i];
		if (batch->entry_count != 0 && batch->entries[0].seq >= disk->first_seq) {
			bytes += batch_size(batch);
		}
	}
	return bytes;
}

static int fault_trim(struct adapter *adapter, uint64_t seq, uint64_t *out_first,
                      uint64_t *out_bytes, struct err *err)
{
	struct fault_disk *disk = disk_of(adapter);
	bool happens;
	int status = enter(disk, FAULT_TRIM, &happens, err);
	seq -= (seq - 1) % disk->trim_by;
	if (happens && seq > disk->first_seq) {
		disk->first_seq = seq;
	}
	*out_first = disk->first_seq;
	*out_bytes = kept_bytes(disk);
	return leave(disk, status);
}

#define FAULT_TYPE(text, open_fn, flag_bits, apply_fn, applied_fn, replay_fn, due_fn)              \
	{                                                                                          \
		.size = sizeof(struct adapter_type), .abi_version = ADAPTER_ABI_VERSION,           \
		.name = (text), .help = "Fails when a test says so.", .flags = (flag_bits),        \
		.open = (open_fn), .close = fault_close, .get = fault_get, .scan = fault_scan,     \
		.parts = fault_parts, .apply = (apply_fn), .applied = (applied_fn),                \
		.head = fault_head, .write = fault_write, .sync = fault_sync,                      \
		.replay = (replay_fn), .read = fault_read, .trim = fault_trim, .due = (due_fn),    \
	}

const struct adapter_type fault_with_view =
        FAULT_TYPE("fault_with_view", open_with_view, ADAPTER_DURABLE, fault_apply, fault_applied,
                   fault_replay, fault_due);
const struct adapter_type fault_plain =
        FAULT_TYPE("fault_plain", open_plain, ADAPTER_DURABLE, NULL, NULL, NULL, fault_due);
const struct adapter_type fault_inline = FAULT_TYPE(
        "fault_inline", open_inline, ADAPTER_DURABLE | ADAPTER_INLINE, NULL, NULL, NULL, fault_due);
const struct adapter_type fault_inline_walked =
        FAULT_TYPE("fault_inline_walked", open_inline_walked, ADAPTER_DURABLE | ADAPTER_INLINE,
                   NULL, NULL, NULL, NULL);
