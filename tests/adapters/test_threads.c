/* This file runs writer, reader and the applying thread at once, as the store does. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/adapters/fixture.h"

#include "adapters/journal.h"
#include "adapters/sqlite.h"
#include <pthread.h>
#include <stdatomic.h>

enum { LAST = 1500, PER_APPLY = 20 };

struct work {
	struct adapter *store;
	_Atomic uint64_t written;
	_Atomic uint64_t applied;
	_Atomic bool failed;
};

static void fill(struct batch *batch, uint64_t seq)
{
	char key[32];
	char text[64];
	batch_clear(batch);
	(void)snprintf(key, sizeof key, "k%llu", (unsigned long long)(seq % 97));
	(void)snprintf(text, sizeof text, "entry %llu", (unsigned long long)seq);
	fixture_entry(batch, seq, text);
	fixture_put(batch, SPACE_STATE, "p", key, text, seq);
	batch->lazy = seq % 3 == 0;
}

static void *writer(void *ctx)
{
	struct work *work = ctx;
	struct batch batch = {0};
	for (uint64_t seq = 1; seq <= LAST; seq++) {
		fill(&batch, seq);
		if (work->store->type->write(work->store, &batch, NULL) != 0) {
			atomic_store(&work->failed, true);
			break;
		}
		atomic_store(&work->written, seq);
		uint64_t first;
		uint64_t bytes;
		if (seq % 100 == 0 &&
		    work->store->type->trim(work->store, seq > 300 ? seq - 300 : 0, &first, &bytes,
		                            NULL) != 0) {
			atomic_store(&work->failed, true);
		}
	}
	batch_close(&batch);
	return NULL;
}

static void *applier(void *ctx)
{
	struct work *work = ctx;
	struct batch batches[PER_APPLY] = {0};
	const struct batch *pointers[PER_APPLY];
	uint64_t applied = 0;
	while (applied < LAST && !atomic_load(&work->failed)) {
		uint64_t written = atomic_load(&work->written);
		size_t count = 0;
		while (count < PER_APPLY && applied + count < written) {
			fill(&batches[count], applied + count + 1);
			pointers[count] = &batches[count];
			count++;
		}
		applied += count;
		if (count != 0 &&
		    work->store->type->apply(work->store, pointers, count, applied, NULL) != 0) {
			atomic_store(&work->failed, true);
		}
		atomic_store(&work->applied, applied);
	}
	for (size_t i = 0; i < PER_APPLY; i++) {
		batch_close(&batches[i]);
	}
	return NULL;
}

static bool expect_entry(void *ctx, uint64_t seq, struct span bytes)
{
	uint64_t *next = ctx;
	char text[64];
	(void)snprintf(text, sizeof text, "entry %llu", (unsigned long long)seq);
	assert_int_equal(seq, *next);
	assert_true(span_is(bytes, text));
	(*next)++;
	return true;
}

static bool expect_row(void *ctx, struct span key, const struct record *record)
{
	(void)key;
	uint64_t seq = strtoull(record->value.ptr + sizeof "entry " - 1, NULL, 10);
	assert_int_equal(seq, record->rev);
	(*(size_t *)ctx)++;
	return true;
}

static void they_do_not_disturb_each_other(void **state)
{
	(void)state;
	char *dir = fixture_dir("threads");
	struct journal_options options = {
	        .view = &sqlite_adapter, .view_open = {.dir = dir}, .segment_len = 16384};
	struct work work = {0};
	struct err err;
	assert_int_equal(journal_open(&options, &work.store, &err), 0);
	pthread_t threads[2];
	assert_int_equal(pthread_create(&threads[0], NULL, writer, &work), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, applier, &work), 0);
	uint64_t from = 1;
	while (!atomic_load(&work.failed) && (atomic_load(&work.applied) < LAST || from <= LAST)) {
		struct adapter_head head;
		assert_int_equal(work.store->type->head(work.store, &head, &err), 0);
		uint64_t next = from > head.first_seq ? from : head.first_seq;
		int status = work.store->type->read(work.store, next, expect_entry, &next, &err);
		assert_true(status == 0 || status == E_NOT_FOUND); /* trimmed in between */
		from = next;
		size_t rows = 0;
		struct adapter_range range = {SPACE_STATE, SPAN("p"), SPAN_NONE, SPAN_NONE};
		assert_int_equal(work.store->type->scan(work.store, &range, 200, false, expect_row,
		                                        &rows, &err),
		                 0);
		assert_true(rows <= 97);
	}
	assert_int_equal(pthread_join(threads[0], NULL), 0);
	assert_int_equal(pthread_join(threads[1], NULL), 0);
	assert_false(atomic_load(&work.failed));
	work.store->type->close(work.store);
	fixture_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(they_do_not_disturb_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
