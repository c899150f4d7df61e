/* This file is an example adapter: a view that keeps its records in one readable text file. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/adapter.h"
#include "base/hash.h"
#include "base/mem.h"
#include "examples/adapter/table.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * DESIGN. All records stand sorted in memory; every change is a line at the end of records.txt:
 *
 *   pawl-textlog 1
 *   put state users ann 17 0 0 {"name":"Ann"}
 *   delete state users bob
 *   commit 42 9ae0daaf
 *
 * `apply` appends its lines and a commit line (serial, checksum of the lines) and syncs once. Lines
 * that no good commit line follows were torn by a crash, and are cut off when the file is opened. A
 * file that is mostly history is then written anew: temporary name, sync, rename.
 */
static const char first_line[] = "pawl-textlog 1\n";

struct textlog {
	struct adapter adapter;
	char *dir, *path;
	int fd;
	pthread_mutex_t lock; /* readers and apply are different threads */
	struct table table;
	uint64_t applied;
};

static struct textlog *self(struct adapter *adapter)
{
	return MEM_CONTAINER(adapter, struct textlog, adapter);
}

/* ---- lines ---- */

static const char *const verbs[] = {
        [BATCH_PUT] = "put", [BATCH_DELETE] = "delete", [BATCH_DELETE_RANGE] = "delete_range"};

static void write_field(struct buf *out, struct span field)
{
	buf_byte(out, ' ');
	for (size_t i = 0; i < field.len; i++) {
		unsigned char byte = (unsigned char)field.ptr[i];
		if (byte <= ' ' || byte == '%' || byte == 0x7f) {
			buf_format(out, "%%%02x", byte);
		} else {
			buf_byte(out, (char)byte);
		}
	}
}

static void write_line(struct buf *out, int kind, const struct record_key *key,
                       const struct record *record)
{
	buf_format(out, "%s %s", verbs[kind], space_name(key->space));
	write_field(out, key->part);
	write_field(out, key->key);
	buf_format(out, " %" PRIu64 " %" PRId64 " %" PRIu32, record->rev, record->expires_at_ms,
	           record->flags);
	write_field(out, record->value);
	buf_byte(out, '\n');
}

static void write_commit(struct buf *out, size_t lines_at, uint64_t serial)
{
	uint32_t crc = hash_crc32c(0, out->ptr + lines_at, out->len - lines_at);
	buf_format(out, "commit %" PRIu64 " %08" PRIx32 "\n", serial, crc);
}

/* Takes the text up to the next space, unescaped in place. */
static struct span read_field(char **at, char *end)
{
	char *from = *at;
	char *to = from;
	char *next = from;
	while (next < end && *next != ' ') {
		if (*next == '%' && end - next > 2) {
			char digits[3] = {next[1], next[2], '\0'};
			*to++ = (char)strtoul(digits, NULL, 16);
			next += 3;
		} else {
			*to++ = *next++;
		}
	}
	*at = next < end ? next + 1 : end;
	return span_make(from, (size_t)(to - from));
}

/* The checksum was right, so the line is as it was written. Its numbers end at a space. */
static void read_line(struct textlog *log, char *at, char *end)
{
	struct span verb = read_field(&at, end);
	struct span space = read_field(&at, end);
	struct record_key key = {.space = (enum space)1};
	while (key.space < SPACE_END && !span_is(space, space_name(key.space))) {
		key.space++;
	}
	key.part = read_field(&at, end);
	key.key = read_field(&at, end);
	struct record record = {0};
	record.rev = strtoull(read_field(&at, end).ptr, NULL, 10);
	record.expires_at_ms = strtoll(read_field(&at, end).ptr, NULL, 10);
	record.flags = (uint32_t)strtoul(read_field(&at, end).ptr, NULL, 10);
	record.value = read_field(&at, end);
	for (int kind = BATCH_PUT; kind <= BATCH_DELETE_RANGE; kind++) {
		if (span_is(verb, verbs[kind])) {
			table_change(&log->table, kind, &key, &record);
		}
	}
}

/* ---- the file ---- */

static int append(int fd, const char *path, const struct buf *text, struct err *err)
{
	for (size_t done = 0; done < text->len;) {
		ssize_t wrote = write(fd, text->ptr + done, text->len - done);
		if (wrote < 0 && errno != EINTR) {
			return err_errno(err, errno, "cannot write to %s", path);
		}
		done += wrote > 0 ? (size_t)wrote : 0;
	}
	return fdatasync(fd) == 0 ? 0 : err_errno(err, errno, "cannot make %s durable", path);
}

static int read_text(const struct textlog *log, struct buf *out, struct err *err)
{
	ssize_t got;
	while ((got = read(log->fd, buf_reserve(out, 65536), 65536)) > 0) {
		out->len += (size_t)got;
	}
	return got == 0 ? 0 : err_errno(err, errno, "cannot read %s", log->path);
}

/* Replays all lines before a good commit line. *out_good is where the last of those ends. */
static int replay_lines(struct textlog *log, const struct buf *text, size_t *out_good,
                        struct err *err)
{
	char *end = text->ptr + text->len;
	char *lines = text->ptr + *out_good;
	bool is_broken = false;
	for (char *line = lines, *stop; line < end; line = stop + 1) {
		stop = memchr(line, '\n', (size_t)(end - line));
		if (stop == NULL) {
			break;
		}
		uint64_t serial;
		uint32_t crc;
		*stop = '\0';
		bool commits = sscanf(line, "commit %" SCNu64 " %" SCNx32, &serial, &crc) == 2;
		*stop = '\n';
		if (!commits) {
			continue;
		}
		bool good = crc == hash_crc32c(0, lines, (size_t)(line - lines));
		if (good && is_broken) {
			return err_set(err, E_DAMAGED, "textlog_damaged",
			               "%s is damaged at offset %zu; nothing was changed. Restore "
			               "the data directory from a backup",
			               log->path, *out_good);
		}
		for (char *from = lines; good && from < line;) {
			char *to = memchr(from, '\n', (size_t)(line - from));
			read_line(log, from, to);
			from = to + 1;
		}
		if (good) {
			log->applied = serial;
			*out_good = (size_t)(stop + 1 - text->ptr);
		}
		is_broken = !good;
		lines = stop + 1;
	}
	return 0;
}

/* Writes the file anew, with nothing but what is there now. */
static int rewrite(struct textlog *log, struct err *err)
{
	struct buf text = {0};
	buf_format(&text, "%s", first_line);
	size_t lines_at = text.len;
	for (size_t i = 0; i < log->table.count; i++) {
		write_line(&text, BATCH_PUT, &log->table.items[i].key, &log->table.items[i].record);
	}
	write_commit(&text, lines_at, log->applied);
	struct buf temporary = {0};
	buf_format(&temporary, "%s.new", log->path);
	buf_byte(&temporary, '\0');
	int fd = open(temporary.ptr, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	int dir = open(log->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = fd < 0 || dir < 0 ? err_errno(err, errno, "cannot open %s", temporary.ptr)
	                               : append(fd, temporary.ptr, &text, err);
	if (status == 0 && (rename(temporary.ptr, log->path) != 0 || fsync(dir) != 0)) {
		status = err_errno(err, errno, "cannot replace %s", log->path);
	}
	int unused = status == 0 ? log->fd : fd;
	log->fd = status == 0 ? fd : log->fd;
	if (unused >= 0) {
		(void)close(unused);
	}
	if (dir >= 0) {
		(void)close(dir);
	}
	buf_free(&temporary);
	buf_free(&text);
	return status;
}

static int load(struct textlog *log, struct err *err)
{
	struct buf text = {0};
	int status = read_text(log, &text, err);
	size_t good = sizeof first_line - 1;
	unsigned format = 0;
	if (status == 0 && text.len != 0) {
		buf_byte(&text, '\0'); /* for sscanf only */
		int known = sscanf(text.ptr, "pawl-textlog %u", &format);
		text.len--;
		if (known != 1) {
			status = err_set(err, E_DAMAGED, "textlog_damaged",
			                 "%s is no file of this adapter; nothing was changed",
			                 log->path);
		} else if (format != 1) {
			status = err_set(err, E_VERSION, "textlog_version",
			                 "%s has format %u, and this adapter knows format 1; "
			                 "nothing was changed",
			                 log->path, format);
		} else if (text.len > good) {
			status = replay_lines(log, &text, &good, err);
		}
	}
	/* A new file begins; torn lines go, and so does history longer than what it led to. */
	size_t live = 0;
	for (size_t i = 0; i < log->table.count; i++) {
		live += 64 + log->table.items[i].key.key.len + log->table.items[i].record.value.len;
	}
	if (status == 0 && (text.len != good || good > (1 << 20) + 4 * live)) {
		status = rewrite(log, err);
	}
	buf_free(&text);
	return status;
}

/* ---- the adapter ---- */

static void textlog_close(struct adapter *adapter)
{
	struct textlog *log = self(adapter);
	table_close(&log->table);
	if (log->fd >= 0) {
		(void)close(log->fd);
	}
	(void)pthread_mutex_destroy(&log->lock);
	mem_free(log->path);
	mem_free(log->dir);
	mem_free(log);
}

extern const struct adapter_type pawl_adapter;

static int textlog_open(const struct adapter_open *how, struct adapter **out, struct err *err)
{
	struct textlog *log = MEM_NEW(struct textlog);
	log->adapter.type = &pawl_adapter;
	log->dir = mem_text(how->dir);
	struct buf path = {0};
	buf_format(&path, "%s/records.txt", how->dir);
	log->path = mem_copy(path.ptr, path.len);
	buf_free(&path);
	(void)pthread_mutex_init(&log->lock, NULL);
	log->fd = open(log->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int status =
	        log->fd < 0 ? err_errno(err, errno, "cannot open %s", log->path) : load(log, err);
	if (status != 0) {
		textlog_close(&log->adapter);
		return status;
	}
	*out = &log->adapter;
	return 0;
}

static int textlog_get(struct adapter *adapter, const struct record_key keys[], size_t count,
                       adapter_found_fn *found, void *ctx, struct err *err)
{
	(void)err;
	struct textlog *log = self(adapter);
	(void)pthread_mutex_lock(&log->lock);
	for (size_t i = 0; i < count; i++) {
		size_t place = table_find(&log->table, &keys[i]);
		if (table_is_at(&log->table, place, &keys[i])) {
			found(ctx, i, &log->table.items[place].record);
		}
	}
	(void)pthread_mutex_unlock(&log->lock);
	return 0;
}

static int textlog_scan(struct adapter *adapter, const struct adapter_range *range, size_t limit,
                        bool reverse, adapter_row_fn *row, void *ctx, struct err *err)
{
	(void)err;
	struct textlog *log = self(adapter);
	(void)pthread_mutex_lock(&log->lock);
	struct record_key key = {range->space, range->part, range->start};
	size_t from = table_find(&log->table, &key);
	size_t to = from;
	while (table_is_in(&log->table, to, range->space, range->part) &&
	       (range->end.ptr == NULL ||
	        span_compare(log->table.items[to].key.key, range->end) < 0)) {
		to++;
	}
	bool more = true;
	for (size_t i = 0; more && i < to - from && i < limit; i++) {
		const struct item *item = &log->table.items[reverse ? to - 1 - i : from + i];
		more = row(ctx, item->key.key, &item->record);
	}
	(void)pthread_mutex_unlock(&log->lock);
	return 0;
}

static int textlog_parts(struct adapter *adapter, enum space space, struct span after, size_t limit,
                         adapter_part_fn *part, void *ctx, struct err *err)
{
	(void)err;
	struct textlog *log = self(adapter);
	(void)pthread_mutex_lock(&log->lock);
	struct record_key key = {space, after, SPAN_NONE};
	size_t told = 0;
	bool more = true;
	for (size_t i = table_find(&log->table, &key);
	     more && told < limit && i < log->table.count && log->table.items[i].key.space == space;
	     i++) {
		struct span found = log->table.items[i].key.part;
		bool is_first = i == 0 || !table_is_in(&log->table, i - 1, space, found);
		if (is_first && (after.ptr == NULL || span_compare(found, after) > 0)) {
			more = part(ctx, found);
			told++;
		}
	}
	(void)pthread_mutex_unlock(&log->lock);
	return 0;
}

static int textlog_apply(struct adapter *adapter, const struct batch *const batches[], size_t count,
                         uint64_t serial, struct err *err)
{
	struct textlog *log = self(adapter);
	struct buf text = {0};
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < batches[i]->op_count; j++) {
			const struct batch_op *op = &batches[i]->ops[j];
			struct record_key key = batch_op_key(batches[i], op);
			struct record record = {batch_op_value(batches[i], op), op->rev,
			                        op->expires_at_ms, op->flags};
			write_line(&text, op->kind, &key, &record);
		}
	}
	write_commit(&text, 0, serial);
	int status = append(log->fd, log->path, &text, err);
	(void)pthread_mutex_lock(&log->lock);
	if (status == 0) {
		size_t good = 0;
		status = replay_lines(log, &text, &good, err);
	}
	(void)pthread_mutex_unlock(&log->lock);
	buf_free(&text);
	return status;
}

static int textlog_applied(struct adapter *adapter, uint64_t *out_serial, struct err *err)
{
	(void)err;
	*out_serial = self(adapter)->applied; /* apply syncs, so this is durable */
	return 0;
}

const struct adapter_type pawl_adapter = {
        .size = sizeof(struct adapter_type),
        .abi_version = ADAPTER_ABI_VERSION,
        .name = "textlog",
        .help = "Records in one text file that a person can read.",
        .flags = ADAPTER_DURABLE,
        .open = textlog_open,
        .close = textlog_close,
        .get = textlog_get,
        .scan = textlog_scan,
        .parts = textlog_parts,
        .apply = textlog_apply,
        .applied = textlog_applied,
};
