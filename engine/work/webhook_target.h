/* This file reads where and how a function is called over HTTP, and writes the request's fields. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_WEBHOOK_TARGET_H
#define ENGINE_WORK_WEBHOOK_TARGET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdint.h>

/*
 * DESIGN. An invocation is {url, method="POST", timeout_ms?, headers{}?, auth?}; auth is one of
 *   {"type":"hmac","secret_key":ENV}     x-iii-Timestamp: seconds since 1970
 *                                        x-iii-Signature: sha256=hex(HMAC(timestamp:base64(body)))
 *   {"type":"bearer","token_key":ENV}    Authorization: Bearer value
 *   {"type":"api_key","header":NAME,"value_key":ENV}
 * where ENV is the name of an environment variable, read at each call.
 */
enum webhook_auth { WEBHOOK_OPEN, WEBHOOK_HMAC, WEBHOOK_BEARER, WEBHOOK_API_KEY };

struct webhook_target {
	char *url;
	char *method;
	int64_t timeout_ms; /* 0: it names none */
	struct buf headers; /* "Name: value" and a NUL, each */
	enum webhook_auth auth;
	char *auth_header; /* of WEBHOOK_API_KEY */
	char *auth_key;    /* the name of the variable */
};

/* E_INVALID "invalid_invocation". `invocation` is a valid JSON value. */
int webhook_target_parse(struct span invocation, struct webhook_target *out, struct err *err);
void webhook_target_close(struct webhook_target *target);

/* Appends the fields of one request, "Name: value" and a NUL each: the configured ones and the
 * proof of who we are. E_NOT_FOUND "secret_missing" when the variable is not set. */
int webhook_target_sign(const struct webhook_target *target, struct span body, int64_t now_ms,
                        struct buf *out, struct err *err);

#endif
