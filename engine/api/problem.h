/* This file says what went wrong over HTTP: problem+json (RFC 9457), one table of codes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_PROBLEM_H
#define ENGINE_API_PROBLEM_H

#include "base/buf.h"
#include "base/span.h"

#define PROBLEM_TYPE "application/problem+json"

/* The HTTP status of an error code; of one that is not in the table: 500. */
int problem_status(struct span code);

/* Appends {"type","title","status","detail","code","agent_instruction"}. A status of 0 means that
 * of the code. `detail` is the sentence of the error. */
void problem_write(struct buf *out, int status, struct span code, struct span detail);

#endif
