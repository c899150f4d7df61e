/* This file lets a long replay go on, request by request, until all of it has been taken. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_REPLAYING_H
#define CLI_REPLAYING_H

struct invocation;

/* With --limit, --rate or --dry-run it is one request: the first and the last want no more, and
 * with a rate each request would begin to count anew. An enum exit_code. */
int replaying_run(const struct invocation *invocation);

#endif
