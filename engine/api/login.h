/* This file finds out who a peer is, by the token that it brings, and turns others away. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_LOGIN_H
#define ENGINE_API_LOGIN_H

#include "base/err.h"
#include "engine/core/tokens.h"

struct http_request;
struct sockaddr_storage;

/*
 * DESIGN. The token stands in `Authorization: Bearer`. A browser cannot set that on a WebSocket or
 * an event stream: there, and only there, it may be the query parameter `token`, which is never
 * logged.
 *
 * A wrong token is answered 401; from one address ten of them in a row, then one in six seconds;
 * what is over that is answered 429 and not logged. A right token passes all the time: nobody is
 * locked out because somebody behind the same address guesses, and guessing is of no use
 * (base/token_text). Addresses are kept in a table that does not grow; of IPv6 the first 64 bits
 * count.
 */
struct login;

struct login *login_new(struct tokens *tokens);
void login_free(struct login *login);
struct tokens *login_tokens(struct login *login);

/* 0 with *out = the token, or NULL when none is needed. E_DENIED "unauthorized", or E_LIMIT
 * "too_many_failures". The address may be NULL: a peer of this machine. */
int login_check(struct login *login, const struct http_request *request,
                const struct sockaddr_storage *address, struct token **out, struct err *err);

#endif
