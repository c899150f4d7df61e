/* This file makes the file of a Unix socket, and takes it away at the end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/socket_file.h"

#include "base/id.h"
#include "base/mem.h"
#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct socket_file {
	char *path;
	int dir; /* its directory, locked; -1: no longer */
	dev_t device;
	ino_t inode;
};

static int failed(const char *path, struct err *err)
{
	return err_set(err, E_IO, "listen_failed", "unix.path: %s: %s", path, strerror(errno));
}

static int in_use(const char *path, struct err *err)
{
	return err_set(err, E_BUSY, "address_in_use", "unix.path: another process listens on %s",
	               path);
}

static int lock_dir(struct socket_file *file, struct err *err)
{
	const char *slash = strrchr(file->path, '/');
	char *dir = slash == NULL         ? mem_text(".")
	            : slash == file->path ? mem_text("/")
	                                  : mem_copy(file->path, (size_t)(slash - file->path));
	int status = 0;
	file->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->dir < 0) {
		status = failed(dir, err);
	} else if (flock(file->dir, LOCK_EX | LOCK_NB) != 0) {
		status = err_set(err, E_BUSY, "address_in_use",
		                 "unix.path: another process is making its socket in %s", dir);
	}
	mem_free(dir);
	return status;
}

/* Takes the file of a dead engine away. */
static int clear_way(const struct sockaddr_un *address, struct err *err)
{
	const char *path = address->sun_path;
	struct stat there;
	if (lstat(path, &there) != 0) {
		return errno == ENOENT ? 0 : failed(path, err);
	}
	if (!S_ISSOCK(there.st_mode)) {
		return err_set(err, E_INVALID, "invalid_listen",
		               "unix.path: %s is there already and is no socket", path);
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return failed(path, err);
	}
	bool is_live = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
	               errno == EAGAIN;
	int why = errno;
	(void)close(fd);
	errno = why;
	if (is_live) {
		return in_use(path, err);
	}
	bool is_dead = why == ECONNREFUSED || why == ENOENT;
	return is_dead && (unlink(path) == 0 || errno == ENOENT) ? 0 : failed(path, err);
}

static int find_group(const char *name, gid_t *out, struct err *err)
{
	uint64_t number;
	if (id_parse_uint(span_of(name), &number) && number < UINT32_MAX) {
		*out = (gid_t)number;
		return 0;
	}
	const struct group *group = getgrnam(name);
	if (group == NULL) {
		return err_set(err, E_INVALID, "invalid_listen", "unix.group: no such group: %s",
		               name);
	}
	*out = group->gr_gid;
	return 0;
}

/* It does not listen yet: nobody can connect while it has not the rights it shall have. */
static int set_rights(struct socket_file *file, const struct socket_file_options *options,
                      struct err *err)
{
	struct stat made;
	gid_t group = (gid_t)-1;
	if (options->group != NULL && find_group(options->group, &group, err) != 0) {
		return err->number;
	}
	if (lchown(file->path, (uid_t)-1, group) != 0 ||
	    chmod(file->path, (mode_t)options->mode) != 0 || lstat(file->path, &made) != 0) {
		return failed(file->path, err);
	}
	file->device = made.st_dev;
	file->inode = made.st_ino;
	return 0;
}

int socket_file_open(const struct socket_file_options *options, struct socket_file **out,
                     int *out_fd, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(options->path);
	if (len == 0 || len >= sizeof address.sun_path) {
		return err_set(err, E_INVALID, "invalid_listen",
		               "unix.path: it must have 1 to %zu bytes: %s",
		               sizeof address.sun_path - 1, options->path);
	}
	memcpy(address.sun_path, options->path, len + 1);
	struct socket_file *file = MEM_NEW(struct socket_file);
	file->path = mem_text(options->path);
	int fd = -1;
	int status = lock_dir(file, err);
	if (status == 0) {
		status = clear_way(&address, err);
	}
	if (status != 0) {
		goto fail;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
		status = errno == EADDRINUSE ? in_use(file->path, err) : failed(file->path, err);
		goto fail;
	}
	status = set_rights(file, options, err);
	if (status != 0) {
		(void)unlink(file->path);
		goto fail;
	}
	*out = file;
	*out_fd = fd;
	return 0;
fail:
	if (fd >= 0) {
		(void)close(fd);
	}
	socket_file_close(file);
	return status;
}

void socket_file_unlock(struct socket_file *file)
{
	if (file->dir >= 0) {
		(void)close(file->dir);
		file->dir = -1;
	}
}

void socket_file_close(struct socket_file *file)
{
	if (file == NULL) {
		return;
	}
	struct stat there;
	bool is_ours = file->inode != 0 && lstat(file->path, &there) == 0 &&
	               there.st_dev == file->device && there.st_ino == file->inode;
	if (is_ours) {
		(void)unlink(file->path);
	}
	socket_file_unlock(file);
	mem_free(file->path);
	mem_free(file);
}
