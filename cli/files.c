/* This file reads whole files, bounded. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/files.h"

#include "base/json.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK = 64 * 1024 };

static int take_all(FILE *file, const char *path, struct buf *out, struct err *err)
{
	size_t got;
	do {
		char *room = buf_reserve(out, CHUNK);
		got = fread(room, 1, CHUNK, file);
		out->len += got;
	} while (got == CHUNK && out->len <= FILES_SIZE_MAX);
	if (ferror(file)) {
		return err_set(err, E_IO, "file_unreadable", "%s: %s", path, strerror(errno));
	}
	if (out->len > FILES_SIZE_MAX) {
		return err_set(err, E_LIMIT, "file_too_large", "%s: is larger than 16 MiB", path);
	}
	return 0;
}

int files_read(const char *path, struct buf *out, struct err *err)
{
	if (strcmp(path, "-") == 0) {
		return take_all(stdin, "standard input", out, err);
	}
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		return err_set(err, errno == ENOENT ? E_NOT_FOUND : E_IO, "file_unreadable",
		               "%s: %s", path, strerror(errno));
	}
	int status = take_all(file, path, out, err);
	(void)fclose(file);
	return status;
}

int files_read_json(const char *path, struct buf *text, struct span *out_value, struct err *err)
{
	int status = files_read(path, text, err);
	if (status == 0 && json_check(buf_view(text), out_value, err) != 0) {
		status = err_wrap(err, "%s", path);
	}
	return status;
}
