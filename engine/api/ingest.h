/* This file reads the CloudEvents that a request brings, whichever way HTTP carries them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_INGEST_H
#define ENGINE_API_INGEST_H

#include "base/buf.h"
#include "base/err.h"
#include "wire/http.h"

/* Appends {"events":[...]}: of a structured event, of a batch, or of one whose attributes are
 * header fields (binary mode; its data is JSON). What is in them is not looked at. E_INVALID
 * "invalid_json", "invalid_cloudevent", E_UNSUPPORTED "not_a_cloudevent". */
int ingest_read(const struct http_request *http, struct buf *out, struct err *err);
/* Says which types there are: E_UNSUPPORTED. */
int ingest_refuse_type(struct err *err);

#endif
