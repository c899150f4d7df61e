/* This file models what a disk holds of files that are written and not all synced. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/adapters/power_cut.h"

#include "adapters/file.h"
#include "base/buf.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512, NODES_MAX = 1024, CHANGES_MAX = 4096 };

/* A write, or a cut to `at` where bytes is NULL. */
struct change {
	size_t node;
	uint64_t at;
	size_t len;
	char *bytes;
};

struct node {
	ino_t inode;
	bool is_dir;
	struct buf durable;
};

/* A name that came (node is set) or went. */
struct naming {
	char path[512];
	size_t node;
	bool gone;
};

static struct {
	char dir[512];
	unsigned cut_at, syncs;
	bool is_off;
	struct node nodes[NODES_MAX];
	size_t node_count;
	struct change changes[CHANGES_MAX];
	size_t change_count;
	struct naming names[NODES_MAX]; /* durable ones */
	size_t name_count;
	struct naming pending[NODES_MAX];
	size_t pending_count;
} disk;

static void need(bool claim, const char *what)
{
	if (!claim) {
		fprintf(stderr, "power_cut: %s\n", what);
		abort();
	}
}

static bool is_off(void)
{
	if (disk.is_off) {
		errno = EIO;
	}
	return disk.is_off;
}

static size_t node_of(const struct stat *found)
{
	for (size_t i = disk.node_count; i > 0; i--) {
		if (disk.nodes[i - 1].inode == found->st_ino) {
			return i - 1;
		}
	}
	need(disk.node_count < NODES_MAX, "too many files");
	disk.nodes[disk.node_count] =
	        (struct node){.inode = found->st_ino, .is_dir = S_ISDIR(found->st_mode)};
	return disk.node_count++;
}

static size_t node_of_fd(int fd)
{
	struct stat found;
	need(fstat(fd, &found) == 0, "fstat");
	return node_of(&found);
}

static size_t node_of_path(const char *path)
{
	struct stat found;
	need(stat(path, &found) == 0, "stat");
	return node_of(&found);
}

static void remember(size_t node, uint64_t at, const struct iovec *part)
{
	need(disk.change_count < CHANGES_MAX, "too many changes");
	disk.changes[disk.change_count++] = (struct change){
	        .node = node,
	        .at = at,
	        .len = part ? part->iov_len : 0,
	        .bytes = part ? mem_copy(part->iov_base, part->iov_len) : NULL,
	};
}

static void name_changes(const char *path, size_t node, bool gone)
{
	need(disk.pending_count < NODES_MAX, "too many names");
	struct naming *naming = &disk.pending[disk.pending_count++];
	(void)snprintf(naming->path, sizeof naming->path, "%s", path);
	naming->node = node;
	naming->gone = gone;
}

static void name_now(const struct naming *naming)
{
	size_t i = 0;
	while (i < disk.name_count && strcmp(disk.names[i].path, naming->path) != 0) {
		i++;
	}
	if (naming->gone && i < disk.name_count) {
		disk.names[i] = disk.names[--disk.name_count];
	} else if (!naming->gone) {
		need(i < NODES_MAX, "too many names");
		disk.names[i] = *naming;
		disk.name_count += i == disk.name_count;
	}
}

static void change_bytes(struct buf *bytes, uint64_t at, const char *from, size_t len)
{
	if (bytes->len < at + len) {
		size_t grown = (size_t)at + len - bytes->len;
		memset(buf_reserve(bytes, grown), 0, grown);
		bytes->len += grown;
	}
	memcpy(bytes->ptr + at, from, len);
}

static void change_now(const struct change *change)
{
	struct buf *bytes = &disk.nodes[change->node].durable;
	if (change->bytes != NULL) {
		change_bytes(bytes, change->at, change->bytes, change->len);
	} else if (bytes->len > change->at) {
		bytes->len = (size_t)change->at;
	}
}

/* ---- the calls ---- */

static int cut_open(const char *path, int flags, mode_t mode)
{
	if (is_off()) {
		return -1;
	}
	bool is_new = access(path, F_OK) != 0;
	int fd = file_real_ops.open(path, flags, mode);
	if (fd >= 0 && is_new) {
		name_changes(path, node_of_fd(fd), false);
	} else if (fd >= 0 && (flags & O_TRUNC) != 0) {
		remember(node_of_fd(fd), 0, NULL);
	}
	return fd;
}

static ssize_t cut_write(int fd, const struct iovec *parts, int count, off_t at)
{
	if (is_off()) {
		return -1;
	}
	ssize_t wrote = file_real_ops.write(fd, parts, count, at);
	size_t left = wrote > 0 ? (size_t)wrote : 0;
	for (int i = 0; i < count && left > 0; i++) {
		struct iovec part = parts[i];
		part.iov_len = part.iov_len < left ? part.iov_len : left;
		if (part.iov_len != 0) {
			remember(node_of_fd(fd), (uint64_t)at, &part);
		}
		at += (off_t)part.iov_len;
		left -= part.iov_len;
	}
	return wrote;
}

static bool power_goes(void)
{
	disk.is_off = disk.is_off || ++disk.syncs == disk.cut_at;
	return is_off();
}

static int cut_sync(int fd)
{
	if (power_goes()) {
		return -1;
	}
	size_t node = node_of_fd(fd);
	size_t kept = 0;
	for (size_t i = 0; i < disk.change_count; i++) {
		struct change *change = &disk.changes[i];
		if (change->node == node) {
			change_now(change);
			mem_free(change->bytes);
		} else {
			disk.changes[kept++] = *change;
		}
	}
	disk.change_count = kept;
	return 0;
}

static bool stands_in(const char *path, const char *dir)
{
	size_t len = strlen(dir);
	return strncmp(path, dir, len) == 0 && path[len] == '/' &&
	       strchr(path + len + 1, '/') == NULL;
}

static int cut_sync_dir(const char *path)
{
	if (power_goes()) {
		return -1;
	}
	size_t kept = 0;
	for (size_t i = 0; i < disk.pending_count; i++) {
		if (stands_in(disk.pending[i].path, path)) {
			name_now(&disk.pending[i]);
		} else {
			disk.pending[kept++] = disk.pending[i];
		}
	}
	disk.pending_count = kept;
	return 0;
}

static int cut_truncate(int fd, off_t size)
{
	if (is_off()) {
		return -1;
	}
	remember(node_of_fd(fd), (uint64_t)size, NULL);
	return file_real_ops.truncate(fd, size);
}

static int cut_rename(const char *from, const char *to)
{
	if (is_off() || file_real_ops.rename(from, to) != 0) {
		return -1;
	}
	name_changes(to, node_of_path(to), false);
	name_changes(from, 0, true);
	return 0;
}

static int cut_unlink(const char *path)
{
	if (is_off() || file_real_ops.unlink(path) != 0) {
		return -1;
	}
	name_changes(path, 0, true);
	return 0;
}

static int cut_make_dir(const char *path)
{
	if (is_off() || file_real_ops.make_dir(path) != 0) {
		return -1;
	}
	name_changes(path, node_of_path(path), false);
	return 0;
}

static const struct file_ops cut_ops = {
        .open = cut_open,
        .write = cut_write,
        .sync = cut_sync,
        .sync_dir = cut_sync_dir,
        .truncate = cut_truncate,
        .rename = cut_rename,
        .unlink = cut_unlink,
        .make_dir = cut_make_dir,
        .close = close,
};

/* ---- before and after ---- */

void power_cut_begin(const char *dir, unsigned cut_at)
{
	(void)snprintf(disk.dir, sizeof disk.dir, "%s", dir);
	disk.cut_at = cut_at;
	file_use(&cut_ops);
}

bool power_cut_happened(void)
{
	return disk.is_off;
}

static bool toss(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (*seed >> 40 & 1) != 0;
}

static void keep_some_sectors(const struct change *change, uint64_t *seed)
{
	struct buf *bytes = &disk.nodes[change->node].durable;
	for (size_t done = 0; done < change->len;) {
		size_t step = SECTOR - (size_t)(change->at + done) % SECTOR;
		step = step < change->len - done ? step : change->len - done;
		if (toss(seed)) {
			change_bytes(bytes, change->at + done, change->bytes + done, step);
		}
		done += step;
	}
}

static void write_file(const char *path, const struct node *node)
{
	if (node->is_dir) {
		need(mkdir(path, 0700) == 0, "mkdir");
		return;
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0) {
		return; /* its directory is not there */
	}
	need(write(fd, node->durable.ptr, node->durable.len) == (ssize_t)node->durable.len,
	     "write");
	(void)close(fd);
}

void power_cut_write(const char *to, enum power_cut_keeps keeps, uint64_t seed)
{
	for (size_t i = 0; i < disk.change_count && keeps != POWER_CUT_NOTHING; i++) {
		if (keeps == POWER_CUT_ALL || disk.changes[i].bytes == NULL) {
			change_now(&disk.changes[i]);
		} else {
			keep_some_sectors(&disk.changes[i], &seed);
		}
	}
	for (size_t i = 0; i < disk.pending_count && keeps != POWER_CUT_NOTHING; i++) {
		if (keeps == POWER_CUT_ALL || toss(&seed)) {
			name_now(&disk.pending[i]);
		}
	}
	for (int files = 0; files < 2; files++) {
		for (size_t i = 0; i < disk.name_count; i++) {
			const struct node *node = &disk.nodes[disk.names[i].node];
			char path[1200];
			(void)snprintf(path, sizeof path, "%s%s", to,
			               disk.names[i].path + strlen(disk.dir));
			if (node->is_dir == (files == 0)) {
				write_file(path, node);
			}
		}
	}
}

void power_cut_end(void)
{
	file_use(NULL);
	for (size_t i = 0; i < disk.node_count; i++) {
		buf_free(&disk.nodes[i].durable);
	}
	for (size_t i = 0; i < disk.change_count; i++) {
		mem_free(disk.changes[i].bytes);
	}
	memset(&disk, 0, sizeof disk);
}
