/* This file writes, checks and removes the marker of a clean close. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/segment_marker.h"

#include "adapters/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

static const char marker_magic[8] = {'p', 'a', 'w', 'l', 'c', 'l', 'n', '1'};
static const char marker_name[] = "clean";

_Static_assert(sizeof(struct segment_marker) == 88, "no padding in what goes to disk");

static int identify(int fd, struct segment_marker *marker, struct err *err)
{
	struct stat found;
	if (fstat(fd, &found) != 0) {
		return err_errno(err, errno, "cannot look at the last segment");
	}
	marker->inode = (uint64_t)found.st_ino;
	marker->device = (uint64_t)found.st_dev;
	marker->changed_s = found.st_ctim.tv_sec;
	marker->changed_ns = found.st_ctim.tv_nsec;
	return 0;
}

static uint32_t crc_of(const struct segment_marker *marker)
{
	return hash_crc32c(0, marker, offsetof(struct segment_marker, crc));
}

int segment_marker_write(const char *dir, int fd, struct segment_marker *marker, struct err *err)
{
	memcpy(marker->magic, marker_magic, sizeof marker->magic);
	marker->reserved = 0;
	int status = identify(fd, marker, err);
	if (status != 0) {
		return status;
	}
	marker->crc = crc_of(marker);
	return file_replace(dir, marker_name, marker, sizeof *marker, err);
}

bool segment_marker_read(const char *dir, int fd, struct segment_marker *out)
{
	char *path = file_path(dir, marker_name);
	int marker_fd = open(path, O_RDONLY | O_CLOEXEC);
	mem_free(path);
	struct segment_marker marker;
	struct segment_marker now = {0};
	bool good = marker_fd >= 0 &&
	            pread(marker_fd, &marker, sizeof marker, 0) == (ssize_t)sizeof marker &&
	            memcmp(marker.magic, marker_magic, sizeof marker_magic) == 0 &&
	            marker.crc == crc_of(&marker) && identify(fd, &now, NULL) == 0 &&
	            now.inode == marker.inode && now.device == marker.device &&
	            now.changed_s == marker.changed_s && now.changed_ns == marker.changed_ns;
	if (marker_fd >= 0) {
		(void)close(marker_fd);
	}
	if (good) {
		*out = marker;
	}
	return good;
}

int segment_marker_remove(const char *dir, struct err *err)
{
	char *path = file_path(dir, marker_name);
	int status = file_unlink(path, err);
	mem_free(path);
	return status != 0 ? status : file_sync_dir(dir, err);
}
