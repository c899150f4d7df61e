/* This file reads and applies records in SQLite. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/sqlite.h"

#include "adapters/file.h"
#include "adapters/sort.h"
#include "adapters/sqlite_file.h"
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
	BUSY_MS = 5000, /* a person with a shell may hold a lock */
};

/* The statements of one space, prepared when they are first used. */
enum statement {
	GET,
	SCAN,
	SCAN_TO,
	SCAN_BACK,
	SCAN_BACK_TO,
	FIRST_PART,
	NEXT_PART,
	PUT,
	DELETE,
	DELETE_FROM,
	DELETE_FROM_TO,
	STATEMENT_COUNT
};

static const char *const statement_texts[STATEMENT_COUNT] = {
        [GET] = "select value,rev,expires_at,flags,key from %s where part=?1 and key=?2",
        [SCAN] = "select value,rev,expires_at,flags,key from %s where part=?1 and key>=?2 "
                 "order by key limit ?4",
        [SCAN_TO] = "select value,rev,expires_at,flags,key from %s where part=?1 and key>=?2 "
                    "and key<?3 order by key limit ?4",
        [SCAN_BACK] = "select value,rev,expires_at,flags,key from %s where part=?1 and key>=?2 "
                      "order by key desc limit ?4",
        [SCAN_BACK_TO] = "select value,rev,expires_at,flags,key from %s where part=?1 and "
                         "key>=?2 and key<?3 order by key desc limit ?4",
        [FIRST_PART] = "select part from %s order by part limit 1",
        [NEXT_PART] = "select part from %s where part>?1 order by part limit 1",
        [PUT] = "insert or replace into %s(part,key,value,rev,expires_at,flags) "
                "values(?1,?2,?3,?4,?5,?6)",
        [DELETE] = "delete from %s where part=?1 and key=?2",
        [DELETE_FROM] = "delete from %s where part=?1 and key>=?2",
        [DELETE_FROM_TO] = "delete from %s where part=?1 and key>=?2 and key<?3",
};

struct connection {
	sqlite3 *db;
	sqlite3_stmt *statements[SPACE_END][STATEMENT_COUNT];
	sqlite3_stmt *set_applied;
};

struct sqlite {
	struct adapter adapter;
	char *path;
	char *wal_path;
	struct connection reader;
	struct connection writer;
	struct sort sort;
	int wal_pages; /* as of the last commit */
	_Atomic uint64_t applied;
};

static struct sqlite *self(struct adapter *adapter)
{
	return MEM_CONTAINER(adapter, struct sqlite, adapter);
}

static int explain(const struct sqlite *sqlite, sqlite3 *db, struct err *err)
{
	int code = db != NULL ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;
	const char *text = db != NULL ? sqlite3_errmsg(db) : "out of memory";
	switch (code) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(err, E_DAMAGED, "records_damaged",
		               "%s is damaged (%s). Restore the data directory from a backup",
		               sqlite->path, text);
	case SQLITE_FULL:
		return err_set(err, E_FULL, "disk_full", "no space is left for %s", sqlite->path);
	case SQLITE_BUSY:
		return err_set(err, E_BUSY, "records_locked",
		               "%s is locked by another program; close it there", sqlite->path);
	default:
		return err_set(err, E_IO, "io_error", "%s: %s", sqlite->path, text);
	}
}

static int run(struct sqlite *sqlite, struct connection *connection, const char *text,
               struct err *err)
{
	return sqlite3_exec(connection->db, text, NULL, NULL, NULL) == SQLITE_OK
	               ? 0
	               : explain(sqlite, connection->db, err);
}

static int prepare(struct sqlite *sqlite, struct connection *connection, const char *text,
                   sqlite3_stmt **out, struct err *err)
{
	return sqlite3_prepare_v3(connection->db, text, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) ==
	                       SQLITE_OK
	               ? 0
	               : explain(sqlite, connection->db, err);
}

static int need_statement(struct sqlite *sqlite, struct connection *connection, enum space space,
                          enum statement which, sqlite3_stmt **out, struct err *err)
{
	sqlite3_stmt **slot = &connection->statements[space][which];
	int status = 0;
	if (*slot == NULL) {
		char text[256];
		(void)snprintf(text, sizeof text, statement_texts[which], space_name(space));
		status = prepare(sqlite, connection, text, slot, err);
	}
	*out = *slot;
	return status;
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

static void disconnect(struct connection *connection)
{
	for (int space = 0; space < SPACE_END; space++) {
		for (int which = 0; which < STATEMENT_COUNT; which++) {
			(void)sqlite3_finalize(connection->statements[space][which]);
		}
	}
	(void)sqlite3_finalize(connection->set_applied);
	(void)sqlite3_close(connection->db);
}

static int connect(struct sqlite *sqlite, struct connection *connection, const char *path,
                   struct err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	if (sqlite3_open_v2(path, &connection->db, flags, NULL) != SQLITE_OK) {
		return explain(sqlite, connection->db, err);
	}
	/* Until the file has proved to be good, closing it must not write to it. */
	(void)sqlite3_db_config(connection->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	(void)sqlite3_busy_timeout(connection->db, BUSY_MS);
	return run(sqlite, connection,
	           "pragma cache_size=-1024; pragma mmap_size=0; pragma synchronous=normal;"
	           "pragma wal_autocheckpoint=0;",
	           err);
}

/* In a rollback journal, so that the format stands in the file's header as soon as there is one. */
static int create_tables(struct sqlite *sqlite, struct connection *connection, struct err *err)
{
	struct buf text = {0};
	buf_format(&text, "pragma journal_mode=delete; begin immediate;"
	                  "create table pawl_view(applied integer not null);"
	                  "insert into pawl_view values(0);");
	for (int space = 1; space < SPACE_END; space++) {
		const char *kind = space == SPACE_STATE ? "text" : "blob";
		buf_format(&text,
		           "create table %s(part %s not null, key %s not null, value %s not null,"
		           "rev integer not null, expires_at integer not null,"
		           "flags integer not null, primary key(part,key)) without rowid;",
		           space_name((enum space)space), kind, kind, kind);
	}
	buf_format(&text, "pragma application_id=%d; pragma user_version=%d; commit;",
	           SQLITE_FILE_APPLICATION, SQLITE_FILE_FORMAT);
	buf_byte(&text, '\0');
	int status = run(sqlite, connection, text.ptr, err);
	buf_free(&text);
	return status;
}

/* Under another name first: a database that can be seen is whole. */
static int create(struct sqlite *sqlite, const char *dir, struct err *err)
{
	struct connection connection = {0};
	char *path = file_path(dir, "records.new");
	char *journal = file_path(dir, "records.new-journal");
	int status = file_unlink(path, err);
	if (status == 0) {
		status = file_unlink(journal, err);
	}
	if (status == 0) {
		status = connect(sqlite, &connection, path, err);
	}
	if (status == 0) {
		status = create_tables(sqlite, &connection, err);
	}
	disconnect(&connection);
	if (status == 0) {
		status = file_rename(path, sqlite->path, err);
	}
	if (status == 0) {
		status = file_sync_dir(dir, err);
	}
	mem_free(journal);
	mem_free(path);
	return status;
}

static int load_applied(struct sqlite *sqlite, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int status =
	        prepare(sqlite, &sqlite->writer, "select applied from pawl_view", &statement, err);
	if (status != 0) {
		return status;
	}
	if (sqlite3_step(statement) == SQLITE_ROW) {
		atomic_store(&sqlite->applied, (uint64_t)sqlite3_column_int64(statement, 0));
	} else {
		status = explain(sqlite, sqlite->writer.db, err);
	}
	(void)sqlite3_finalize(statement);
	return status;
}

static int count_wal_pages(void *ctx, sqlite3 *db, const char *name, int pages)
{
	(void)db;
	(void)name;
	((struct sqlite *)ctx)->wal_pages = pages;
	return SQLITE_OK;
}

static void sqlite_close(struct adapter *adapter)
{
	struct sqlite *sqlite = self(adapter);
	disconnect(&sqlite->reader);
	disconnect(&sqlite->writer);
	sort_close(&sqlite->sort);
	mem_free(sqlite->path);
	mem_free(sqlite->wal_path);
	mem_free(sqlite);
}

static int open_database(struct sqlite *sqlite, const char *dir, struct err *err)
{
	bool is_new = false;
	int status = sqlite_file_inspect(sqlite->path, sqlite->wal_path, &is_new, err);
	if (status == 0 && is_new) {
		status = create(sqlite, dir, err);
	}
	if (status == 0) {
		status = connect(sqlite, &sqlite->writer, sqlite->path, err);
	}
	if (status == 0) {
		status = load_applied(sqlite, err);
	}
	if (status == 0) {
		status = run(sqlite, &sqlite->writer, "pragma journal_mode=wal;", err);
	}
	if (status == 0) {
		status = connect(sqlite, &sqlite->reader, sqlite->path, err);
	}
	if (status == 0) {
		status = prepare(sqlite, &sqlite->writer, "update pawl_view set applied=?1",
		                 &sqlite->writer.set_applied, err);
	}
	if (status == 0) {
		(void)sqlite3_wal_hook(sqlite->writer.db, count_wal_pages, sqlite);
		(void)sqlite3_db_config(sqlite->reader.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0,
		                        NULL);
		(void)sqlite3_db_config(sqlite->writer.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0,
		                        NULL);
	}
	return status;
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
	int status = open_database(sqlite, how->dir, err);
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
	int status = run(sqlite, &sqlite->reader, "begin", err);
	if (status != 0) {
		return status;
	}
	for (size_t i = 0; status == 0 && i < count; i++) {
		sqlite3_stmt *statement;
		status = need_statement(sqlite, &sqlite->reader, keys[i].space, GET, &statement,
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
			status = explain(sqlite, sqlite->reader.db, err);
		}
		(void)sqlite3_reset(statement);
	}
	(void)run(sqlite, &sqlite->reader, "commit", NULL); /* it only read */
	return status;
}

static int sqlite_scan(struct adapter *adapter, const struct adapter_range *range, size_t limit,
                       bool reverse, adapter_row_fn *row, void *ctx, struct err *err)
{
	struct sqlite *sqlite = self(adapter);
	enum statement which = range->end.ptr != NULL ? (reverse ? SCAN_BACK_TO : SCAN_TO)
	                                              : (reverse ? SCAN_BACK : SCAN);
	sqlite3_stmt *statement;
	int status = need_statement(sqlite, &sqlite->reader, range->space, which, &statement, err);
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
			status = explain(sqlite, sqlite->reader.db, err);
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
		status = need_statement(sqlite, &sqlite->reader, space, which, &statement, err);
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
			status = explain(sqlite, sqlite->reader.db, err);
		}
		(void)sqlite3_reset(statement);
		which = NEXT_PART;
	}
	buf_free(&last);
	return status;
}

/* ---- apply ---- */

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
	int status = need_statement(sqlite, &sqlite->writer, key.space, which, &statement, err);
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
		status = explain(sqlite, sqlite->writer.db, err);
	}
	(void)sqlite3_reset(statement);
	return status;
}

static int note_applied(struct sqlite *sqlite, uint64_t serial, struct err *err)
{
	sqlite3_stmt *statement = sqlite->writer.set_applied;
	(void)sqlite3_bind_int64(statement, 1, (int64_t)serial);
	int step = sqlite3_step(statement);
	int status = step == SQLITE_DONE ? 0 : explain(sqlite, sqlite->writer.db, err);
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
	(void)sqlite3_busy_timeout(sqlite->writer.db, BUSY_MS);
	return code == SQLITE_OK || code == SQLITE_BUSY ? 0
	                                                : explain(sqlite, sqlite->writer.db, err);
}

static int sqlite_apply(struct adapter *adapter, const struct batch *const batches[], size_t count,
                        uint64_t serial, struct err *err)
{
	struct sqlite *sqlite = self(adapter);
	int status = run(sqlite, &sqlite->writer, "begin immediate", err);
	if (status != 0) {
		return status;
	}
	status = sort_batches(&sqlite->sort, batches, count, apply_one, sqlite, err);
	if (status == 0) {
		status = note_applied(sqlite, serial, err);
	}
	crash_at(CRASH_APPLY);
	if (status == 0) {
		status = run(sqlite, &sqlite->writer, "commit", err);
	}
	crash_at(CRASH_APPLIED);
	if (status != 0) {
		(void)run(sqlite, &sqlite->writer, "rollback",
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
};
