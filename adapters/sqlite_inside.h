/* This file lays out the SQLite adapter's own struct, for the two files that share its work. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_SQLITE_INSIDE_H
#define ADAPTERS_SQLITE_INSIDE_H

#include "adapters/adapter.h"
#include "adapters/sort.h"
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum { SQLITE_BUSY_MS = 5000 }; /* a person with a shell may hold a lock */

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
	DUE,
	STATEMENT_COUNT
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
	/* Spaces that have the index by time. A record that expires brings it with it: who has none
	 * pays nothing for it. */
	_Atomic bool has_times[SPACE_END];
};

int sqlite_explain(const struct sqlite *sqlite, sqlite3 *db, struct err *err);
int sqlite_run(struct sqlite *sqlite, struct connection *connection, const char *text,
               struct err *err);
int sqlite_statement(struct sqlite *sqlite, struct connection *connection, enum space space,
                     enum statement which, sqlite3_stmt **out, struct err *err);

/* Finds out what is there, or makes it. */
int sqlite_connect(struct sqlite *sqlite, const char *dir, struct err *err);
void sqlite_disconnect(struct connection *connection);

#endif
