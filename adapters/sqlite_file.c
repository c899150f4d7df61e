/* This file judges a database by its first bytes, without the help of SQLite. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/sqlite_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { FILE_HEADER_LEN = 100 };

static uint32_t big_endian(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int not_ours(const char *path, const char *why, struct err *err)
{
	return err_set(err, E_DAMAGED, "records_damaged",
	               "%s %s; nothing was changed. Restore the data directory from a backup", path,
	               why);
}

int sqlite_file_inspect(const char *path, const char *wal_path, bool *out_new, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		*out_new = true;
		return 0;
	}
	if (fd < 0) {
		return err_errno(err, errno, "cannot open %s", path);
	}
	unsigned char header[FILE_HEADER_LEN] = {0};
	ssize_t len = pread(fd, header, sizeof header, 0);
	struct stat found = {0};
	int failed = len < 0 ? errno : fstat(fd, &found) != 0 ? errno : 0;
	(void)close(fd);
	if (failed != 0) {
		return err_errno(err, failed, "cannot read %s", path);
	}
	*out_new = len == 0;
	if (len == 0) {
		return 0;
	}
	uint32_t format = big_endian(header + 60);
	if (len < FILE_HEADER_LEN || memcmp(header, "SQLite format 3", 16) != 0 ||
	    big_endian(header + 68) != SQLITE_FILE_APPLICATION || format == 0) {
		return not_ours(path, "is no database of pawl", err);
	}
	if (format > SQLITE_FILE_FORMAT) {
		return err_set(err, E_VERSION, "records_version",
		               "%s has format %u, and this program knows formats up to %d; nothing "
		               "was changed. Start a newer pawl",
		               path, format, SQLITE_FILE_FORMAT);
	}
	struct stat wal;
	uint64_t page_len = (uint64_t)header[16] << 8 | header[17];
	page_len = page_len == 1 ? 65536 : page_len;
	bool whole = memcmp(header + 24, header + 92, 4) != 0 ||
	             (uint64_t)found.st_size >= page_len * big_endian(header + 28);
	if (!whole && (stat(wal_path, &wal) != 0 || wal.st_size == 0)) {
		return not_ours(path, "is shorter than it says", err);
	}
	return 0;
}
