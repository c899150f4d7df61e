/* This file guesses what somebody meant who wrote an expression that does not parse. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/slip.h"

#include "base/utf8_char.h"

enum { SHOWN_MOST = 40 };

struct word {
	struct span word;
	const char *hint;
};

static const char *find_hint(const struct word words[], size_t count, struct span word)
{
	for (size_t i = 0; i < count; i++) {
		if (span_equal(words[i].word, word)) {
			return words[i].hint;
		}
	}
	return NULL;
}

static bool is_not(struct span name)
{
	return span_is(name, "not") || span_is(name, "NOT");
}

const char *slip_foreign_word(struct span name, bool is_called)
{
	static const struct word WORDS[] = {
	        {SPAN("None"), "write null"},      {SPAN("nil"), "write null"},
	        {SPAN("undefined"), "write null"}, {SPAN("NULL"), "write null"},
	        {SPAN("Null"), "write null"},      {SPAN("True"), "write true"},
	        {SPAN("TRUE"), "write true"},      {SPAN("False"), "write false"},
	        {SPAN("FALSE"), "write false"},
	};
	if (is_called) {
		return is_not(name) ? "write !(a)" : NULL;
	}
	return find_hint(WORDS, sizeof WORDS / sizeof *WORDS, name);
}

const char *slip_foreign_function(struct span name)
{
	static const struct word WORDS[] = {
	        {SPAN("includes"), "write x in list, or text.contains('a')"},
	        {SPAN("has_key"), "write 'key' in map"},
	        {SPAN("hasOwnProperty"), "write 'key' in map"},
	        {SPAN("length"), "write size(x)"},
	        {SPAN("len"), "write size(x)"},
	        {SPAN("count"), "write size(x)"},
	        {SPAN("isEmpty"), "write size(x) == 0"},
	        {SPAN("some"), "write list.exists(x, x > 1)"},
	        {SPAN("any"), "write list.exists(x, x > 1)"},
	        {SPAN("every"), "write list.all(x, x > 1)"},
	        {SPAN("toLowerCase"), "write text.lowerAscii()"},
	        {SPAN("lower"), "write text.lowerAscii()"},
	        {SPAN("toUpperCase"), "write text.upperAscii()"},
	        {SPAN("upper"), "write text.upperAscii()"},
	        {SPAN("test"), "write text.matches('^a')"},
	        {SPAN("match"), "write text.matches('^a')"},
	        {SPAN("toString"), "write string(x)"},
	        {SPAN("str"), "write string(x)"},
	        {SPAN("parseInt"), "write int(x)"},
	        {SPAN("Number"), "write double(x)"},
	        {SPAN("float"), "write double(x)"},
	        {SPAN("now"), "there is no clock in an expression; perhaps a variable is a time"},
	};
	return find_hint(WORDS, sizeof WORDS / sizeof *WORDS, name);
}

/* A word between two values, where an operator is wanted. */
static const char *word_hint(struct span word)
{
	static const struct word WORDS[] = {
	        {SPAN("and"), "write && instead of and"},
	        {SPAN("AND"), "write && instead of AND"},
	        {SPAN("or"), "write || instead of or"},
	        {SPAN("OR"), "write || instead of OR"},
	        {SPAN("not"), "write !(a in b) instead of a not in b"},
	        {SPAN("NOT"), "write !(a in b) instead of a NOT IN b"},
	        {SPAN("IN"), "write in instead of IN"},
	        {SPAN("is"), "write == instead of is"},
	        {SPAN("IS"), "write == instead of IS"},
	        {SPAN("eq"), "write == instead of eq"},
	        {SPAN("ne"), "write != instead of ne"},
	        {SPAN("lt"), "write < instead of lt"},
	        {SPAN("gt"), "write > instead of gt"},
	        {SPAN("like"), "write text.startsWith('a'), .contains('a') or .matches('^a')"},
	        {SPAN("LIKE"), "write text.startsWith('a'), .contains('a') or .matches('^a')"},
	        {SPAN("contains"), "write text.contains('a')"},
	        {SPAN("matches"), "write text.matches('^a')"},
	        {SPAN("startsWith"), "write text.startsWith('a')"},
	        {SPAN("endsWith"), "write text.endsWith('a')"},
	        {SPAN("between"), "write a <= x && x <= b"},
	        {SPAN("BETWEEN"), "write a <= x && x <= b"},
	        {SPAN("div"), "write / instead of div"},
	        {SPAN("mod"), "write % instead of mod"},
	};
	return find_hint(WORDS, sizeof WORDS / sizeof *WORDS, word);
}

static const char *reserved_hint(struct span word)
{
	static const struct word WORDS[] = {
	        {SPAN("if"), "write condition ? a : b"},
	        {SPAN("else"), "write condition ? a : b"},
	        {SPAN("for"), "write list.all(x, ...), list.exists(x, ...) or list.map(x, ...)"},
	        {SPAN("while"), "write list.all(x, ...), list.exists(x, ...) or list.map(x, ...)"},
	        {SPAN("loop"), "write list.all(x, ...), list.exists(x, ...) or list.map(x, ...)"},
	        {SPAN("let"), "write cel.bind(x, value, expression with x)"},
	        {SPAN("var"), "write cel.bind(x, value, expression with x)"},
	        {SPAN("const"), "write cel.bind(x, value, expression with x)"},
	        {SPAN("return"), "write only the expression"},
	};
	const char *hint = find_hint(WORDS, sizeof WORDS / sizeof *WORDS, word);
	return hint ? hint : "it can be the name of a field, behind a '.', but not a variable's";
}

/* ---- tokens in a sentence ---- */

static struct span shown(const struct token *token)
{
	struct span text = token->text;
	if (text.len > SHOWN_MOST) {
		text.len = SHOWN_MOST;
		while (text.len > 0 && ((unsigned char)text.ptr[text.len] & 0xc0) == 0x80) {
			text.len--;
		}
	}
	return text;
}

static bool is_name(const struct token *token)
{
	return token->kind == TOKEN_NAME || token->kind == TOKEN_RESERVED;
}

static bool is_open(const struct token *token)
{
	return token->kind == TOKEN_ROUND_OPEN || token->kind == TOKEN_SQUARE_OPEN ||
	       token->kind == TOKEN_CURLY_OPEN;
}

static bool is_close(const struct token *token)
{
	return token->kind == TOKEN_ROUND_CLOSE || token->kind == TOKEN_SQUARE_CLOSE ||
	       token->kind == TOKEN_CURLY_CLOSE;
}

static bool is_operator(const struct token *token)
{
	return token->kind >= TOKEN_IN && token->kind <= TOKEN_NOT;
}

static bool is_value(const struct token *token)
{
	return token->kind >= TOKEN_NAME && token->kind < TOKEN_IN;
}

/* ---- behind something complete ---- */

static void explain_end(struct span source, const struct token *previous, const struct token *open,
                        const char *wanted, struct fault *fault)
{
	bool is_number = previous->kind == TOKEN_POINT && previous->from > 0 &&
	                 (unsigned char)(source.ptr[previous->from - 1] - '0') < 10;
	if (open != NULL) {
		(void)fault_set(fault, source, open->from, NULL, "this '%.*s' is never closed",
		                SPAN_ARG(open->text));
	} else {
		(void)fault_set(fault, source, previous->to,
		                is_number ? "a double has a digit behind its point: 7.0" : NULL,
		                "the expression ends before %s", wanted);
	}
}

/* Where the ':' of a choice must stand. */
static void explain_choice(struct span source, const struct token *next, const struct token *open,
                           struct fault *fault)
{
	bool is_select = open->to < source.len && source.ptr[open->to] == '.';
	if (next->kind == TOKEN_QUESTION && !is_select) {
		(void)fault_set(fault, source, next->from, "put ( ) around the inner condition",
		                "a second '?' stands before the ':' of the first");
	} else {
		(void)fault_set(fault, source, open->from,
		                is_select ? "an optional field is map.?field"
		                          : "write condition ? a : b",
		                "this '?' has no ':'");
	}
}

static void explain_close(struct span source, const struct token *next, const struct token *open,
                          struct fault *fault)
{
	if (open == NULL) {
		(void)fault_set(fault, source, next->from, "remove it, or open it before",
		                "this '%.*s' closes nothing", SPAN_ARG(next->text));
		return;
	}
	struct fault opened = {0};
	(void)fault_set(&opened, source, open->from, NULL, "opened");
	(void)fault_set(
	        fault, source, next->from, NULL,
	        "'%.*s' stands here, but what line %zu, column %zu opened with '%.*s' comes "
	        "first",
	        SPAN_ARG(next->text), opened.line, opened.column, SPAN_ARG(open->text));
}

/* A field whose name is no name. */
static void explain_field(struct span source, const struct token *next, struct fault *fault)
{
	const char *hint = NULL;
	if (next->kind == TOKEN_NUMBER) {
		hint = "an item of a list is list[0]";
	} else if (next->kind == TOKEN_CONSTANT) {
		hint = "write map['name'] without the '.'";
	} else if (is_value(next) || next->kind == TOKEN_IN) {
		hint = "that word is taken: write map['name'] without the '.'";
	}
	(void)fault_set(fault, source, next->from, hint,
	                "'%.*s' stands where the name of a field must", SPAN_ARG(shown(next)));
}

static bool is_unit(struct span word)
{
	static const struct span UNITS[] = {
	        SPAN("ms"), SPAN("s"),       SPAN("sec"),     SPAN("m"),     SPAN("min"), SPAN("h"),
	        SPAN("d"),  SPAN("seconds"), SPAN("minutes"), SPAN("hours"), SPAN("days")};
	for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
		if (span_equal(UNITS[i], word)) {
			return true;
		}
	}
	return false;
}

/* What to write when `next` follows a value; NULL: no idea. */
static const char *guess(const struct token *previous, const struct token *next)
{
	if (previous->kind == TOKEN_NAME && is_not(previous->text)) {
		return "write ! instead of not";
	}
	if (previous->kind == TOKEN_NUMBER && previous->to == next->from && is_unit(next->text)) {
		return "a span of time is duration('90s'), duration('5m'), duration('24h')";
	}
	if (is_name(next)) {
		return word_hint(next->text);
	}
	if (next->kind == TOKEN_NOT) {
		return "write !(a in b) instead of a !in b";
	}
	if (next->kind == TOKEN_NUMBER && next->text.ptr[0] == '.') {
		return "an item of a list is list[0]";
	}
	if (next->kind == TOKEN_CONSTANT && previous->kind == TOKEN_CONSTANT &&
	    previous->to == next->from) {
		return "a quote inside of quotes is \\', or put the text between the other kind";
	}
	if (next->kind == TOKEN_ROUND_OPEN) {
		return "only a plain name before '(' is called: f(x), a.f(x)";
	}
	if (next->kind == TOKEN_COLON) {
		return "a ':' stands between key and value of a map, and in condition ? a : b";
	}
	return NULL;
}

void slip_explain(struct span source, const struct token *previous, const struct token *next,
                  const struct token *open, const char *wanted, struct fault *fault)
{
	if (fault->text[0] != '\0') {
		return;
	}
	bool is_choice = open != NULL && open->kind == TOKEN_QUESTION;
	if (is_choice && !is_value(next)) {
		explain_choice(source, next, open, fault);
	} else if (next->kind == TOKEN_END) {
		explain_end(source, previous, open, wanted, fault);
	} else if (previous->kind == TOKEN_POINT ||
	           (previous->kind == TOKEN_QUESTION && !open && wanted != NULL)) {
		explain_field(source, next, fault);
	} else if (is_close(next)) {
		explain_close(source, next, open, fault);
	} else if (next->kind == TOKEN_CURLY_OPEN && previous->kind == TOKEN_NAME) {
		(void)fault_set(
		        fault, source, next->from, "a map is {'name': value}",
		        "there are no messages, so nothing can stand between '%.*s' and '{'",
		        SPAN_ARG(shown(previous)));
	} else if (is_value(next)) {
		(void)fault_set(fault, source, next->from, guess(previous, next),
		                "an operator is missing before '%.*s'", SPAN_ARG(shown(next)));
	} else {
		(void)fault_set(fault, source, next->from, guess(previous, next),
		                "'%.*s' cannot stand here; %s can", SPAN_ARG(shown(next)), wanted);
	}
}

/* ---- where a value must begin ---- */

/* At the end of the text. */
static void explain_nothing(struct span source, const struct token *previous, struct fault *fault)
{
	if (is_open(previous)) {
		(void)fault_set(fault, source, previous->from, NULL, "this '%.*s' is never closed",
		                SPAN_ARG(previous->text));
	} else {
		(void)fault_set(fault, source, previous->to, NULL, "nothing follows '%.*s'",
		                SPAN_ARG(shown(previous)));
	}
}

static const char *operand_hint(const struct token *previous, const struct token *next)
{
	if (next->kind == TOKEN_PLUS) {
		return "a positive number has no sign";
	}
	if (next->kind == TOKEN_EQUAL || next->kind == TOKEN_NOT_EQUAL) {
		return "a comparison has one sign: ==, !=, <, <=, > or >=";
	}
	if (next->kind == TOKEN_QUESTION && previous->kind != TOKEN_QUESTION) {
		return "an optional item stands in [?x] or {?k: v}";
	}
	return NULL;
}

void slip_explain_operand(struct span source, const struct token *previous,
                          const struct token *next, struct fault *fault)
{
	if (next->kind == TOKEN_END) {
		explain_nothing(source, previous, fault);
	} else if (next->kind == TOKEN_RESERVED) {
		(void)fault_set(fault, source, next->from, reserved_hint(next->text),
		                "'%.*s' is a reserved word", SPAN_ARG(next->text));
	} else if (next->kind == TOKEN_FIELD) {
		(void)fault_set(fault, source, next->from, "write map.`name`",
		                "a name between `...` is a field's, and stands behind a '.'");
	} else if (is_operator(previous)) {
		(void)fault_set(fault, source, next->from, operand_hint(previous, next),
		                "a value is missing between '%.*s' and '%.*s'",
		                SPAN_ARG(previous->text), SPAN_ARG(shown(next)));
	} else if (is_operator(next) || next->kind == TOKEN_QUESTION) {
		(void)fault_set(fault, source, next->from, operand_hint(previous, next),
		                "there is no value before '%.*s'", SPAN_ARG(shown(next)));
	} else {
		(void)fault_set(fault, source, next->from, NULL, "a value is missing before '%.*s'",
		                SPAN_ARG(shown(next)));
	}
}
