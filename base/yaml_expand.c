/* This file puts the environment into the text of a configuration. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml_expand.h"

#include "base/mem.h"
#include <stdlib.h>
#include <string.h>

/* What is read, and where it stands. */
struct text {
	const char *end;
	uint32_t line;
	uint32_t column;
	struct report *report;
};

static bool is_name_byte(char byte, bool first)
{
	return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '_' ||
	       (!first && byte >= '0' && byte <= '9');
}

/* Appends what the reference at *at (behind its "${") stands for, and moves behind its brace. */
static void put_reference(const struct text *text, const char **at, struct buf *out)
{
	const char *name = *at;
	const char *end = text->end;
	const char *after = name;
	while (after < end && is_name_byte(*after, after == name)) {
		after++;
	}
	const char *close = memchr(after, '}', (size_t)(end - after));
	if (after == name || close == NULL || (*after != ':' && after != close)) {
		report_add(text->report, text->line, text->column, "invalid_variable",
		           "after '${' comes a name and then '}' or ':default}'; "
		           "write $${ for ${ itself");
		*at = end;
		return;
	}
	char *variable = mem_copy(name, (size_t)(after - name));
	const char *value = getenv(variable);
	if (value != NULL) {
		buf_add(out, value, strlen(value));
	} else if (*after == ':') {
		buf_add(out, after + 1, (size_t)(close - after - 1));
	} else {
		report_add(text->report, text->line, text->column, "missing_variable",
		           "the environment variable %s is not set, and ${%s} has no default",
		           variable, variable);
	}
	mem_free(variable);
	*at = close + 1;
}

bool yaml_expand_text(struct span from, uint32_t line, uint32_t column, struct buf *out,
                      struct report *report)
{
	const struct text text = {from.ptr + from.len, line, column, report};
	const char *at = from.ptr;
	bool found = false;
	while (at < text.end) {
		size_t left = (size_t)(text.end - at);
		if (left >= 3 && memcmp(at, "$${", 3) == 0) {
			BUF_LITERAL(out, "${");
			at += 3;
		} else if (left >= 3 && memcmp(at, "${{", 3) == 0) {
			BUF_LITERAL(out, "${{"); /* an expression: not the environment's */
			at += 3;
		} else if (left >= 2 && memcmp(at, "${", 2) == 0) {
			at += 2;
			found = true;
			put_reference(&text, &at, out);
		} else {
			buf_byte(out, *at++);
		}
	}
	return found;
}
