/* This file names the encodings of state values: what a JSON string stands for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_ENCODING_H
#define ENGINE_CORE_ENCODING_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. Every value is JSON text. One that is text or bytes for who wrote it is a JSON string,
 * the text itself or the bytes in base64, and its record remembers which in its flags: conditions,
 * events and lists see the string, a reader who cares gets back what was written.
 */
enum encoding {
	ENCODING_JSON, /* the numbers are on disk: never renumber, add at the end */
	ENCODING_TEXT,
	ENCODING_BASE64
};

/* "json", "text", "base64"; an encoding of a later version is "json" here. */
struct span encoding_name(uint32_t encoding);
/* `word` is a JSON string, or absent for json; `value` must fit it. E_INVALID "invalid_encoding".
 */
int encoding_read(struct span word, struct span value, uint32_t *out, struct err *err);
/* What an updated value is: what it was if it has not changed, still a text if it is a string, else
 * JSON. The old value is absent where there was none. */
uint32_t encoding_after_update(uint32_t before, struct span old_value, struct span value);
/* ,"encoding":"..." of one that is not json, or `always`. */
void encoding_write(struct buf *out, uint32_t encoding, bool always);

#endif
