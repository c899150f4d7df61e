/* This file opens the database of the SQLite adapter, or makes it, and prepares its statements. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/file.h"
#include "adapters/sqlite_file.h"
#include "adapters/sqlite_inside.h"
#include "base/mem.h"
#include <stdatomic.h>
#include <stdio.h>

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
        [DUE] = "select expires_at,part,key from %s where expires_at<>0 and "
                "(expires_at,part,key)>(?1,?2,?3) "
                "order by expires_at,part,key limit ?4",
};

int sqlite_explain(const struct sqlite *sqlite, sqlite3 *db, struct err *err)
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

int sqlite_run(struct sqlite *sqlite, struct connection *connection, const char *text,
               struct err *err)
{
	return sqlite3_exec(connection->db, text, NULL, NULL, NULL) == SQLITE_OK
	               ? 0
	               : sqlite_explain(sqlite, connection->db, err);
}

static int prepare(struct sqlite *sqlite, struct connection *connection, const char *text,
                   sqlite3_stmt **out, struct err *err)
{
	return sqlite3_prepare_v3(connection->db, text, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) ==
	                       SQLITE_OK
	               ? 0
	               : sqlite_explain(sqlite, connection->db, err);
}

int sqlite_statement(struct sqlite *sqlite, struct connection *connection, enum space space,
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

void sqlite_disconnect(struct connection *connection)
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
		return sqlite_explain(sqlite, connection->db, err);
	}
	/* Until the file has proved to be good, closing it must not write to it. */
	(void)sqlite3_db_config(connection->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	(void)sqlite3_busy_timeout(connection->db, SQLITE_BUSY_MS);
	return sqlite_run(sqlite, connection,
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
	int status = sqlite_run(sqlite, connection, text.ptr, err);
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
	sqlite_disconnect(&connection);
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
		status = sqlite_explain(sqlite, sqlite->writer.db, err);
	}
	(void)sqlite3_finalize(statement);
	return status;
}

static int load_times(struct sqlite *sqlite, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int status = prepare(sqlite, &sqlite->writer,
	                     "select count(*) from sqlite_master where type='index' and name=?1",
	                     &statement, err);
	for (int space = 1; status == 0 && space < SPACE_END; space++) {
		char name[64];
		(void)snprintf(name, sizeof name, "%s_times", space_name((enum space)space));
		(void)sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
		if (sqlite3_step(statement) == SQLITE_ROW) {
			atomic_store(&sqlite->has_times[space],
			             sqlite3_column_int64(statement, 0) != 0);
		} else {
			status = sqlite_explain(sqlite, sqlite->writer.db, err);
		}
		(void)sqlite3_reset(statement);
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

int sqlite_connect(struct sqlite *sqlite, const char *dir, struct err *err)
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
		status = load_times(sqlite, err);
	}
	if (status == 0) {
		status = sqlite_run(sqlite, &sqlite->writer, "pragma journal_mode=wal;", err);
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
