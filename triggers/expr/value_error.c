/* This file words what failed in an evaluation. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "triggers/expr/value.h"

enum { TAG_MASK = (1 << VALUE_TAG_BITS) - 1 };

struct sentence {
	const char *word;
	const char *text;
};

static const struct sentence *sentence_of(unsigned code)
{
	static const struct sentence sentences[] = {{"none", "nothing is wrong"},
#define X(name, word, text) {word, text},
	                                            VALUE_ERRORS(X)
#undef X
	};
	PRE(code < sizeof sentences / sizeof *sentences);
	return &sentences[code];
}

const char *value_error_word(enum value_error code)
{
	return sentence_of(code)->word;
}

/* The short names: nobody writes "google.protobuf.Timestamp". */
static const char *type_name(unsigned tag)
{
	switch (tag) {
	case VALUE_NULL:
		return "null";
	case VALUE_TIMESTAMP:
		return "timestamp";
	case VALUE_DURATION:
		return "duration";
	case VALUE_OPTIONAL:
		return "optional";
	default:
		return value_tag_name((struct value){.tag = (uint8_t)tag});
	}
}

/* "_-_" and "-_" are "-" to people, "@in" is "in". */
static struct span spoken(const char *name)
{
	struct span shown = span_of(name);
	while (shown.len > 1 && (shown.ptr[0] == '_' || shown.ptr[0] == '@')) {
		shown = span_make(shown.ptr + 1, shown.len - 1);
	}
	while (shown.len > 1 && shown.ptr[shown.len - 1] == '_') {
		shown.len--;
	}
	return shown;
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* " (null - double)", " (double, string)"; nothing if no type is known. */
static void write_types(struct value error, struct span name, struct buf *out)
{
	unsigned types = error.types;
	bool is_two = types > TAG_MASK && types >> (2 * VALUE_TAG_BITS) == 0;
	bool is_between = is_two && !span_is(name, "[]") && !span_is(name, ",") &&
	                  (!is_letter(name.ptr[0]) || span_is(name, "in"));
	const char *before = " (";
	for (; types != 0; types >>= VALUE_TAG_BITS) {
		buf_format(out, "%s%s", before, type_name(types & TAG_MASK));
		before = ", ";
		if (is_between) {
			buf_format(out, " %.*s ", SPAN_ARG(name));
			before = "";
			is_between = false;
		}
	}
	buf_span(out, error.types != 0 ? SPAN(")") : SPAN(""));
}

static void write_overload(struct value error, struct buf *out)
{
	const char *detail = error.as.text;
	if (detail == NULL && error.types != 0) {
		buf_format(out, "a value of type %s has no fields", type_name(error.types));
		return;
	}
	struct span name = detail != NULL ? spoken(detail) : SPAN("");
	bool is_name = name.len != 0 && memchr(name.ptr, ' ', name.len) == NULL;
	if (is_name) {
		bool is_function = is_letter(name.ptr[0]) && !span_is(name, "in");
		buf_format(out, "the %s '%.*s' does not take these types",
		           is_function ? "function" : "operation", SPAN_ARG(name));
	} else {
		buf_span(out, name.len != 0 ? name : span_of(sentence_of(error.code)->text));
	}
	write_types(error, is_name ? name : SPAN(","), out);
}

void value_write_error(struct value error, struct buf *out)
{
	PRE(value_is_error(error));
	if (error.code == ERROR_NO_SUCH_OVERLOAD) {
		write_overload(error, out);
		return;
	}
	buf_span(out, span_of(sentence_of(error.code)->text));
	const char *detail = error.as.text;
	if (detail == NULL) {
		return;
	}
	bool is_name = error.code == ERROR_NO_SUCH_KEY || error.code == ERROR_UNKNOWN_NAME ||
	               error.code == ERROR_UNKNOWN_FUNCTION || error.code == ERROR_DUPLICATE_KEY;
	buf_format(out, is_name ? ": '%s'" : ": %s", detail);
}
