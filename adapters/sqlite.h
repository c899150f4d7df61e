/* This file keeps records in a SQLite database: the view that `kv` puts beside its journal. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_SQLITE_H
#define ADAPTERS_SQLITE_H

#include "adapters/adapter.h"

/*
 * DESIGN. One file, "records.db" in the data directory. Each space is a table that a person can
 * read:
 *
 *   sqlite3 records.db 'select part as scope, key, value from state'
 *
 * Two connections in WAL mode: get, scan and parts use one, apply the other, so that neither waits.
 * Commits are not synced one by one; `applied` syncs the WAL before it answers, because the journal
 * is trimmed by what it says. A power cut may take the view back to an earlier commit, never to the
 * middle of one, and the journal still has what came behind.
 */
extern const struct adapter_type sqlite_adapter;

#endif
