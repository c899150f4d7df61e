/* This file asks of each frame of a worker whether its token allows it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_SESSION_ACCESS_H
#define ENGINE_API_SESSION_ACCESS_H

#include "engine/api/login.h"
#include "engine/core/function.h"
#include "engine/core/worker.h"
#include "wire/message.h"

/* By which token a worker is connected; all zero before. */
struct session_access {
	struct token_hold hold;
	const struct rights *rights; /* NULL: no token is needed, everything is allowed */
	void (*ended)(struct session_access *access);
};

/* The request was admitted just before. `ended` is told once, when the token has ended or one has
 * become necessary: nothing is allowed from then on. */
void session_access_begin(struct session_access *access, struct login *login,
                          const struct http_request *request);
void session_access_end(struct session_access *access); /* the connection has gone */

/* E_DENIED "forbidden", naming the right that is missing. */
int session_access_check(const struct session_access *access, struct functions *functions,
                         const struct worker *worker, const struct message *frame, struct err *err);

#endif
