/* This file measures what the machine allows: bare fdatasync, and SQLite doing the same work. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/sample.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 4096, VALUE = 200, KEYS = 100000, PATH_MOST = 4096, WRITTEN = 16 * 1024 * 1024 };

static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "floor: %s: %s\n", what, why);
	exit(1);
}

static void print(const char *name, uint64_t count, double seconds, struct sample *sample)
{
	printf("{\"name\":\"%s\",\"per_second\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f}\n", name,
	       (double)count / seconds, sample_us(sample, 50), sample_us(sample, 99));
	(void)fflush(stdout);
}

static void write_block(int fd, const char *path, off_t at)
{
	static const char block[BLOCK] = "x";
	if (pwrite(fd, block, sizeof block, at) != BLOCK) {
		fail(path, "cannot be written");
	}
}

/* Writes a block, then waits until it is on the disk, again and again. Blocks that are written
 * for the first time (append) cost the file system's own journal too; blocks that were written
 * before (sync) only the disk. */
static void measure_sync(const char *dir, double seconds, bool append)
{
	char path[PATH_MOST];
	(void)snprintf(path, sizeof path, "%s/floor.sync", dir);
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0) {
		fail(path, "cannot be opened");
	}
	for (off_t at = 0; !append && at < WRITTEN; at += BLOCK) {
		write_block(fd, path, at);
	}
	(void)fsync(fd);
	struct sample sample = {0};
	int64_t begin = sample_now_ns();
	int64_t end = begin + (int64_t)(seconds * 1e9);
	int64_t now = begin;
	for (off_t at = 0; now < end; at += BLOCK) {
		write_block(fd, path, append ? at : at % WRITTEN);
		if (fdatasync(fd) != 0) {
			fail(path, "cannot be synced");
		}
		int64_t then = now;
		now = sample_now_ns();
		sample_add(&sample, now - then);
	}
	print(append ? "append" : "sync", sample.count, (double)(now - begin) / 1e9, &sample);
	sample_close(&sample);
	(void)close(fd);
	(void)unlink(path);
}

static void execute(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		fail(sql, sqlite3_errmsg(db));
	}
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
		fail(sql, sqlite3_errmsg(db));
	}
	return statement;
}

static void step(sqlite3 *db, sqlite3_stmt *statement, const char *key, const char *value)
{
	(void)sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(statement, 2, value, VALUE, SQLITE_STATIC);
	if (sqlite3_step(statement) != SQLITE_DONE) {
		fail("a change", sqlite3_errmsg(db));
	}
	(void)sqlite3_reset(statement);
}

/* A change is what an application with an outbox writes: the row of the key and one of the event.
 */
static void measure_sqlite(const char *dir, double seconds, int per_commit)
{
	char path[PATH_MOST];
	char value[VALUE];
	char name[32];
	(void)snprintf(path, sizeof path, "%s/floor.%d.db", dir, per_commit);
	(void)snprintf(name, sizeof name, "sqlite_%d", per_commit);
	memset(value, 'x', sizeof value);
	sqlite3 *db;
	if (sqlite3_open(path, &db) != SQLITE_OK) {
		fail(path, "cannot be opened");
	}
	execute(db, "pragma journal_mode=wal");
	execute(db, "pragma synchronous=full");
	execute(db, "create table state (key text primary key, value text) without rowid");
	execute(db, "create table event (seq integer primary key, key text, value text)");
	sqlite3_stmt *put = prepare(db, "insert or replace into state values (?, ?)");
	sqlite3_stmt *add = prepare(db, "insert into event (key, value) values (?, ?)");
	struct sample sample = {0};
	int64_t begin = sample_now_ns();
	int64_t end = begin + (int64_t)(seconds * 1e9);
	int64_t now = begin;
	while (now < end) {
		execute(db, "begin immediate");
		for (int i = 0; i < per_commit; i++) {
			char key[32];
			(void)snprintf(key, sizeof key, "user-%08ld", random() % KEYS);
			step(db, put, key, value);
			step(db, add, key, value);
		}
		execute(db, "commit");
		int64_t then = now;
		now = sample_now_ns();
		sample_add(&sample, now - then);
	}
	print(name, sample.count * (uint64_t)per_commit, (double)(now - begin) / 1e9, &sample);
	sample_close(&sample);
	(void)sqlite3_finalize(put);
	(void)sqlite3_finalize(add);
	(void)sqlite3_close(db);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: %s DIRECTORY SECONDS\n", argv[0]);
		return 2;
	}
	double seconds = strtod(argv[2], NULL);
	measure_sync(argv[1], seconds, false);
	measure_sync(argv[1], seconds, true);
	measure_sqlite(argv[1], seconds, 1);
	measure_sqlite(argv[1], seconds, 64);
	return 0;
}
