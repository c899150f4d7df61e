/* This file reads and writes the encodings of state values. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/encoding.h"

#include "base/base64.h"
#include "base/json.h"

static const struct span names[] = {
        [ENCODING_JSON] = {"json", 4},
        [ENCODING_TEXT] = {"text", 4},
        [ENCODING_BASE64] = {"base64", 6},
};
enum { ENCODING_COUNT = sizeof names / sizeof *names };

struct span encoding_name(uint32_t encoding)
{
	return names[encoding < ENCODING_COUNT ? encoding : ENCODING_JSON];
}

static bool is_base64(struct span value)
{
	struct buf text = {0};
	struct buf bytes = {0};
	json_string(value, &text);
	bool good = base64_decode(buf_view(&text), &bytes);
	buf_free(&bytes);
	buf_free(&text);
	return good;
}

int encoding_read(struct span word, struct span value, uint32_t *out, struct err *err)
{
	if (word.ptr == NULL) {
		*out = ENCODING_JSON;
		return 0;
	}
	uint32_t encoding = 0;
	while (encoding < ENCODING_COUNT && !json_string_is(word, names[encoding])) {
		encoding++;
	}
	if (encoding == ENCODING_COUNT) {
		return err_set(err, E_INVALID, "invalid_encoding",
		               "\"encoding\" must be json, text or base64");
	}
	if (encoding != ENCODING_JSON && json_kind(value) != JSON_STRING) {
		return err_set(err, E_INVALID, "invalid_encoding",
		               "a value whose encoding is %s must be a string, not %s",
		               names[encoding].ptr, json_kind_name(json_kind(value)));
	}
	if (encoding == ENCODING_BASE64 && !is_base64(value)) {
		return err_set(err, E_INVALID, "invalid_encoding",
		               "the value is not base64 with padding (RFC 4648, section 4)");
	}
	*out = encoding;
	return 0;
}

uint32_t encoding_after_update(uint32_t before, struct span old_value, struct span value)
{
	if (before != ENCODING_JSON && old_value.ptr != NULL && json_same_text(old_value, value)) {
		return before;
	}
	return before == ENCODING_TEXT && json_kind(value) == JSON_STRING ? ENCODING_TEXT
	                                                                  : ENCODING_JSON;
}

void encoding_write(struct buf *out, uint32_t encoding, bool always)
{
	if (encoding != ENCODING_JSON || always) {
		BUF_LITERAL(out, ",\"encoding\":\"");
		buf_span(out, encoding_name(encoding));
		buf_byte(out, '"');
	}
}
