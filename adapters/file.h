/* This file is the one way in which the journal changes files, so that tests can cut the power. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_FILE_H
#define ADAPTERS_FILE_H

#include "base/buf.h"
#include "base/err.h"
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/*
 * DESIGN. Each call here that changes something goes through one table of system calls. A power-cut
 * test installs a table that records what has been written and not synced. Reading is not in it.
 */
struct file_ops {
	int (*open)(const char *path, int flags, mode_t mode);
	ssize_t (*write)(int fd, const struct iovec *parts, int count, off_t at);
	int (*sync)(int fd);                 /* fdatasync */
	int (*sync_dir)(const char *path);   /* the names in a directory */
	int (*truncate)(int fd, off_t size); /* made shorter only */
	int (*rename)(const char *from, const char *to);
	int (*unlink)(const char *path);
	int (*make_dir)(const char *path);
	int (*close)(int fd);
};

extern const struct file_ops file_real_ops;

/* NULL brings the real ones back. Set it while no adapter is open. */
void file_use(const struct file_ops *ops);

/* All of these return 0 or E_IO / E_FULL with the path in the text. */
int file_open(const char *path, int flags, int *out_fd, struct err *err);
void file_close(int fd); /* harmless on -1 */
/* Writes all parts; the array is used up. When the disk fills up behind the first `need` bytes,
 * that is no error. */
int file_write(int fd, struct iovec *parts, int count, off_t at, size_t need, const char *path,
               struct err *err);
/* E_UNKNOWN "outcome_unknown" when it fails: the pages may be on disk or lost. */
int file_sync(int fd, const char *path, struct err *err);
int file_sync_dir(const char *path, struct err *err);
int file_truncate(int fd, off_t size, const char *path, struct err *err);
int file_rename(const char *from, const char *to, struct err *err);
int file_unlink(const char *path, struct err *err);   /* a name that is not there is no error */
int file_make_dir(const char *path, struct err *err); /* one that is there is no error */

/* Fills `out` with the bytes of [at, at + len), or fewer where the file ends. */
int file_read(int fd, uint64_t at, size_t len, struct buf *out, const char *path, struct err *err);
/* Makes a file of these bytes under `path` in one step: temporary name, sync, rename, sync. */
int file_replace(const char *dir, const char *name, const void *bytes, size_t len, struct err *err);

/* "dir/name", to be freed with mem_free. */
char *file_path(const char *dir, const char *name);

#endif
