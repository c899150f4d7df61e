/* This file reads and applies records in SQLite. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/sqlite.h"

#include "adapters/file.h"
#include "adapters/sqlite_inside.h"
#include "base/crash.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum {
	CHECKPOINT_PAGES = 8000,
	CUT_PAGES = 16000,
};

static struct sqlite *self(struct adapter *adapter)
{
	return MEM_CONTAINER(adapter, struct sqlite, adapter);
}

/* State is text that a person reads; what stands elsewhere is bytes. */
static void bind_name(sqlite3_stmt *statement, int index, enum space space, struct span name)
{
	const char *ptr = name.ptr ? name.ptr : "";
	if (space == SPACE_STATE) {
		(void)sqlite3_bind_text(statement, index, ptr, (int)name.len, SQLITE_STATIC);
	} else {
		(void)sqlite3_bind_blob(statement, index, ptr, (int)name.len, SQLITE_STATIC);
	}
}

static struct span column_span(sqlite3_stmt *statement, int index)
{
	const char *ptr = sqlite3_column_blob(statement, index);
	return span_make(ptr ? ptr : "", (size_t)sqlite3_column_bytes(statement, index));
}

static struct record column_record(sqlite3_stmt *statement)
{
	return (struct record){
	        .value = column_span(statement, 0),
	        .rev = (uint64_t)sqlite3_column_int64(statement, 1),
	        .expires_at_ms = sqlite3_column_int64(statement, 2),
	        .flags = (uint32_t)sqlite3_column_int64(statement, 3),
	};
}

/* ---- open ---- */

static void sqlite_close(struct adapter *adapter)
{
	struct sqlite *sqlite = self(adapter);
	sqlite_disconnect(&sqlite->reader);
	sqlite_disconnect(&sqlite->writer);
	sort_close(&sqlite->sort);
	mem_free(sqlite->path);
	mem_free(sqlite->wal_path);
	mem_free(sqlite);
}

static int sqlite_open(const struct adapter_open *how, struct adapter **out, struct err *err)
{
	/* Nobody asks how much memory it uses, and counting takes a lock for every block. Refused,
	 * without harm, once it has been opened before. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	struct sqlite *sqlite = MEM_NEW(struct sqlite);
	sqlite->adapter.type = &sqlite_adapter;
	sqlite->path = file_path(how->dir, "records.db");
	sqlite->wal_path = file_path(how->dir, "records.db-wal");
	int status = sqlite_connect(sqlite, how->dir, err);
	if (status != 0) {
		sqlite_close(&sqlite->adapter);
		return status;
	}
	*out = &sqlite->adapter;
	return 0;
}

/* ---- read ---- */

static int sqlite_get(struct adapter *adapter, const struct record_key keys[], size_t count,
                      adapter_found_fn *found, void *ctx, struct err *err)
{
	struct sqlite *sqlite = self(adapter);
	int status = sqlite_run(sqlite, &sqlite->reader, "begin", err);
	if (status != 0) {
		return status;
	}
	for (size_t i = 0; status == 0 && i < count; i++) {
		sqlite3_stmt *statement;
		status = sqlite_statement(sqlite, &sqlite->reader, keys[i].space, GET, &statement,
		                          err);
		if (status != 0) {
			break;
		}
		bind_name(statement, 1, keys[i].space, keys[i].part);
		bind_name(statement, 2, keys[i].space, keys[i].key);
		int step = sqlite3_step(statement);
		if (step == SQLITE_ROW) {
			struct record record = column_record(statement);
			found(ctx, i, &record);
		} else if (step != SQLITE_DONE) {
			status = sqlite_explain(sqlite, sqlite->reader.db, err);
		}
		(void)sqlite3_reset(statement);
	}
	(void)sqlite_run(sqlite, &sqlite->reader, "commit", NULL); /* it only read */
	return status;
}

static int sqlite_scan(struct adapter *adapter, const struct adapter_range *range, size_t limit,
                       bool reverse, adapter_row_fn *row, void *ctx, struct err *err)
{
	struct sqlite *sqlite = self(adapter);
	enum statement which = range->end.ptr != NULL ? (reverse ? SCAN_BACK_TO : SCAN_TO)
	                                              : (reverse ? SCAN_BACK : SCAN);
	sqlite3_stmt *statement;
	int status =
	        sqlite_statement(sqlite, &sqlite->reader, range->space, which, &statement, err);
	if (status != 0) {
		return status;
	}
	bind_name(statement, 1, range->space, range->part);
	bind_name(statement, 2, range->space, range->start);
	if (range->end.ptr != NULL) {
		bind_name(statement, 3, range->space, range->end);
	}
	(void)sqlite3_bind_int64(statement, 4, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
	int step;
	bool more = true;
	while (more && (step = sqlite3_step(statement)) != SQLITE_DONE) {
		if (step != SQLITE_ROW) {
			status = sqlite_explain(sqlite, sqlite->reader.db, err);
			break;
		}
		struct record record = column_record(statement);
		more = row(ctx, column_span(statement, 4), &record);
	}
	(void)sqlite3_reset(statement);
	return status;
}

static int sqlite_parts(struct adapter *adapter, enum space space, struct span after, size_t limit,
                        adapter_part_fn *part, void *ctx, struct err *err)
{
	struct sqlite *sqlite = self(adapter);
	struct buf last = {0};
	enum statement which = after.ptr != NULL ? NEXT_PART : FIRST_PART;
	buf_span(&last, after);
	int status = 0;
	bool more = true;
	for (size_t i = 0; more && i < limit; i++) {
		sqlite3_stmt *statement;
		status = sqlite_statement(sqlite, &sqlite->reader, space, which, &statement, err);
		if (status != 0) {
			break;
		}
		if (which == NEXT_PART) {
			bind_name(statement, 1, space, buf_view(&last));
		}
		int step = sqlite3_step(statement);
		more = step == SQLITE_ROW;
		if (more) {
			struct span found = column_span(statement, 0);
			more = part(ctx, found);
			buf_clear(&last);
			buf_span(&last, found);
		} else if (step != SQLITE_DONE) {
			status = sqlite_explain(sqlite, sqlite->reader.db, err);
		}
		(void)sqlite3_reset(statement);
		which = NEXT_PART;
	}
	buf_free(&last);
	return status;
}

static int sqlite_due(struct adapter *adapter, enum space space, const struct adapter_due *after,
                      size_t limit, adapter_due_fn *each, void *ctx, struct err *err)
{
	struct sqlite *sqlite = self(adapter);
	sqlite3_stmt *statement;
	if (!atomic_load(&sqlite->has_times[space])) {
		return 0;
	}
	int status = sqlite_statement(sqlite, &sqlite->reader, space, DUE, &statement, err);
	if (status != 0) {
		return status;
	}
	(void)sqlite3_bind_int64(statement, 1, after->at_ms);
	bind_name(statement, 2, space, after->part);
	bind_name(statement, 3, space, after->key);
	(void)sqlite3_bind_int64(statement, 4, (int64_t)limit);
	int step;
	bool more = true;
	while (more && (step = sqlite3_step(statement)) != SQLITE_DONE) {
		if (step != SQLITE_ROW) {
			status = sqlite_explain(sqlite, sqlite->reader.db, err);
			break;
		}
		const struct adapter_due due = {sqlite3_column_int64(statement, 0),
		                                column_span(statement, 1),
		                                column_span(statement, 2)};
		more = each(ctx, &due);
	}
	(void)sqlite3_reset(statement);
	return status;
}

/* ---- apply ---- */

static int need_times(struct sqlite *sqlite, enum space space, struct err *err)
{
	if (atomic_load(&sqlite->has_times[space])) {
		return 0;
	}
	char text[128];
	(void)snprintf(text, sizeof text,
	               "create index if not exists %s_times on %s(expires_at) where expires_at<>0",
	               space_name(space), space_name(space));
	int status = sqlite_run(sqlite, &sqlite->writer, text, err);
	if (status == 0) {
		atomic_store(&sqlite->has_times[space], true);
	}
	return status;
}

/* How an operation finds its statement. */
static enum statement statement_for(const struct batch_op *op)
{
	switch (op->kind) {
	case BATCH_PUT:
		return PUT;
	case BATCH_DELETE:
		return DELETE;
	default:
		return op->value_len != 0 ? DELETE_FROM_TO : DELETE_FROM;
	}
}

static int apply_one(void *ctx, const struct batch *batch, const struct batch_op *op,
                     struct err *err)
{
	struct sqlite *sqlite = ctx;
	struct record_key key = batch_op_key(batch, op);
	enum statement which = statement_for(op);
	sqlite3_stmt *statement;
	int status =
	        which == PUT && op->expires_at_ms != 0 ? need_times(sqlite, key.space, err) : 0;
	if (status == 0) {
		status = sqlite_statement(sqlite, &sqlite->writer, key.space, which, &statement,
		                          err);
	}
	if (status != 0) {
		return status;
	}
	bind_name(statement, 1, key.space, key.part);
	bind_name(statement, 2, key.space, key.key);
	if (which == PUT || which == DELETE_FROM_TO) {
		bind_name(statement, 3, key.space, batch_op_value(batch, op));
	}
	if (which == PUT) {
		(void)sqlite3_bind_int64(statement, 4, (int64_t)op->rev);
		(void)sqlite3_bind_int64(statement, 5, op->expires_at_ms);
		(void)sqlite3_bind_int64(statement, 6, op->flags);
	}
	if (sqlite3_step(statement) != SQLITE_DONE) {
		status = sqlite_explain(sqlite, sqlite->writer.db, err);
	}
	(void)sqlite3_reset(statement);
	return status;
}

static int note_applied(struct sqlite *sqlite, uint64_t serial, struct err *err)
{
	sqlite3_stmt *statement = sqlite->writer.set_applied;
	(void)sqlite3_bind_int64(statement, 1, (int64_t)serial);
	int step = sqlite3_step(statement);
	int status = step == SQLITE_DONE ? 0 : sqlite_explain(sqlite, sqlite->writer.db, err);
	(void)sqlite3_reset(statement);
	return status;
}

/* Moves what is in the WAL to the database without waiting for a reader. A WAL that has become long
 * is cut off as well, because the next open must read all of it. */
static int checkpoint(struct sqlite *sqlite, struct err *err)
{
	bool is_long = sqlite->wal_pages >= CUT_PAGES;
	sqlite->wal_pages = 0;
	(void)sqlite3_busy_timeout(sqlite->writer.db, 0);
	int code = sqlite3_wal_checkpoint_v2(
	        sqlite->writer.db, NULL,
	        is_long ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	(void)sqlite3_busy_timeout(sqlite->writer.db, SQLITE_BUSY_MS);
	return code == SQLITE_OK || code == SQLITE_BUSY
	               ? 0
	               : sqlite_explain(sqlite, sqlite->writer.db, err);
}

static int sqlite_apply(struct adapter *adapter, const struct batch *const batches[], size_t count,
                        uint64_t serial, struct err *err)
{
	struct sqlite *sqlite = self(adapter);
	int status = sqlite_run(sqlite, &sqlite->writer, "begin immediate", err);
	if (status != 0) {
		return status;
	}
	status = sort_batches(&sqlite->sort, batches, count, apply_one, sqlite, err);
	if (status == 0) {
		status = note_applied(sqlite, serial, err);
	}
	crash_at(CRASH_APPLY);
	if (status == 0) {
		status = sqlite_run(sqlite, &sqlite->writer, "commit", err);
	}
	crash_at(CRASH_APPLIED);
	if (status != 0) {
		(void)sqlite_run(sqlite, &sqlite->writer, "rollback",
		                 NULL); /* the error is told already */
		return status;
	}
	atomic_store(&sqlite->applied, serial);
	return sqlite->wal_pages >= CHECKPOINT_PAGES ? checkpoint(sqlite, err) : 0;
}

static int sqlite_applied(struct adapter *adapter, uint64_t *out_serial, struct err *err)
{
	struct sqlite *sqlite = self(adapter);
	uint64_t serial = atomic_load(&sqlite->applied);
	int fd = open(sqlite->wal_path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT) {
		return err_errno(err, errno, "cannot open %s", sqlite->wal_path);
	}
	int status = fd >= 0 && fdatasync(fd) != 0
	                     ? err_errno(err, errno, "cannot make %s durable", sqlite->wal_path)
	                     : 0;
	if (fd >= 0) {
		(void)close(fd);
	}
	if (status == 0) {
		*out_serial = serial;
	}
	return status;
}

const struct adapter_type sqlite_adapter = {
        .size = sizeof(struct adapter_type),
        .abi_version = ADAPTER_ABI_VERSION,
        .name = "sqlite",
        .help = "Records in one SQLite file, as a view behind the journal.",
        .flags = ADAPTER_DURABLE,
        .open = sqlite_open,
        .close = sqlite_close,
        .get = sqlite_get,
        .scan = sqlite_scan,
        .parts = sqlite_parts,
        .apply = sqlite_apply,
        .applied = sqlite_applied,
        .due = sqlite_due,
};
