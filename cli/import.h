/* This file reads keys from a file of JSON lines, or from Redis, into an engine. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_IMPORT_H
#define CLI_IMPORT_H

struct invocation;

/*
 * DESIGN. A line is what `pawl export` writes:
 * {"scope":...,"key":...,"value":...,"expires_at":...}; other members are passed over. How far a
 * file has come stands in FILE.resume while it is read, at most a second behind; it goes when
 * everything is written. See upload.h for how keys are written.
 */
int import_run(const struct invocation *invocation); /* an enum exit_code */

#endif
