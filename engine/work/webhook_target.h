/* This file reads where and how a function is called over HTTP, and writes the request's fields. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_WEBHOOK_TARGET_H
#define ENGINE_WORK_WEBHOOK_TARGET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "engine/work/webhook_headers.h"
#include "engine/work/webhook_sign.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. An invocation is {url, method="POST", timeout_ms?, headers{}?, auth?, format?,
 * follow_redirects?, concurrency?, alarm_path?, sign[]?, ca_file?, insecure?}; the last three,
 * and what ${{ }} in headers stands for, are for functions of the configuration only. The event of
 * an alarm is POSTed to alarm_path at the server of `url`. auth is one of
 *   {"type":"hmac","secret_key":ENV}     x-iii-Timestamp: seconds since 1970
 *                                        x-iii-Signature: sha256=hex(HMAC(timestamp:base64(body)))
 *   {"type":"bearer","token_key":ENV}    Authorization: Bearer value
 *   {"type":"api_key","header":NAME,"value_key":ENV}
 * where ENV is the name of an environment variable, read at each call.
 */
enum webhook_format { WEBHOOK_JSON, WEBHOOK_CLOUDEVENTS, WEBHOOK_CLOUDEVENTS_BINARY };

enum webhook_auth { WEBHOOK_OPEN, WEBHOOK_HMAC, WEBHOOK_BEARER, WEBHOOK_API_KEY };

struct webhook_target {
	char *url;
	char *method;
	int64_t timeout_ms; /* 0: it names none */
	struct webhook_headers headers;
	enum webhook_format format;
	struct webhook_keys keys; /* that sign it */
	char *alarm_url;          /* NULL: events of alarms go to `url` as all others */
	int64_t follow_redirects; /* at most so many */
	int64_t concurrency;      /* calls at a time; 0 = it names none */
	char *ca_file;            /* NULL: those of the system */
	bool insecure;            /* the server's certificate is not looked at */
	enum webhook_auth auth;
	char *auth_header; /* of WEBHOOK_API_KEY */
	char *auth_key;    /* the name of the variable */
};

/* `known` is what a function of the configuration may speak of; NULL for one that a stranger has
 * registered. E_INVALID "invalid_invocation", "invalid_template", "invalid_secret", E_NOT_FOUND
 * "secret_missing". `invocation` is a valid JSON value. */
int webhook_target_parse(struct span invocation, const struct webhook_known *known,
                         struct webhook_target *out, struct err *err);
void webhook_target_close(struct webhook_target *target);

/* Do its requests carry what only its own server may see? */
bool webhook_target_is_private(const struct webhook_target *target);

/* Appends the fields that `auth` asks for, "Name: value" and a NUL each. E_NOT_FOUND
 * "secret_missing" when the variable is not set. */
int webhook_target_prove(const struct webhook_target *target, struct span body, int64_t now_ms,
                         struct buf *out, struct err *err);

#endif
