/* This file calls the system for files and says in words what failed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/file.h"

#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int real_open(const char *path, int flags, mode_t mode)
{
	return open(path, flags, mode);
}

static int real_sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return -1;
	}
	int status = fsync(fd);
	int saved = errno;
	(void)close(fd);
	errno = saved;
	return status;
}

static int real_make_dir(const char *path)
{
	return mkdir(path, 0700);
}

const struct file_ops file_real_ops = {
        .open = real_open,
        .write = pwritev,
        .sync = fdatasync,
        .sync_dir = real_sync_dir,
        .truncate = ftruncate,
        .rename = rename,
        .unlink = unlink,
        .make_dir = real_make_dir,
        .close = close,
};

/* Like the clock: one for the process, so that a test can stand in for the system below adapters
 * that open their files themselves. */
static const struct file_ops *in_use = &file_real_ops;

void file_use(const struct file_ops *ops)
{
	in_use = ops ? ops : &file_real_ops;
}

int file_open(const char *path, int flags, int *out_fd, struct err *err)
{
	int fd = in_use->open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0) {
		return err_errno(err, errno, "cannot open %s", path);
	}
	*out_fd = fd;
	return 0;
}

void file_close(int fd)
{
	if (fd >= 0) {
		(void)in_use->close(fd); /* what had to be on disk was synced before */
	}
}

int file_write(int fd, struct iovec *parts, int count, off_t at, size_t need, const char *path,
               struct err *err)
{
	size_t done = 0;
	while (count > 0) {
		ssize_t wrote = in_use->write(fd, parts, count, at + (off_t)done);
		if (wrote < 0 && errno == EINTR) {
			continue;
		}
		if (wrote <= 0) {
			if (done >= need && wrote < 0 && (errno == ENOSPC || errno == EDQUOT)) {
				return 0;
			}
			return err_errno(err, wrote == 0 ? EIO : errno, "cannot write to %s", path);
		}
		done += (size_t)wrote;
		size_t left = (size_t)wrote;
		while (count > 0 && left >= parts->iov_len) {
			left -= parts->iov_len;
			parts++;
			count--;
		}
		if (count > 0) {
			parts->iov_base = (char *)parts->iov_base + left;
			parts->iov_len -= left;
		}
	}
	return 0;
}

int file_sync(int fd, const char *path, struct err *err)
{
	if (in_use->sync(fd) == 0) {
		return 0;
	}
	int failed_with = errno;
	(void)err_errno(err, failed_with, "cannot make %s durable", path);
	if (err != NULL) {
		err->number = E_UNKNOWN;
		err->code = "outcome_unknown";
	}
	return E_UNKNOWN;
}

int file_sync_dir(const char *path, struct err *err)
{
	return in_use->sync_dir(path) == 0
	               ? 0
	               : err_errno(err, errno, "cannot make the names in %s durable", path);
}

int file_truncate(int fd, off_t size, const char *path, struct err *err)
{
	return in_use->truncate(fd, size) == 0 ? 0 : err_errno(err, errno, "cannot cut %s", path);
}

int file_rename(const char *from, const char *to, struct err *err)
{
	return in_use->rename(from, to) == 0
	               ? 0
	               : err_errno(err, errno, "cannot rename %s to %s", from, to);
}

int file_unlink(const char *path, struct err *err)
{
	return in_use->unlink(path) == 0 || errno == ENOENT
	               ? 0
	               : err_errno(err, errno, "cannot remove %s", path);
}

int file_make_dir(const char *path, struct err *err)
{
	return in_use->make_dir(path) == 0 || errno == EEXIST
	               ? 0
	               : err_errno(err, errno, "cannot make the directory %s", path);
}

int file_read(int fd, uint64_t at, size_t len, struct buf *out, const char *path, struct err *err)
{
	buf_clear(out);
	(void)buf_reserve(out, len ? len : 1);
	while (out->len < len) {
		ssize_t got =
		        pread(fd, out->ptr + out->len, len - out->len, (off_t)(at + out->len));
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return err_errno(err, errno, "cannot read %s", path);
		}
		if (got == 0) {
			break;
		}
		out->len += (size_t)got;
	}
	return 0;
}

int file_replace(const char *dir, const char *name, const void *bytes, size_t len, struct err *err)
{
	char *path = file_path(dir, name);
	char *temporary = file_path(dir, "new.tmp");
	int fd = -1;
	int status = file_open(temporary, O_RDWR | O_CREAT | O_TRUNC, &fd, err);
	if (status == 0) {
		struct iovec part = {(void *)(uintptr_t)bytes, len};
		status = file_write(fd, &part, 1, 0, len, temporary, err);
	}
	if (status == 0) {
		status = file_sync(fd, temporary, err);
	}
	if (status == 0) {
		status = file_rename(temporary, path, err);
	}
	if (status == 0) {
		status = file_sync_dir(dir, err);
	}
	file_close(fd);
	mem_free(temporary);
	mem_free(path);
	return status;
}

char *file_path(const char *dir, const char *name)
{
	size_t size = strlen(dir) + strlen(name) + 2;
	char *path = mem_raw(size);
	(void)snprintf(path, size, "%s/%s", dir, name);
	return path;
}
