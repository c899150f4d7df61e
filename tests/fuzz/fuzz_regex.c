/* This file feeds any pattern, and behind a newline any text, to the regular expressions. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "triggers/expr/regex.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	const char *newline = size ? memchr(bytes, '\n', size) : NULL;
	size_t len = newline ? (size_t)(newline - bytes) : size;
	size_t text_at = newline ? len + 1 : size;
	struct span text = {bytes + text_at, size - text_at};
	struct regex *regex = NULL;
	struct err err = {0};
	int status = regex_new(span_make(bytes, len), &regex, &err);
	PRE((status == 0) == (regex != NULL));
	PRE(status == 0 || (err.number == status && err.text[0] != '\0'));
	if (status == 0 && json_utf8_valid(text)) {
		/* The interpreter first, machine code in the end. */
		for (int i = 0; i < 9; i++) {
			bool found = false;
			int matched = regex_matches(regex, text, &found, &err);
			PRE(matched == 0 || matched == E_LIMIT);
		}
	}
	regex_drop(regex);
	return 0;
}
