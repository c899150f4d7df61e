/* This file feeds any pattern, and behind a newline any text, to the globs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/glob.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of its own size, so that a sanitizer sees every byte read past the end. */
static struct span exact(struct span from)
{
	char *bytes = malloc(from.len ? from.len : 1);
	PRE(bytes != NULL);
	if (from.len != 0) {
		memcpy(bytes, from.ptr, from.len);
	}
	return span_make(bytes, from.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	const char *newline = size ? memchr(bytes, '\n', size) : NULL;
	size_t len = newline ? (size_t)(newline - bytes) : size;
	size_t text_at = newline ? len + 1 : size;
	struct span pattern = exact(span_make(bytes, len));
	struct span text = exact(span_make(bytes + text_at, size - text_at));
	if (glob_check(pattern, NULL) == 0) {
		bool matches = glob_matches(pattern, text);
		PRE(!matches || span_starts_with(text, glob_prefix(pattern)));
		if (!glob_is_pattern(pattern)) {
			struct buf plain = {0};
			glob_unescape(pattern, &plain);
			PRE(matches == span_equal(buf_view(&plain), text));
			PRE(glob_matches(pattern, buf_view(&plain)));
			buf_free(&plain);
		}
	}
	free((char *)pattern.ptr);
	free((char *)text.ptr);
	return 0;
}
