/* This file cuts the text of an expression into tokens. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/lexer.h"

#include "base/utf8_char.h"
#include "triggers/expr/literal.h"

static bool is_letter(char byte)
{
	return (unsigned char)((byte | 0x20) - 'a') < 26 || byte == '_';
}

static bool is_digit(char byte)
{
	return (unsigned char)(byte - '0') < 10;
}

static const char *skip_space(const char *at, const char *end)
{
	while (at < end) {
		if (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r' || *at == '\f') {
			at++;
		} else if (at[0] == '/' && at[1] == '/') {
			while (at < end && *at != '\n' && *at != '\r') {
				at++;
			}
		} else {
			break;
		}
	}
	return at;
}

/* ---- words ---- */

static enum token_kind word_kind(struct span word)
{
	static const struct {
		struct span word;
		enum token_kind kind;
	} WORDS[] = {
	        {SPAN("in"), TOKEN_IN},
	        {SPAN("true"), TOKEN_TRUE},
	        {SPAN("false"), TOKEN_FALSE},
	        {SPAN("null"), TOKEN_NULL},
	        {SPAN("as"), TOKEN_RESERVED},
	        {SPAN("break"), TOKEN_RESERVED},
	        {SPAN("const"), TOKEN_RESERVED},
	        {SPAN("continue"), TOKEN_RESERVED},
	        {SPAN("else"), TOKEN_RESERVED},
	        {SPAN("for"), TOKEN_RESERVED},
	        {SPAN("function"), TOKEN_RESERVED},
	        {SPAN("if"), TOKEN_RESERVED},
	        {SPAN("import"), TOKEN_RESERVED},
	        {SPAN("let"), TOKEN_RESERVED},
	        {SPAN("loop"), TOKEN_RESERVED},
	        {SPAN("package"), TOKEN_RESERVED},
	        {SPAN("namespace"), TOKEN_RESERVED},
	        {SPAN("return"), TOKEN_RESERVED},
	        {SPAN("var"), TOKEN_RESERVED},
	        {SPAN("void"), TOKEN_RESERVED},
	        {SPAN("while"), TOKEN_RESERVED},
	};
	if (word.len < 2 || word.len > 9) {
		return TOKEN_NAME;
	}
	for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
		if (WORDS[i].word.len == word.len && WORDS[i].word.ptr[0] == word.ptr[0] &&
		    WORDS[i].word.ptr[1] == word.ptr[1] && span_equal(WORDS[i].word, word)) {
			return WORDS[i].kind;
		}
	}
	return TOKEN_NAME;
}

static void read_word(struct lexer *lexer, struct token *out)
{
	const char *start = lexer->at;
	while (is_letter(*lexer->at) || is_digit(*lexer->at)) {
		lexer->at++;
	}
	out->kind = word_kind(span_make(start, (size_t)(lexer->at - start)));
}

/* ---- what does not belong to the language ---- */

/* Slips of people who know other languages; the longest first. */
static const struct {
	const char *text;
	const char *hint;
} SLIPS[] = {
        {"===", "write =="},
        {"!==", "write !="},
        {"<==", "write <="},
        {">==", "write >="},
        {"<>", "write !="},
        {"->", "a loop is list.exists(x, x > 1)"},
        {"??", "write map.?field.orValue(default)"},
        {"**", "there is no power; multiply"},
        {"++", "there is only a + b"},
        {"/*", "a comment begins with //"},
        {"=>", "write >= to compare; a loop is list.exists(x, x > 1)"},
        {"=<", "write <="},
        {"=~", "write text.matches('pattern')"},
        {"=", "write == to compare (>= and <= have no space inside)"},
        {"&", "write && for and"},
        {"|", "write || for or"},
        {"\xe2\x80\x9c", "put text between plain quotes, ' or \""},
        {"\xe2\x80\x9d", "put text between plain quotes, ' or \""},
        {"\xe2\x80\x9e", "put text between plain quotes, ' or \""},
        {"\xe2\x80\x98", "put text between plain quotes, ' or \""},
        {"\xe2\x80\x99", "put text between plain quotes, ' or \""},
        {"\xc2\xab", "put text between plain quotes, ' or \""},
        {"\xc2\xbb", "put text between plain quotes, ' or \""},
        {"\xc2\xa0", "replace it by a plain space"},
        {"\xe2\x80\x8b", "remove it: it cannot be seen"},
        {"\xef\xbb\xbf", "remove it: it cannot be seen"},
        {"\xe2\x89\xa0", "write !="},
        {"\xe2\x89\xa4", "write <="},
        {"\xe2\x89\xa5", "write >="},
        {"\xe2\x80\x93", "write - for minus"},
        {"\xe2\x88\x92", "write - for minus"},
        {"#", "a comment begins with //"},
        {";", "a condition is one expression, without ;"},
        {"$", "write the name without $"},
        {"^", "use math.bitXor(a, b)"},
        {"~", "use math.bitNot(a)"},
        {"\\", "an escape stands between quotes"},
};

static int refuse(struct lexer *lexer)
{
	const char *end = lexer->source.ptr + lexer->source.len;
	struct span rest = span_make(lexer->at, (size_t)(end - lexer->at));
	size_t at = (size_t)(lexer->at - lexer->source.ptr);
	for (size_t i = 0; i < sizeof SLIPS / sizeof *SLIPS; i++) {
		struct span slip = span_of(SLIPS[i].text);
		if (span_starts_with(rest, slip)) {
			return fault_set(lexer->fault, lexer->source, at, SLIPS[i].hint,
			                 "'%s' has no meaning in an expression", SLIPS[i].text);
		}
	}
	if ((unsigned char)*lexer->at < ' ' || *lexer->at == 0x7f) {
		return fault_set(lexer->fault, lexer->source, at, "remove it",
		                 "a control character has no meaning in an expression");
	}
	return fault_set(lexer->fault, lexer->source, at, NULL,
	                 "'%.*s' has no meaning in an expression",
	                 (int)utf8_char_len(lexer->at, end), lexer->at);
}

static int read_field(struct lexer *lexer, struct token *out)
{
	const char *start = ++lexer->at;
	while (is_letter(*lexer->at) || is_digit(*lexer->at) ||
	       (*lexer->at != '\0' && strchr(".-/ ", *lexer->at) != NULL)) {
		lexer->at++;
	}
	out->text = span_make(start, (size_t)(lexer->at - start));
	if (*lexer->at != '`' || out->text.len == 0) {
		return fault_set(lexer->fault, lexer->source,
		                 (size_t)(lexer->at - lexer->source.ptr),
		                 "for any other name write map[\"name\"]",
		                 "between `...` stand letters, digits, spaces and _ . - / only");
	}
	lexer->at++;
	out->kind = TOKEN_FIELD;
	return 0;
}

/* ---- signs ---- */

static enum token_kind sign_of(char byte)
{
	switch (byte) {
	case '<':
		return TOKEN_LESS;
	case '>':
		return TOKEN_GREATER;
	case '+':
		return TOKEN_PLUS;
	case '-':
		return TOKEN_MINUS;
	case '*':
		return TOKEN_STAR;
	case '/':
		return TOKEN_SLASH;
	case '%':
		return TOKEN_PERCENT;
	case '!':
		return TOKEN_NOT;
	case '?':
		return TOKEN_QUESTION;
	case ':':
		return TOKEN_COLON;
	case ',':
		return TOKEN_COMMA;
	case '.':
		return TOKEN_POINT;
	case '(':
		return TOKEN_ROUND_OPEN;
	case ')':
		return TOKEN_ROUND_CLOSE;
	case '[':
		return TOKEN_SQUARE_OPEN;
	case ']':
		return TOKEN_SQUARE_CLOSE;
	case '{':
		return TOKEN_CURLY_OPEN;
	case '}':
		return TOKEN_CURLY_CLOSE;
	default:
		return TOKEN_KINDS;
	}
}

static enum token_kind pair_of(const char *at)
{
	if (at[0] == '&' || at[0] == '|') {
		return at[1] != at[0] ? TOKEN_KINDS : at[0] == '&' ? TOKEN_AND : TOKEN_OR;
	}
	if (at[0] == '\0' || at[1] != '=') {
		return TOKEN_KINDS;
	}
	return at[0] == '='   ? TOKEN_EQUAL
	       : at[0] == '!' ? TOKEN_NOT_EQUAL
	       : at[0] == '<' ? TOKEN_LESS_EQUAL
	       : at[0] == '>' ? TOKEN_GREATER_EQUAL
	                      : TOKEN_KINDS;
}

/* Signs that each have a meaning, but never side by side. */
static bool is_slip(const char *at)
{
	switch (at[0]) {
	case '=':
	case '!':
		return at[1] == '=' && at[2] == '=';
	case '<':
		return at[1] == '>' || (at[1] == '=' && at[2] == '=');
	case '>':
		return at[1] == '=' && at[2] == '=';
	case '-':
		return at[1] == '>';
	case '*':
	case '+':
	case '?':
		return at[1] == at[0];
	case '/':
		return at[1] == '*';
	default:
		return false;
	}
}

static int read_sign(struct lexer *lexer, struct token *out)
{
	if (is_slip(lexer->at)) {
		return refuse(lexer);
	}
	out->kind = pair_of(lexer->at);
	size_t len = 2;
	if (out->kind == TOKEN_KINDS) {
		out->kind = sign_of(*lexer->at);
		len = 1;
	}
	if (out->kind == TOKEN_KINDS) {
		return refuse(lexer);
	}
	lexer->at += len;
	return 0;
}

static int read(struct lexer *lexer, struct token *out)
{
	const char *at = lexer->at;
	if (is_digit(*at) || (*at == '.' && is_digit(at[1]))) {
		out->kind = TOKEN_NUMBER;
		return literal_number(lexer->source, at, &lexer->at, &out->constant, lexer->fault);
	}
	if (literal_is_text(at)) {
		out->kind = TOKEN_CONSTANT;
		return literal_text(lexer->source, at, lexer->arena, &lexer->at, &out->constant,
		                    lexer->fault);
	}
	if (is_letter(*at)) {
		read_word(lexer, out);
		return 0;
	}
	return *at == '`' ? read_field(lexer, out) : read_sign(lexer, out);
}

int lexer_next(struct lexer *lexer, struct token *out)
{
	const char *end = lexer->source.ptr + lexer->source.len;
	lexer->at = skip_space(lexer->at, end);
	const char *start = lexer->at;
	*out = (struct token){.from = (uint32_t)(start - lexer->source.ptr)};
	int status = start < end ? read(lexer, out) : 0;
	if (status != 0) {
		return status;
	}
	out->to = (uint32_t)(lexer->at - lexer->source.ptr);
	if (out->text.ptr == NULL) {
		out->text = span_make(start, out->to - out->from);
	}
	return 0;
}
