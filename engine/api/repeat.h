/* This file reads the field by which a client says that a request may be a repetition. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_REPEAT_H
#define ENGINE_API_REPEAT_H

#include "base/buf.h"
#include "base/err.h"
#include "wire/http.h"
#include <stdbool.h>

/* Adds the member "idempotency_key" to `data`, a JSON object that is written up to before its
 * closing brace, if the request has a field Idempotency-Key: a string of structured fields ("..."),
 * or a plain text. `may_have`: the operation takes one. A read takes none and need not be told.
 * E_INVALID "invalid_idempotency_key". */
int repeat_read(const struct http_request *http, bool may_have, struct buf *data, struct err *err);

/* What a repeated answer has among its fields. */
#define REPEAT_REPLAYED "Idempotent-Replay: true\r\n"

#endif
