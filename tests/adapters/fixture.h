/* This file helps adapter tests: directories, batches that build themselves, what a store holds. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ADAPTERS_FIXTURE_H
#define TESTS_ADAPTERS_FIXTURE_H

#include "adapters/adapter.h"
#include "adapters/batch.h"
#include "base/buf.h"
#include "base/err.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static inline struct record_key fixture_key(enum space space, struct span part, struct span key)
{
	return (struct record_key){space, part, key};
}

static inline void fixture_put(struct batch *batch, enum space space, const char *part,
                               const char *key, const char *value, uint64_t rev)
{
	struct record record = {.value = span_of(value), .rev = rev};
	batch_put(batch, fixture_key(space, span_of(part), span_of(key)), &record);
}

static inline void fixture_entry(struct batch *batch, uint64_t seq, const char *text)
{
	uint32_t at = batch_entry_begin(batch);
	buf_span(&batch->bytes, span_of(text));
	batch_entry_end(batch, at, seq);
}

/* A directory of its own below the build's; empty when it is given out. */
static inline char *fixture_dir(const char *name)
{
	char command[2400];
	static char path[512];
	(void)snprintf(path, sizeof path, "%s/tmp_%s_%d", BUILD_DIR, name, (int)getpid());
	(void)snprintf(command, sizeof command, "rm -rf '%s' && mkdir -p '%s'", path, path);
	assert_int_equal(system(command), 0);
	return path;
}

static inline void fixture_copy(const char *from, const char *to)
{
	char command[2400];
	(void)snprintf(command, sizeof command, "rm -rf '%s' && cp -r '%s' '%s'", to, from, to);
	assert_int_equal(system(command), 0);
}

static inline void fixture_remove(const char *path)
{
	char command[2400];
	(void)snprintf(command, sizeof command, "rm -rf '%s'", path);
	assert_int_equal(system(command), 0);
}

static inline void fixture_read_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	buf_clear(out);
	ssize_t got;
	do {
		got = read(fd, buf_reserve(out, 65536), 65536);
		assert_true(got >= 0);
		out->len += (size_t)got;
	} while (got > 0);
	(void)close(fd);
}

/* Every file below `path`, names and bytes: to see that nothing was touched. */
static inline void fixture_snapshot(const char *path, struct buf *out)
{
	struct dirent **names = NULL;
	int count = scandir(path, &names, NULL, alphasort);
	assert_true(count >= 0);
	for (int i = 0; i < count; i++) {
		char below[1024];
		struct stat found;
		(void)snprintf(below, sizeof below, "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && stat(below, &found) == 0) {
			buf_format(out, "%s\n", below);
			if (S_ISDIR(found.st_mode)) {
				fixture_snapshot(below, out);
			} else {
				struct buf bytes = {0};
				fixture_read_file(below, &bytes);
				buf_span(out, buf_view(&bytes));
				buf_free(&bytes);
			}
		}
		free(names[i]);
	}
	free(names);
}

#endif
