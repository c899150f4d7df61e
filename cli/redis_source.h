/* This file reads the keys of a Redis server, to be written into an engine. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_REDIS_SOURCE_H
#define CLI_REDIS_SOURCE_H

struct invocation;
struct progress;
struct upload;

/*
 * DESIGN. SCAN finds the keys; for each page of them one round trip asks for types and times, a
 * second one for the values. Texts that are JSON become that JSON, others a text; hashes become
 * objects, lists and sets arrays (sets in the order of their bytes, so that the same set is the
 * same value), sorted sets arrays of [member, score]. hiredis is loaded when this is used.
 *
 * Reads and flushes everything; an enum exit_code. What is wrong with the connection is told.
 */
int redis_source_read(const struct invocation *invocation, struct upload *upload,
                      struct progress *progress);

#endif
