/* This file puts a journal of segments and a view together into one store. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/journal.h"

#include "adapters/segment.h"
#include "base/mem.h"
#include <stdatomic.h>

/*
 * DESIGN. A write goes to the segments only; the view gets it later by apply, after it is durable
 * in the journal: a view must never know more than the journal does after a power cut. The journal
 * in turn keeps what the view has not made durable, so `durably_applied` moves only by what the
 * view's `applied` says; that is asked once for every segment file.
 */
struct journal {
	struct adapter adapter;
	struct segment *segment;
	struct adapter *view;
	int64_t sync_every_ms;
	uint64_t asked_in;                /* the segment file in which the view was asked last */
	_Atomic uint64_t durably_applied; /* set by the applying thread, read by trim */
};

static struct journal *self(struct adapter *adapter)
{
	return MEM_CONTAINER(adapter, struct journal, adapter);
}

static void close_journal(struct adapter *adapter)
{
	struct journal *journal = self(adapter);
	if (journal->view != NULL) {
		journal->view->type->close(journal->view);
	}
	segment_close(journal->segment);
	mem_free(journal);
}

static int get(struct adapter *adapter, const struct record_key keys[], size_t count,
               adapter_found_fn *found, void *ctx, struct err *err)
{
	struct adapter *view = self(adapter)->view;
	return view->type->get(view, keys, count, found, ctx, err);
}

static int scan(struct adapter *adapter, const struct adapter_range *range, size_t limit,
                bool reverse, adapter_row_fn *row, void *ctx, struct err *err)
{
	struct adapter *view = self(adapter)->view;
	return view->type->scan(view, range, limit, reverse, row, ctx, err);
}

static int parts(struct adapter *adapter, enum space space, struct span after, size_t limit,
                 adapter_part_fn *part, void *ctx, struct err *err)
{
	struct adapter *view = self(adapter)->view;
	return view->type->parts(view, space, after, limit, part, ctx, err);
}

static int due(struct adapter *adapter, enum space space, const struct adapter_due *after,
               size_t limit, adapter_due_fn *each, void *ctx, struct err *err)
{
	struct adapter *view = self(adapter)->view;
	return view->type->due(view, space, after, limit, each, ctx, err);
}

static int ask_view(struct journal *journal, struct err *err)
{
	uint64_t serial = 0;
	int status = journal->view->type->applied(journal->view, &serial, err);
	if (status == 0) {
		atomic_store(&journal->durably_applied, serial);
	}
	return status;
}

static int apply(struct adapter *adapter, const struct batch *const batches[], size_t count,
                 uint64_t serial, struct err *err)
{
	struct journal *journal = self(adapter);
	int status = segment_sync_through(journal->segment, serial, err);
	if (status == 0) {
		status = journal->view->type->apply(journal->view, batches, count, serial, err);
	}
	uint64_t file = segment_file_serial(journal->segment);
	if (status == 0 && file != journal->asked_in && serial + 1 >= file) {
		status = ask_view(journal, err);
		journal->asked_in = file;
	}
	return status;
}

static int applied(struct adapter *adapter, uint64_t *out_serial, struct err *err)
{
	struct adapter *view = self(adapter)->view;
	return view->type->applied(view, out_serial, err);
}

static int head(struct adapter *adapter, struct adapter_head *out, struct err *err)
{
	(void)err;
	struct journal *journal = self(adapter);
	segment_head(journal->segment, out);
	out->sync_every_ms = journal->sync_every_ms;
	return 0;
}

static int write_batch(struct adapter *adapter, const struct batch *batch, struct err *err)
{
	return segment_write(self(adapter)->segment, batch, err);
}

static int sync_journal(struct adapter *adapter, struct err *err)
{
	return segment_sync(self(adapter)->segment, err);
}

static int replay(struct adapter *adapter, adapter_batch_fn *each, void *ctx, struct err *err)
{
	struct journal *journal = self(adapter);
	uint64_t serial = 0;
	int status = journal->view->type->applied(journal->view, &serial, err);
	return status != 0 ? status
	                   : segment_replay_batches(journal->segment, serial, each, ctx, err);
}

static int read_entries(struct adapter *adapter, uint64_t from, adapter_entry_fn *entry, void *ctx,
                        struct err *err)
{
	return segment_read_entries(self(adapter)->segment, from, entry, ctx, err);
}

static int trim(struct adapter *adapter, uint64_t seq, uint64_t *out_first, uint64_t *out_bytes,
                struct err *err)
{
	struct journal *journal = self(adapter);
	return segment_trim(journal->segment, seq, atomic_load(&journal->durably_applied),
	                    out_first, out_bytes, err);
}

#define JOURNAL_ADAPTER                                                                            \
	.size = sizeof(struct adapter_type), .abi_version = ADAPTER_ABI_VERSION,                   \
	.name = "journal", .help = "A journal in local segment files beside a view.",              \
	.flags = ADAPTER_DURABLE, .close = close_journal, .get = get, .scan = scan,                \
	.parts = parts, .apply = apply, .applied = applied, .head = head, .write = write_batch,    \
	.sync = sync_journal, .replay = replay, .read = read_entries, .trim = trim

static const struct adapter_type journal_adapter = {JOURNAL_ADAPTER};
static const struct adapter_type journal_adapter_with_due = {JOURNAL_ADAPTER, .due = due};

int journal_open(const struct journal_options *options, struct adapter **out, struct err *err)
{
	struct journal *journal = MEM_NEW(struct journal);
	journal->adapter.type =
	        options->view->due != NULL ? &journal_adapter_with_due : &journal_adapter;
	journal->sync_every_ms = options->sync_every_ms;
	struct segment_options how = {
	        .dir = options->view_open.dir,
	        .file_len = options->segment_len ? options->segment_len : SEGMENT_LEN,
	        .sync_later = options->sync_every_ms != 0,
	};
	int status = options->view->open(&options->view_open, &journal->view, err);
	if (status == 0) {
		status = ask_view(journal, err);
	}
	if (status == 0) {
		how.applied = atomic_load(&journal->durably_applied);
		status = segment_open(&how, &journal->segment, err);
	}
	if (status != 0) {
		close_journal(&journal->adapter);
		return status;
	}
	*out = &journal->adapter;
	return 0;
}
