/* This file reads and writes state values that say how they are encoded. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_ENVELOPE_H
#define ENGINE_API_ENVELOPE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "wire/http.h"
#include <stdbool.h>

/*
 * DESIGN. What a body is, its content type says:
 *
 *   application/json                  the envelope {"value":...,
 * "encoding":"json"|"text"|"base64"}; without `encoding` it is json. With ?raw=true: the value
 *   application/vnd.pawl.value+json   the value, any JSON
 *   text/plain                        a text in UTF-8
 *   application/octet-stream          bytes
 *
 * A read answers with the envelope, with ?raw=true with the value as its encoding says.
 */
#define ENVELOPE_RAW_JSON "application/vnd.pawl.value+json"
#define ENVELOPE_TEXT     "text/plain"
#define ENVELOPE_BYTES    "application/octet-stream"

bool envelope_takes(struct span type); /* a media type without parameters */
/* Does the query say ?raw? */
bool envelope_is_raw(struct span query);
/* Appends "value":...,"encoding":"...", the members that state::set takes. E_INVALID
 * "value_required", "invalid_json", "invalid_request", "invalid_encoding"; E_UNSUPPORTED
 * "unsupported_media_type". */
int envelope_read(const struct http_request *http, struct buf *data, struct err *err);
/* The value of a result {"value":..., "encoding":"..."} by itself, and its content type. */
struct span envelope_unpack(struct span result, struct buf *out_body);

#endif
