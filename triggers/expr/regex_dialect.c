/* This file reads a pattern token by token and writes each as pcre2 must have it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/regex_dialect.h"

#include <stdint.h>

/*
 * DESIGN. pcre2 has no switch for RE2's dialect, and knows more than RE2 nearly everywhere. So
 * every token is either one that both read alike, or is rewritten (\s and \S without U+000B, \v as
 * the one character, brackets, hyphens and colons in sets), or is refused with its column. A letter
 * behind a backslash that is not listed here is refused: what pcre2 adds in later versions stays
 * out.
 */
struct scan {
	struct span pattern;
	size_t at;
	struct buf *out;
};

enum escape_place { ESCAPE_OUTSIDE, ESCAPE_IN_SET };

static size_t column_of(struct span pattern, size_t at)
{
	size_t column = 1;
	for (size_t i = 0; i < at && i < pattern.len; i++) {
		column += ((unsigned char)pattern.ptr[i] & 0xc0) != 0x80;
	}
	return column;
}

static int refuse(const struct scan *scan, size_t at, const char *what, struct err *err)
{
	return err_set(err, E_INVALID, "invalid_regex", "column %zu: %s",
	               column_of(scan->pattern, at), what);
}

/* The byte at `ahead` from here; 0 behind the end. */
static char peek(const struct scan *scan, size_t ahead)
{
	size_t at = scan->at + ahead;
	return at < scan->pattern.len ? scan->pattern.ptr[at] : '\0';
}

static bool has(const struct scan *scan, size_t ahead, struct span text)
{
	size_t at = scan->at + ahead;
	return at <= scan->pattern.len &&
	       span_starts_with(span_make(scan->pattern.ptr + at, scan->pattern.len - at), text);
}

static void copy(struct scan *scan, size_t len)
{
	buf_add(scan->out, scan->pattern.ptr + scan->at, len);
	scan->at += len;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_hex(char byte)
{
	return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_punctuation(char byte)
{
	return byte >= ' ' && byte < 0x7f && !is_digit(byte) && !is_letter(byte) && byte != '_';
}

/* ---- escapes ---- */

/* \x41 or \x{1F600}. */
static int hex_escape(struct scan *scan, struct err *err)
{
	size_t len = 2;
	if (peek(scan, 2) == '{') {
		len = 3;
		while (is_hex(peek(scan, len)) && len < 9) {
			len++;
		}
		len = len > 3 && peek(scan, len) == '}' ? len + 1 : 0;
	} else {
		len = is_hex(peek(scan, 2)) && is_hex(peek(scan, 3)) ? 4 : 0;
	}
	if (len == 0) {
		return refuse(scan, scan->at,
		              "\\x takes two hexadecimal digits, or up to six in braces", err);
	}
	copy(scan, len);
	return 0;
}

/* \pL or \p{Greek}; which names there are is for pcre2 to say. */
static int property_escape(struct scan *scan, struct err *err)
{
	size_t len = 3;
	if (peek(scan, 2) == '{') {
		while (is_letter(peek(scan, len)) || is_digit(peek(scan, len)) ||
		       peek(scan, len) == '_' || (peek(scan, len) == '^' && len == 3)) {
			len++;
		}
		len = peek(scan, len) == '}' ? len + 1 : 0;
	} else if (!is_letter(peek(scan, 2))) {
		len = 0;
	}
	if (len == 0) {
		return refuse(scan, scan->at,
		              "\\p takes a letter (\\pL) or a name in braces (\\p{Greek})", err);
	}
	copy(scan, len);
	return 0;
}

/* \Q...\E: everything in between stands for itself. */
static void quoted(struct scan *scan)
{
	scan->at += 2;
	while (scan->at < scan->pattern.len && !has(scan, 0, SPAN("\\E"))) {
		if (is_punctuation(peek(scan, 0))) {
			buf_byte(scan->out, '\\');
		}
		copy(scan, 1);
	}
	scan->at += has(scan, 0, SPAN("\\E")) ? 2 : 0;
}

static void replace(struct scan *scan, size_t len, struct span with)
{
	scan->at += len;
	buf_span(scan->out, with);
}

static int refuse_escape(const struct scan *scan, enum escape_place place, struct err *err)
{
	char letter = peek(scan, 1);
	if (scan->at + 1 == scan->pattern.len) {
		return refuse(scan, scan->at,
		              "the pattern ends with a backslash; write \\\\ for the character",
		              err);
	}
	if (is_digit(letter) || letter == 'g' || letter == 'k') {
		return refuse(scan, scan->at,
		              "a backreference is not available in this dialect (RE2); write what "
		              "it repeats, or \\x41 for a character by its number",
		              err);
	}
	if (letter == 'Z') {
		return refuse(scan, scan->at,
		              "\\Z is not available in this dialect (RE2); write \\z", err);
	}
	if (letter == 'C') {
		return refuse(scan, scan->at,
		              "\\C (one byte) is not available; write (?s:.) for any character",
		              err);
	}
	return refuse(scan, scan->at,
	              place == ESCAPE_IN_SET
	                      ? "this escape means nothing in a set in this dialect (RE2); write "
	                        "the characters themselves"
	                      : "this escape is not available in this dialect (RE2); write the "
	                        "characters themselves, or \\x{...} for one by its number",
	              err);
}

/* What both places know. *out_many: it stands for more than one character. */
static int escape(struct scan *scan, enum escape_place place, bool *out_many, struct err *err)
{
	bool in_set = place == ESCAPE_IN_SET;
	char letter = peek(scan, 1);
	*out_many = letter != '\0' && strchr("dDwWsSpP", letter) != NULL;
	switch (letter) {
	case 'd':
	case 'D':
	case 'w':
	case 'W':
	case 'a':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		copy(scan, 2);
		return 0;
	case 's':
		replace(scan, 2, in_set ? SPAN("\\t\\n\\f\\r\\x20") : SPAN("[\\t\\n\\f\\r\\x20]"));
		return 0;
	case 'S':
		replace(scan, 2, in_set ? SPAN("\\S\\x0b") : SPAN("[^\\t\\n\\f\\r\\x20]"));
		return 0;
	case 'v':
		replace(scan, 2, SPAN("\\x0b"));
		return 0;
	case 'x':
		return hex_escape(scan, err);
	case 'p':
	case 'P':
		return property_escape(scan, err);
	case '0': /* and up to two octal digits, which are taken as characters but belong to it */
		copy(scan, 2);
		return 0;
	default:
		if (is_punctuation(letter)) {
			copy(scan, 2);
			return 0;
		}
		return refuse_escape(scan, place, err);
	}
}

static int outer_escape(struct scan *scan, struct err *err)
{
	switch (peek(scan, 1)) {
	case 'b':
	case 'B':
	case 'A':
	case 'z':
		copy(scan, 2);
		return 0;
	case 'Q':
		quoted(scan);
		return 0;
	default: {
		bool many = false;
		return escape(scan, ESCAPE_OUTSIDE, &many, err);
	}
	}
}

/* ---- sets ---- */

/* [:alpha:] or [:^alpha:] inside a set; its length, or 0. */
static size_t posix_len(const struct scan *scan)
{
	size_t len = 2 + (size_t)(peek(scan, 2) == '^');
	while (is_letter(peek(scan, len))) {
		len++;
	}
	return has(scan, 0, SPAN("[:")) && has(scan, len, SPAN(":]")) ? len + 2 : 0;
}

/* One member: a character, or with *out_many several. */
static int set_member(struct scan *scan, bool *out_many, struct err *err)
{
	size_t posix = posix_len(scan);
	*out_many = posix != 0;
	if (posix != 0) {
		copy(scan, posix);
		return 0;
	}
	if (peek(scan, 0) == '\\') {
		return escape(scan, ESCAPE_IN_SET, out_many, err);
	}
	/* pcre2 sees more in these than the characters that they are. */
	if (is_punctuation(peek(scan, 0))) {
		buf_byte(scan->out, '\\');
	}
	do {
		copy(scan, 1);
	} while (((unsigned char)peek(scan, 0) & 0xc0) == 0x80);
	return 0;
}

static int set(struct scan *scan, struct err *err)
{
	size_t start = scan->at;
	copy(scan, 1);
	if (peek(scan, 0) == '^') {
		copy(scan, 1);
	}
	for (bool first = true; first || peek(scan, 0) != ']'; first = false) {
		if (scan->at == scan->pattern.len) {
			return refuse(scan, start,
			              "the set that begins here has no ]; write \\[ for the "
			              "character",
			              err);
		}
		bool many = false;
		if (set_member(scan, &many, err) != 0) {
			return err->number;
		}
		bool is_range = !many && peek(scan, 0) == '-' && peek(scan, 1) != ']' &&
		                scan->at + 1 < scan->pattern.len;
		if (!is_range) {
			continue;
		}
		size_t hyphen = scan->at;
		copy(scan, 1);
		if (set_member(scan, &many, err) != 0) {
			return err->number;
		}
		if (many) {
			return refuse(scan, hyphen,
			              "a range must end with one character; write \\- for a hyphen",
			              err);
		}
	}
	copy(scan, 1);
	return 0;
}

/* ---- groups ---- */

static const struct {
	struct span begin;
	const char *what;
} NO_GROUPS[] = {
        {{"(*", 2}, "a verb is not available in this dialect (RE2); write \\( or \\*"},
        {{"(?=", 3}, "look-ahead is not available in this dialect (RE2)"},
        {{"(?!", 3}, "look-ahead is not available in this dialect (RE2)"},
        {{"(?<=", 4}, "look-behind is not available in this dialect (RE2)"},
        {{"(?<!", 4}, "look-behind is not available in this dialect (RE2)"},
        {{"(?>", 3}, "an atomic group is not available in this dialect (RE2); write (?:...)"},
        {{"(?|", 3}, "a branch reset is not available in this dialect (RE2); write (?:...)"},
        {{"(?#", 3}, "a comment is not available in this dialect (RE2); leave it out"},
        {{"(?P=", 4}, "a backreference is not available in this dialect (RE2)"},
        {{"(?P>", 4}, "recursion is not available in this dialect (RE2)"},
        {{"(?R", 3}, "recursion is not available in this dialect (RE2)"},
        {{"(?&", 3}, "recursion is not available in this dialect (RE2)"},
        {{"(?(", 3}, "a condition is not available in this dialect (RE2)"},
        {{"(?C", 3}, "a callout is not available in this dialect (RE2)"},
};

/* (?i), (?i-s), (?i:...: the length up to where the group's content begins, or 0. */
static size_t flags_len(const struct scan *scan)
{
	size_t len = 2;
	bool minus = false;
	char last = '\0';
	for (; peek(scan, len) != '\0' && strchr("imsU-", peek(scan, len)) != NULL; len++) {
		last = peek(scan, len);
		if (last == '-' && minus) {
			return 0;
		}
		minus = minus || last == '-';
	}
	bool is_end = peek(scan, len) == ')' || peek(scan, len) == ':';
	bool is_plain = len == 2 && peek(scan, len) == ':';
	return is_end && (is_plain || (last != '\0' && last != '-')) ? len + 1 : 0;
}

static int group(struct scan *scan, struct err *err)
{
	for (size_t i = 0; i < sizeof NO_GROUPS / sizeof NO_GROUPS[0]; i++) {
		if (has(scan, 0, NO_GROUPS[i].begin)) {
			return refuse(scan, scan->at, NO_GROUPS[i].what, err);
		}
	}
	if (peek(scan, 1) != '?') {
		copy(scan, 1);
		return 0;
	}
	size_t name = has(scan, 0, SPAN("(?P<")) ? 4 : has(scan, 0, SPAN("(?<")) ? 3 : 0;
	size_t len = name != 0 ? name : flags_len(scan);
	if (len == 0) {
		return refuse(scan, scan->at,
		              "this kind of group is not available in this dialect (RE2); write "
		              "(...), (?:...), (?P<name>...) or flags of i, m, s, U",
		              err);
	}
	copy(scan, len);
	return 0;
}

/* ---- repetitions ---- */

static size_t number_len(const struct scan *scan, size_t ahead, uint32_t *out)
{
	size_t len = 0;
	uint32_t value = 0;
	for (; is_digit(peek(scan, ahead + len)); len++) {
		value = value > REGEX_REPEAT_MAX
		                ? value
		                : value * 10 + (uint32_t)(peek(scan, ahead + len) - '0');
	}
	*out = value;
	return len;
}

/* *, +, ?, {n}, {n,}, {n,m}; 0 when it is none: a brace of another kind is a character. */
static size_t repetition_len(const struct scan *scan, uint32_t *out_most)
{
	uint32_t least = 0;
	uint32_t most = 0;
	char byte = peek(scan, 0);
	*out_most = 0;
	if (byte == '*' || byte == '+' || byte == '?') {
		return 1;
	}
	size_t len = byte == '{' ? number_len(scan, 1, &least) : 0;
	if (len == 0) {
		return 0;
	}
	len++;
	if (peek(scan, len) == ',') {
		len++;
		len += number_len(scan, len, &most);
	}
	*out_most = most > least ? most : least;
	return peek(scan, len) == '}' ? len + 1 : 0;
}

static int repetition(struct scan *scan, size_t len, uint32_t most, struct err *err)
{
	size_t start = scan->at;
	if (most > REGEX_REPEAT_MAX) {
		return refuse(scan, start, "more than 1000 repetitions; write fewer, or *", err);
	}
	copy(scan, len);
	if (peek(scan, 0) == '+') {
		return refuse(scan, start,
		              "a possessive repetition is not available in this dialect (RE2); "
		              "leave out the second +",
		              err);
	}
	if (peek(scan, 0) == '?') {
		copy(scan, 1);
	}
	uint32_t more = 0;
	if (repetition_len(scan, &more) != 0) {
		return refuse(scan, scan->at,
		              "a repetition of a repetition; put the first one into (?:...)", err);
	}
	return 0;
}

/* ---- the whole ---- */

static int token(struct scan *scan, struct err *err)
{
	uint32_t most = 0;
	size_t len = repetition_len(scan, &most);
	if (len != 0) {
		return repetition(scan, len, most, err);
	}
	switch (peek(scan, 0)) {
	case '\\':
		return outer_escape(scan, err);
	case '[':
		return set(scan, err);
	case '(':
		return group(scan, err);
	default:
		copy(scan, 1);
		return 0;
	}
}

int regex_dialect_translate(struct span pattern, struct buf *out, struct err *err)
{
	struct err ignored;
	struct scan scan = {.pattern = pattern, .out = out};
	int status = 0;
	while (status == 0 && scan.at < pattern.len) {
		status = token(&scan, err ? err : &ignored);
	}
	return status;
}

size_t regex_dialect_column(struct span pattern, size_t offset)
{
	struct err ignored;
	struct buf out = {0};
	struct scan scan = {.pattern = pattern, .out = &out};
	size_t start = 0;
	while (scan.at < pattern.len && out.len <= offset) {
		start = scan.at;
		(void)token(&scan, &ignored);
	}
	size_t column = column_of(pattern, out.len <= offset ? pattern.len : start);
	buf_free(&out);
	return column;
}
