/* This file is an adapter that keeps records in memory and fails, or waits, when it is told to. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ADAPTERS_FAULT_ADAPTER_H
#define TESTS_ADAPTERS_FAULT_ADAPTER_H

#include "adapters/adapter.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DESIGN. The disk outlives the adapter: closing and opening again finds what was written. Every
 * call of the adapter first passes a gate, which a test can shut to hold a thread there, then takes
 * the next fault that was planned for it, if any.
 *
 * Everything is behind one lock: threads of a store and the test may call at the same time.
 */
enum fault_call {
	FAULT_OPEN,
	FAULT_GET,
	FAULT_SCAN,
	FAULT_PARTS,
	FAULT_APPLY,
	FAULT_WRITE,
	FAULT_SYNC,
	FAULT_READ,
	FAULT_TRIM,
	FAULT_DUE,
	FAULT_CALLS
};

enum fault_kind {
	FAULT_FAILS,            /* nothing happens, and it is said so */
	FAULT_HAPPENS_AND_FAILS /* it happens, and the opposite is said */
};

struct fault_disk;

struct fault_disk *fault_disk_new(void);
void fault_disk_free(struct fault_disk *disk);
void fault_sync_every(struct fault_disk *disk, int64_t ms); /* before it is opened */
/* Trimming forgets whole segments of so many entries; 1 to begin with. */
void fault_trim_by(struct fault_disk *disk, uint64_t entries);

/* Four of a kind: with a view that is applied behind the journal, without one, INLINE, and one of
 * these that cannot tell what is due. */
extern const struct adapter_type fault_with_view;
extern const struct adapter_type fault_plain;
extern const struct adapter_type fault_inline;
extern const struct adapter_type fault_inline_walked;
/* The config that opens this disk. Borrowed from it. */
struct span fault_config(struct fault_disk *disk);

/* The next `times` calls fail with this error. */
void fault_plan(struct fault_disk *disk, enum fault_call call, enum fault_kind kind, int times,
                int number);
void fault_shut(struct fault_disk *disk, enum fault_call call);
void fault_let_go(struct fault_disk *disk, enum fault_call call);
/* Returns once a thread stands at the gate; aborts when that takes longer than a minute. */
void fault_await(struct fault_disk *disk, enum fault_call call);
bool fault_is_waiting(struct fault_disk *disk, enum fault_call call);
unsigned fault_count(struct fault_disk *disk, enum fault_call call); /* calls that passed */
size_t fault_last_get(struct fault_disk *disk);                      /* keys of the last get */
bool fault_last_write_was_lazy(struct fault_disk *disk);

/* Writes a record into the view as if an earlier life had. */
void fault_put(struct fault_disk *disk, struct record_key key, const struct record *record);
/* What the view holds. */
bool fault_has(struct fault_disk *disk, struct record_key key);
size_t fault_rows(struct fault_disk *disk, enum space space, struct span part);

#endif
