/* This file validates JSON documents in one pass, and finds members on the way. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/json_scan.h"
#include "base/utf8_char.h"
#include "base/utf8_check.h"
#include <stdint.h>

/*
 * DESIGN. One loop over what may come next; which bracket closes a level is a bit in `kinds`, so
 * that nesting costs neither recursion nor memory. Members are looked for at depth 1 only: the name
 * says which of the wanted ones it is (`matched`, a bit each), and when the value behind it ends at
 * the same depth it is noted. A later duplicate simply overwrites.
 *
 *     VALUE --scalar, closing bracket--> AFTER --','--> VALUE (array) or NAME (object)
 *       |                                  ^ |
 *       +--'{'--> NAME --"name":--> VALUE  | +--depth 0--> END
 *       +--'['--> VALUE                    +--'}' or ']' of this level
 */
enum expect { EXPECT_VALUE, EXPECT_NAME, EXPECT_AFTER, EXPECT_END, EXPECT_NOTHING };

struct wanted {
	const struct span *names;
	size_t count;
	uint64_t lengths; /* bit n: some name has n bytes; bit 63: 63 or more */
	struct span *values;
};

struct check {
	const char *at;
	const char *end;
	const char *reason; /* why `at` is where it ends */
	const struct wanted *wanted;
	const char *value_at; /* of the member of depth 1 that is being read */
	size_t depth;
	bool escaped; /* some string since this was cleared has an escape in it */
	uint32_t matched;
	uint64_t kinds[JSON_DEPTH_MAX / 64]; /* bit d: level d + 1 is an object */
};

static inline enum expect fail(struct check *check, const char *reason)
{
	check->reason = reason;
	return EXPECT_NOTHING;
}

static inline bool is_digit(const char *at, const char *end)
{
	return at < end && (unsigned char)(*at - '0') <= 9;
}

static inline bool is_hex(char byte)
{
	return (unsigned char)(byte - '0') <= 9 || (unsigned char)((byte | 0x20) - 'a') <= 5;
}

/* `at` is a backslash; false leaves it there. */
static bool check_escape(struct check *check)
{
	const char *at = check->at;
	size_t left = (size_t)(check->end - at);
	check->escaped = true;
	if (left < 2) {
		return false;
	}
	if (at[1] == 'u') {
		if (left < 6 || !is_hex(at[2]) || !is_hex(at[3]) || !is_hex(at[4]) ||
		    !is_hex(at[5])) {
			return false;
		}
		check->at += 6;
		return true;
	}
	if (at[1] == '\0' || strchr("\"\\/bfnrt", at[1]) == NULL) {
		return false;
	}
	check->at += 2;
	return true;
}

/* `at` is the opening quote; ends behind the closing one. False with the reason. */
static inline bool check_string(struct check *check)
{
	check->at++;
	for (;;) {
		check->at = json_scan_special(check->at, check->end);
		if (check->at == check->end) {
			check->reason = "the string does not end";
			return false;
		}
		if (*check->at == '"') {
			check->at++;
			return true;
		}
		if (*check->at == '\\') {
			if (!check_escape(check)) {
				check->reason = "there is no such escape";
				return false;
			}
		} else if ((unsigned char)*check->at < ' ') {
			check->reason = "a control character must be escaped";
			return false;
		} else {
			size_t len = utf8_char_len(check->at, check->end);
			if (len == 0) {
				check->reason = "the string is not UTF-8";
				return false;
			}
			check->at += len;
		}
	}
}

static inline const char *skip_digits(const char *at, const char *end)
{
	while (is_digit(at, end)) {
		at++;
	}
	return at;
}

/* `at` is a minus or a digit. */
static inline enum expect check_number(struct check *check)
{
	const char *at = check->at;
	const char *end = check->end;
	bool valid = true;
	at += *at == '-';
	if (at < end && *at == '0') {
		at++;
	} else {
		valid = is_digit(at, end);
		at = skip_digits(at, end);
	}
	if (valid && at < end && *at == '.') {
		valid = is_digit(++at, end);
		at = skip_digits(at, end);
	}
	if (valid && at < end && (*at | 0x20) == 'e') {
		at++;
		at += at < end && (*at == '+' || *at == '-');
		valid = is_digit(at, end);
		at = skip_digits(at, end);
	}
	check->at = at;
	return valid ? EXPECT_AFTER : fail(check, "the number lacks a digit");
}

static enum expect check_word(struct check *check)
{
	static const struct span words[] = {{"true", 4}, {"false", 5}, {"null", 4}};
	struct span rest = {check->at, (size_t)(check->end - check->at)};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (span_starts_with(rest, words[i])) {
			check->at += words[i].len;
			return EXPECT_AFTER;
		}
	}
	return fail(check, "a value is expected");
}

static inline bool is_in_object(const struct check *check)
{
	size_t level = check->depth - 1;
	return (check->kinds[level / 64] >> (level % 64) & 1) != 0;
}

/* `at` is an opening bracket. */
static inline enum expect open_level(struct check *check, bool is_object)
{
	if (check->depth == JSON_DEPTH_MAX) {
		return fail(check, "nested too deep");
	}
	uint64_t bit = UINT64_C(1) << (check->depth % 64);
	uint64_t *kinds = &check->kinds[check->depth / 64];
	*kinds = is_object ? *kinds | bit : *kinds & ~bit;
	check->depth++;
	check->at = json_skip_space(check->at + 1, check->end);
	if (check->at < check->end && *check->at == (is_object ? '}' : ']')) {
		check->at++;
		check->depth--;
		return EXPECT_AFTER;
	}
	return is_object ? EXPECT_NAME : EXPECT_VALUE;
}

static inline enum expect check_value(struct check *check)
{
	check->at = json_skip_space(check->at, check->end);
	if (check->at == check->end) {
		return fail(check, "the text ends where a value is expected");
	}
	if (check->depth <= 1) {
		check->value_at = check->at;
	}
	switch (*check->at) {
	case '"':
		return check_string(check) ? EXPECT_AFTER : EXPECT_NOTHING;
	case '{':
		return open_level(check, true);
	case '[':
		return open_level(check, false);
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		return check_number(check);
	default:
		return check_word(check);
	}
}

static inline uint64_t length_bit(size_t len)
{
	return UINT64_C(1) << (len < 63 ? len : 63);
}

static inline uint32_t match(const struct wanted *wanted, struct span name, bool escaped)
{
	if (!escaped && (wanted->lengths & length_bit(name.len)) == 0) {
		return 0;
	}
	uint32_t matched = 0;
	for (size_t i = 0; i < wanted->count; i++) {
		if (escaped ? json_name_is(name, wanted->names[i])
		            : span_equal(name, wanted->names[i])) {
			matched |= UINT32_C(1) << i;
		}
	}
	return matched;
}

static inline enum expect check_name(struct check *check)
{
	check->at = json_skip_space(check->at, check->end);
	if (check->at == check->end || *check->at != '"') {
		return fail(check, "a member's name in quotes is expected");
	}
	const char *quote = check->at;
	check->escaped = false;
	if (!check_string(check)) {
		return EXPECT_NOTHING;
	}
	if (check->depth == 1 && check->wanted != NULL) {
		struct span name = {quote + 1, (size_t)(check->at - quote) - 2};
		check->matched = match(check->wanted, name, check->escaped);
	}
	check->at = json_skip_space(check->at, check->end);
	if (check->at == check->end || *check->at != ':') {
		return fail(check, "a colon is expected");
	}
	check->at++;
	return EXPECT_VALUE;
}

static void note_member(struct check *check)
{
	struct span value = {check->value_at, (size_t)(check->at - check->value_at)};
	for (size_t i = 0; check->matched != 0; i++, check->matched >>= 1) {
		if (check->matched & 1) {
			check->wanted->values[i] = value;
		}
	}
}

static inline enum expect check_after(struct check *check)
{
	if (check->depth == 0) {
		return EXPECT_END;
	}
	if (check->depth == 1 && check->matched != 0) {
		note_member(check);
	}
	check->at = json_skip_space(check->at, check->end);
	bool is_object = is_in_object(check);
	if (check->at < check->end && *check->at == ',') {
		check->at++;
		return is_object ? EXPECT_NAME : EXPECT_VALUE;
	}
	if (check->at < check->end && *check->at == (is_object ? '}' : ']')) {
		check->at++;
		check->depth--;
		return EXPECT_AFTER;
	}
	return fail(check, is_object ? "a comma or } is expected" : "a comma or ] is expected");
}

/* *out_value is the value without the white space around it. */
static int check_document(struct span text, const struct wanted *wanted, struct span *out_value,
                          struct err *err)
{
	const char *start = text.ptr ? text.ptr : "";
	struct check check = {
	        .end = start + text.len,
	        .reason = "something stands behind the value",
	        .wanted = wanted,
	};
	check.at = json_skip_space(start, check.end);
	const char *value_at = check.at;
	enum expect expect = EXPECT_VALUE;
	if (wanted != NULL && (check.at == check.end || *check.at != '{')) {
		expect = fail(&check, "an object is expected");
	}
	while (expect < EXPECT_END) {
		if (expect == EXPECT_VALUE) {
			expect = check_value(&check);
		} else if (expect == EXPECT_AFTER) {
			expect = check_after(&check);
		} else {
			expect = check_name(&check);
		}
	}
	const char *value_end = check.at;
	if (expect == EXPECT_END) {
		check.at = json_skip_space(check.at, check.end);
	}
	if (expect == EXPECT_NOTHING || check.at != check.end) {
		return err_set(err, E_INVALID, "invalid_json", "invalid JSON at byte %zu: %s",
		               (size_t)(check.at - start), check.reason);
	}
	*out_value = (struct span){value_at, (size_t)(value_end - value_at)};
	return 0;
}

int json_check(struct span text, struct span *out_value, struct err *err)
{
	struct span value;
	int failed = check_document(text, NULL, &value, err);
	if (failed == 0 && out_value != NULL) {
		*out_value = value;
	}
	return failed;
}

int json_check_object(struct span text, const struct span names[], size_t count, struct span out[],
                      struct err *err)
{
	PRE(count <= JSON_NAMES_MAX);
	struct span values[JSON_NAMES_MAX];
	struct wanted wanted = {names, count, 0, values};
	for (size_t i = 0; i < count; i++) {
		values[i] = SPAN_NONE;
		wanted.lengths |= length_bit(names[i].len);
	}
	struct span object;
	int failed = check_document(text, &wanted, &object, err);
	for (size_t i = 0; failed == 0 && i < count; i++) {
		out[i] = values[i];
	}
	return failed;
}

bool json_utf8_valid(struct span bytes)
{
	struct utf8_check check = {0};
	return utf8_check_feed(&check, bytes) && utf8_check_is_whole(&check);
}
