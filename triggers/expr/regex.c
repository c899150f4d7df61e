/* This file compiles patterns with pcre2 and refuses what RE2 would refuse. */
/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "triggers/expr/regex.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include <pcre2.h>
#include <stdint.h>

enum {
	MATCH_LIMIT = 100000,
	DEPTH_LIMIT = 10000,
	HEAP_LIMIT_KIB = 1024,
	JIT_AFTER = 8,
	JIT_STACK_FIRST = 32 * 1024,
	JIT_STACK_MOST = 512 * 1024
};

struct regex {
	uint32_t users;
	uint32_t uses;
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *limits;
	pcre2_jit_stack *stack; /* only once it is compiled for the machine */
};

static int refuse(struct err *err, size_t at, const char *what)
{
	return err_set(err, E_INVALID, "invalid_regex",
	               "%s at byte %zu of the pattern is not in the dialect (RE2): %s", what,
	               at + 1, "write the condition without it");
}

/* A group that begins with "(?": what RE2 knows of those. */
static int check_group(struct span pattern, size_t at, struct err *err)
{
	struct span rest = span_make(pattern.ptr + at + 2, pattern.len - at - 2);
	if (span_starts_with(rest, SPAN("P<")) || span_starts_with(rest, SPAN(":"))) {
		return 0;
	}
	if (span_starts_with(rest, SPAN("=")) || span_starts_with(rest, SPAN("!")) ||
	    span_starts_with(rest, SPAN("<=")) || span_starts_with(rest, SPAN("<!"))) {
		return refuse(err, at, "look-around");
	}
	if (span_starts_with(rest, SPAN("<")) || span_starts_with(rest, SPAN("P>")) ||
	    span_starts_with(rest, SPAN("P="))) {
		return refuse(err, at, "a group of this name form (write (?P<name>...))");
	}
	/* Flags: (?i) (?-s) (?im:...) */
	size_t i = 0;
	while (i < rest.len && memchr("imsU-", rest.ptr[i], 5) != NULL) {
		i++;
	}
	if (i < rest.len && i > 0 && (rest.ptr[i] == ')' || rest.ptr[i] == ':')) {
		return 0;
	}
	return refuse(err, at, "this kind of group");
}

static int check_escape(struct span pattern, size_t at, bool in_class, struct err *err)
{
	if (at + 1 == pattern.len) {
		return err_set(
		        err, E_INVALID, "invalid_regex",
		        "the pattern ends with \"\\\"; write \"\\\\\" for the character itself");
	}
	char next = pattern.ptr[at + 1];
	if (next >= '1' && next <= '9') {
		return refuse(err, at, "a backreference");
	}
	static const char known[] = "aftnrvdDsSwWxpPQE0";
	static const char outside[] = "bBAz";
	bool letter = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
	if (letter && strchr(known, next) == NULL && (in_class || strchr(outside, next) == NULL)) {
		return refuse(err, at, "this escape");
	}
	return 0;
}

/* pcre2 has no switch for RE2's dialect: the pattern is read once before. `out` is the pattern as
 * pcre2 is to get it: \s without the vertical tab. */
static int translate(struct span pattern, struct buf *out, struct err *err)
{
	bool in_class = false;
	for (size_t i = 0; i < pattern.len; i++) {
		char byte = pattern.ptr[i];
		if (byte == '\\') {
			if (check_escape(pattern, i, in_class, err) != 0) {
				return err->number;
			}
			char next = pattern.ptr[i + 1];
			i++;
			if (next == 's') {
				buf_span(out, in_class ? SPAN(" \\t\\n\\f\\r")
				                       : SPAN("[ \\t\\n\\f\\r]"));
			} else if (next == 'S' && !in_class) {
				buf_span(out, SPAN("[^ \\t\\n\\f\\r]"));
			} else {
				buf_byte(out, '\\');
				buf_byte(out, next);
			}
			continue;
		}
		buf_byte(out, byte);
		if (in_class) {
			in_class = byte != ']';
			continue;
		}
		char next = i + 1 < pattern.len ? pattern.ptr[i + 1] : '\0';
		if (byte == '[') {
			in_class = true;
			/* A bracket that comes first is an ordinary member. */
			size_t first = i + 1 + (next == '^');
			for (i++; i <= first && i < pattern.len; i++) {
				if (i == first && pattern.ptr[i] != ']') {
					break;
				}
				buf_byte(out, pattern.ptr[i]);
			}
			i--;
		} else if (byte == '(' && next == '*') {
			return refuse(err, i, "a verb");
		} else if (byte == '(' && next == '?' && check_group(pattern, i, err) != 0) {
			return err->number;
		} else if ((byte == '*' || byte == '+' || byte == '?' || byte == '}') &&
		           next == '+') {
			return refuse(err, i + 1, "a possessive quantifier");
		}
	}
	return 0;
}

static int compile(struct span pattern, pcre2_code **out, struct err *err)
{
	int code;
	PCRE2_SIZE at;
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	PRE(context != NULL);
	(void)pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	(void)pcre2_set_parens_nest_limit(context, 100);
	const uint32_t options =
	        PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UCP;
	*out = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, options, &code, &at, context);
	pcre2_compile_context_free(context);
	if (*out == NULL) {
		PCRE2_UCHAR text[160];
		(void)pcre2_get_error_message(code, text, sizeof text);
		return err_set(err, E_INVALID, "invalid_regex",
		               "the pattern is wrong near byte %zu: %s", (size_t)at,
		               (const char *)text);
	}
	return 0;
}

int regex_new(struct span pattern, struct regex **out, struct err *err)
{
	if (pattern.len > REGEX_PATTERN_MAX) {
		return err_set(err, E_LIMIT, "invalid_regex",
		               "the pattern has %zu bytes, the limit is %d", pattern.len,
		               REGEX_PATTERN_MAX);
	}
	if (!json_utf8_valid(pattern)) {
		return err_set(err, E_INVALID, "invalid_regex", "the pattern is not valid UTF-8");
	}
	struct buf translated = {0};
	pcre2_code *code = NULL;
	int status = translate(pattern, &translated, err);
	if (status == 0) {
		status = compile(buf_view(&translated), &code, err);
	}
	buf_free(&translated);
	if (status != 0) {
		return status;
	}
	struct regex *regex = MEM_NEW(struct regex);
	regex->users = 1;
	regex->code = code;
	regex->match = pcre2_match_data_create_from_pattern(code, NULL);
	regex->limits = pcre2_match_context_create(NULL);
	PRE(regex->match != NULL && regex->limits != NULL);
	(void)pcre2_set_match_limit(regex->limits, MATCH_LIMIT);
	(void)pcre2_set_depth_limit(regex->limits, DEPTH_LIMIT);
	(void)pcre2_set_heap_limit(regex->limits, HEAP_LIMIT_KIB);
	*out = regex;
	return 0;
}

struct regex *regex_take(struct regex *regex)
{
	regex->users++;
	return regex;
}

void regex_drop(struct regex *regex)
{
	if (regex != NULL && --regex->users == 0) {
		if (regex->stack != NULL) {
			pcre2_jit_stack_free(regex->stack);
		}
		pcre2_match_context_free(regex->limits);
		pcre2_match_data_free(regex->match);
		pcre2_code_free(regex->code);
		mem_free(regex);
	}
}

/* Where the machine has no JIT the interpreter goes on, under the same limits. */
static void compile_for_machine(struct regex *regex)
{
	if (pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0) {
		regex->stack = pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MOST, NULL);
		if (regex->stack != NULL) {
			pcre2_jit_stack_assign(regex->limits, NULL, regex->stack);
		}
	}
}

int regex_matches(struct regex *regex, struct span subject, bool *out, struct err *err)
{
	if (++regex->uses == JIT_AFTER) {
		compile_for_machine(regex);
	}
	int found = pcre2_match(regex->code, (PCRE2_SPTR)subject.ptr, subject.len, 0,
	                        PCRE2_NO_UTF_CHECK, regex->match, regex->limits);
	if (found < 0 && found != PCRE2_ERROR_NOMATCH) {
		return err_set(
		        err, E_LIMIT, "regex_limit",
		        "the pattern needs too much work on this text (pcre2 error %d); make it "
		        "less ambiguous",
		        found);
	}
	*out = found >= 0;
	return 0;
}
