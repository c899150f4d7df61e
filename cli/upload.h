/* This file writes many keys into an engine: collected, many in one transaction. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_UPLOAD_H
#define CLI_UPLOAD_H

#include "base/span.h"
#include "cli/progress.h"
#include <stdbool.h>
#include <stdint.h>

struct invocation;

/*
 * DESIGN. Keys are collected and written by state::transact, so that one sync serves a whole batch.
 * A batch that the engine refuses is halved until the key that it does not like stands alone; that
 * one is told with its line, and the others are written. What was written once and is written again
 * changes nothing and makes no event: after whatever failed, the whole may be repeated.
 * What has been flushed is on the engine's disk.
 */
struct upload;

enum { UPLOAD_BATCH_MAX = 128 };

struct upload_options {
	bool only_absent; /* keys that are there stay as they are */
	unsigned batch;   /* 1 to UPLOAD_BATCH_MAX keys in a transaction */
	struct progress *progress;
};

/* One key; spans need to last for the call only. */
struct upload_entry {
	const char *from; /* what stands before an error: "line", "key" */
	uint64_t line;    /* of the source, for errors */
	struct span scope;
	struct span key;
	struct span value;      /* valid JSON */
	struct span encoding;   /* a JSON value; may be absent, like the next */
	struct span expires_at; /* a JSON value */
};

struct upload_sum {
	uint64_t written;
	uint64_t there;   /* left as they are, for they were there */
	uint64_t expired; /* left out, for they had ended */
	uint64_t failed;
};

/* An enum exit_code, like those below; what is wrong has been told. */
int upload_open(const struct invocation *invocation, const struct upload_options *options,
                struct upload **out);
void upload_close(struct upload *upload); /* NULL is harmless; what is not flushed is dropped */

/* Other than EXIT_DONE only when it is of no use to go on. */
int upload_add(struct upload *upload, const struct upload_entry *entry);
int upload_flush(struct upload *upload);
/* Tells of a line that could not become an entry, and counts it. */
void upload_refuse(struct upload *upload, const char *from, uint64_t line, const char *why);

struct upload_sum upload_sum(const struct upload *upload);

#endif
