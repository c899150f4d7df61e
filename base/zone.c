/* This file finds zones by name, and keeps those that were used last. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/zone.h"

#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/zone_table.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct zone {
	struct list link;
	struct span name; /* owned */
	struct zone_table table;
};

/* The one used last in front. */
static struct list kept = {&kept, &kept};
static size_t kept_count;

/* A name of the database: "America/Argentina/Ushuaia", "Etc/GMT+3". No dots, so no way out of the
 * directory. */
static bool is_name(struct span name)
{
	bool in_part = false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool is_slash = c == '/';
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool is_other = (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+';
		if ((is_slash && !in_part) || (!is_slash && !is_letter && !is_other)) {
			return false;
		}
		in_part = !is_slash;
	}
	return in_part && name.len <= ZONE_NAME_MAX;
}

static int unknown(struct span name, struct err *err)
{
	int shown = name.len > ZONE_NAME_MAX ? ZONE_NAME_MAX : (int)name.len;
	/* Not in the middle of a character. */
	while (name.len > ZONE_NAME_MAX && shown > 0 && (name.ptr[shown] & 0xc0) == 0x80) {
		shown--;
	}
	return err_set(err, E_INVALID, "unknown_zone",
	               "there is no time zone \"%.*s\"%s; write one like \"Europe/Berlin\" or "
	               "\"UTC\"",
	               shown, shown ? name.ptr : "",
	               name.len > ZONE_NAME_MAX ? " (cut short)" : "");
}

static struct zone *find(struct span name)
{
	LIST_EACH(&kept, link)
	{
		struct zone *zone = MEM_CONTAINER(link, struct zone, link);
		if (span_equal(zone->name, name)) {
			return zone;
		}
	}
	return NULL;
}

/* ---- the file ---- */

static int read_all(int file, struct span name, struct buf *out, struct err *err)
{
	struct stat info;
	if (fstat(file, &info) != 0) {
		return err_errno(err, errno, "reading the time zone failed");
	}
	if (!S_ISREG(info.st_mode)) {
		return unknown(name, err);
	}
	/* One byte too many is enough for the table to refuse it. */
	while (out->len <= ZONE_TABLE_BYTES_MAX) {
		size_t room = ZONE_TABLE_BYTES_MAX + 1 - out->len;
		ssize_t got = read(file, buf_reserve(out, room), room);
		if (got == 0) {
			break;
		}
		if (got < 0 && errno != EINTR) {
			return err_errno(err, errno, "reading the time zone failed");
		}
		out->len += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

static int read_file(struct span name, struct buf *out, struct err *err)
{
	const char *dir = getenv("TZDIR");
	struct buf path = {0};
	buf_format(&path, "%s/%.*s", dir && *dir ? dir : "/usr/share/zoneinfo", SPAN_ARG(name));
	buf_byte(&path, '\0');
	int file = open(path.ptr, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int cause = errno;
	buf_free(&path);
	if (file < 0) {
		return cause == ENOENT || cause == ENOTDIR
		               ? unknown(name, err)
		               : err_errno(err, cause, "reading the time zone failed");
	}
	int status = read_all(file, name, out, err);
	(void)close(file); /* only read */
	return status;
}

static int load_table(struct span name, struct zone_table *out, struct err *err)
{
	if (span_is(name, "UTC")) {
		*out = (struct zone_table){.has_rule = true};
		return 0;
	}
	struct buf bytes = {0};
	int status = read_file(name, &bytes, err);
	if (status == 0) {
		status = zone_table_read(buf_view(&bytes), out, err);
		if (status != 0) {
			(void)err_wrap(err, "%.*s", SPAN_ARG(name));
		}
	}
	buf_free(&bytes);
	return status;
}

/* ---- what is kept ---- */

static void forget_oldest(void)
{
	struct zone *zone = MEM_CONTAINER(kept.prev, struct zone, link);
	list_remove(&zone->link);
	zone_table_close(&zone->table);
	mem_free((char *)zone->name.ptr);
	mem_free(zone);
	kept_count--;
}

int zone_get(struct span name, const struct zone **out, struct err *err)
{
	struct zone *zone = find(name);
	if (zone == NULL) {
		struct zone_table table;
		int status = is_name(name) ? load_table(name, &table, err) : unknown(name, err);
		if (status != 0) {
			return status;
		}
		if (kept_count == ZONE_KEPT_MAX) {
			forget_oldest();
		}
		zone = MEM_NEW(struct zone);
		zone->name = mem_span(name);
		zone->table = table;
		list_init(&zone->link);
		kept_count++;
	}
	if (kept.next != &zone->link) {
		list_remove(&zone->link);
		list_push_front(&kept, &zone->link);
	}
	*out = zone;
	return 0;
}

/* ---- using one ---- */

struct zone_stretch zone_stretch_at(const struct zone *zone, int64_t unix_seconds)
{
	PRE(unix_seconds >= -ZONE_SECONDS_MAX && unix_seconds <= ZONE_SECONDS_MAX);
	return zone_table_stretch(&zone->table, unix_seconds);
}

void zone_offset_at(const struct zone *zone, int64_t unix_seconds, int *out_offset,
                    bool *out_is_dst)
{
	struct zone_stretch stretch = zone_stretch_at(zone, unix_seconds);
	*out_offset = stretch.offset;
	*out_is_dst = stretch.is_dst;
}

/* The local time belongs to every stretch that holds the instant which it would be by the offset
 * of that stretch. All stretches are tried that come near enough. */
size_t zone_local_to_unix(const struct zone *zone, int64_t local_seconds, int64_t out[2])
{
	PRE(local_seconds >= -ZONE_SECONDS_MAX && local_seconds <= ZONE_SECONDS_MAX);
	size_t found = 0;
	int64_t last = local_seconds + ZONE_OFFSET_MAX;
	int64_t at = local_seconds - ZONE_OFFSET_MAX;
	while (at <= last && found < 2) {
		struct zone_stretch stretch = zone_table_stretch(&zone->table, at);
		int64_t instant = local_seconds - stretch.offset;
		if (instant >= stretch.from && instant < stretch.until) {
			out[found++] = instant;
		} else if (found == 0 && instant >= stretch.until) {
			out[0] = stretch.until;
		}
		at = stretch.until;
	}
	return found;
}
