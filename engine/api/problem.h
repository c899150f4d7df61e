/* This file says what went wrong over HTTP: problem+json (RFC 9457), one table of codes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_PROBLEM_H
#define ENGINE_API_PROBLEM_H

#include "base/buf.h"
#include "base/span.h"

#define PROBLEM_TYPE "application/problem+json"

/* The HTTP status of an error code; `otherwise` when it is not in the table. */
int problem_status(struct span code, int otherwise);

/* Header lines that go with a code; absent for most. */
struct span problem_headers(struct span code);

/* Appends {"type","title","status","detail","code","agent_instruction"}; `detail` is the sentence
 * of the error. */
void problem_write(struct buf *out, int status, struct span code, struct span detail);

#endif
