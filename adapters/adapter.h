/* This file is the contract between pawl and what keeps its records. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_ADAPTER_H
#define ADAPTERS_ADAPTER_H

#include "adapters/batch.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. An adapter is a handful of blocking functions; it never sees the event loop. There are
 * two kinds.
 *
 *   A *view* keeps records only: get, scan, parts, apply, applied. pawl keeps the journal in local
 *   segments beside it (adapters/journal.c) and applies batches to the view behind the journal.
 *   apply must store `applied` atomically with the records. This is an afternoon's work; see
 *   examples/adapter.
 *
 *   A *store* keeps the journal too: head, write, read, trim as well. A batch is all or nothing
 *   and durable when write returns. If it has apply too, records become visible to get and scan
 * only by apply, and replay gives back, after open, the batches that were written and not applied.
 *
 * Threads. write, sync and trim come from one thread, get, scan, parts and read from another, apply
 * and applied from a third; each calls one function at a time, and they may overlap. replay comes
 * behind open, before any of these. An INLINE adapter is only called on the loop's thread and must
 * never block.
 *
 * After an error from write, sync or apply the adapter is closed and opened again; open recovers.
 * open must refuse, without touching it, data of a newer format (E_VERSION) and damaged data
 * (E_DAMAGED).
 */

enum { ADAPTER_ABI_VERSION = 1 };

enum adapter_flags {
	ADAPTER_DURABLE = 1, /* what write has returned for survives a power cut */
	ADAPTER_INLINE = 2,  /* never blocks: called on the loop, no threads */
	ADAPTER_SHARED = 4,  /* other engines use the same store */
};

enum { ADAPTER_LOG_LEN = 8 };

/* Where the journal stands. Event ids are <log>-<epoch>-<seq>. */
struct adapter_head {
	char log[ADAPTER_LOG_LEN + 1]; /* random, drawn when the store was made */
	uint64_t epoch; /* grows at each open that does not follow a clean close of these files */
	uint64_t first_seq;    /* the oldest entry still there; == next_seq when there is none */
	uint64_t next_seq;     /* what the next entry will be called; the first is 1 */
	uint64_t epoch_seq;    /* the first seq that belongs to this epoch */
	int64_t sync_every_ms; /* 0: write is durable on return. Else call sync this long after one
	                        */
	bool volatile_data;    /* nothing survives the process */
	uint64_t cut_bytes;    /* bytes of a torn last write that open dropped; told in the log */
};

struct adapter_range {
	enum space space;
	struct span part;
	struct span start; /* included; absent = from the beginning */
	struct span end;   /* excluded; absent = to the end */
};

/* Callbacks get borrowed bytes, valid during the call. Returning false ends the walk early. */
typedef void adapter_found_fn(void *ctx, size_t index, const struct record *record);
typedef bool adapter_row_fn(void *ctx, struct span key, const struct record *record);
typedef bool adapter_part_fn(void *ctx, struct span part);
typedef bool adapter_entry_fn(void *ctx, uint64_t seq, struct span bytes);
typedef int adapter_batch_fn(void *ctx, const struct batch *batch, struct err *err);

/* A record that does not last: when it expires, and its name. Ordered by all three, in this order.
 */
struct adapter_due {
	int64_t at_ms; /* the record's expires_at_ms; never 0 */
	struct span part;
	struct span key;
};
typedef bool adapter_due_fn(void *ctx, const struct adapter_due *due);

struct adapter_open {
	const char *dir;    /* the data directory; exists, is locked, belongs to pawl */
	struct span config; /* the adapter's own section of the config, a JSON object */
};

/* Embedded as the first member of the adapter's own struct. */
struct adapter {
	const struct adapter_type *type; /* not always that whose open was called: look here */
};

struct adapter_type {
	uint32_t size;        /* sizeof(struct adapter_type) */
	uint32_t abi_version; /* ADAPTER_ABI_VERSION */
	const char *name;
	const char *help; /* one sentence */
	uint32_t flags;   /* enum adapter_flags */
	int (*open)(const struct adapter_open *how, struct adapter **out, struct err *err);
	void (*close)(struct adapter *adapter); /* clean: everything written is flushed */

	/* Records. get calls found for each key that exists, by its index in keys; keys that do not
	 * exist are not reported. scan goes in key order (or backwards), at most `limit` rows.
	 * parts lists the parts of a space that hold a record, in order, behind `after` (absent =
	 * all). */
	int (*get)(struct adapter *adapter, const struct record_key keys[], size_t count,
	           adapter_found_fn *found, void *ctx, struct err *err);
	int (*scan)(struct adapter *adapter, const struct adapter_range *range, size_t limit,
	            bool reverse, adapter_row_fn *row, void *ctx, struct err *err);
	int (*parts)(struct adapter *adapter, enum space space, struct span after, size_t limit,
	             adapter_part_fn *part, void *ctx, struct err *err);
	/* Applies batches in order, all in one transaction of the view's own, together with
	 * `serial`, the number of the last of them (batches are numbered from 1 as they are
	 * written). `applied` gives back the serial of the last apply that is durable, 0 for a new
	 * view; the journal may be trimmed up to there. apply itself need not be durable on return.
	 */
	int (*apply)(struct adapter *adapter, const struct batch *const batches[], size_t count,
	             uint64_t serial, struct err *err);
	int (*applied)(struct adapter *adapter, uint64_t *out_serial, struct err *err);

	/* The journal. Absent (NULL) in a view. */
	int (*head)(struct adapter *adapter, struct adapter_head *out, struct err *err);
	int (*write)(struct adapter *adapter, const struct batch *batch, struct err *err);
	int (*sync)(struct adapter *adapter, struct err *err); /* absent if write always syncs */
	int (*replay)(struct adapter *adapter, adapter_batch_fn *each, void *ctx, struct err *err);
	/* Entries from `from` on, in order, until the callback says stop. E_NOT_FOUND, code
	 * "compacted", if `from` is below first_seq. */
	int (*read)(struct adapter *adapter, uint64_t from, adapter_entry_fn *entry, void *ctx,
	            struct err *err);
	/* Entries below `seq` may go; how many really go is the adapter's choice (whole segments).
	 * *out_first is the oldest that is left. *out_bytes is what the journal takes now. */
	int (*trim)(struct adapter *adapter, uint64_t seq, uint64_t *out_first, uint64_t *out_bytes,
	            struct err *err);

	/* Records of a space that have an expires_at_ms, in the order of adapter_due, behind
	 * `after`, at most `limit`. Called by the thread that calls scan. May be absent: pawl then
	 * walks all records once, when it starts, and remembers those that expire. */
	int (*due)(struct adapter *adapter, enum space space, const struct adapter_due *after,
	           size_t limit, adapter_due_fn *each, void *ctx, struct err *err);
};

#endif
