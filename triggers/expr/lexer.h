/* This file cuts the text of an expression into tokens. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_LEXER_H
#define TRIGGERS_EXPR_LEXER_H

#include "base/arena.h"
#include "base/span.h"
#include "triggers/expr/fault.h"
#include "triggers/expr/value.h"
#include <stdbool.h>
#include <stdint.h>

enum token_kind {
	TOKEN_END,
	TOKEN_NAME,
	TOKEN_RESERVED, /* a word that is a name only behind a point */
	TOKEN_FIELD,    /* `quoted` */
	TOKEN_NUMBER,   /* int: its amount as a uint64, up to 2^63; uint; double */
	TOKEN_CONSTANT, /* string, bytes */
	TOKEN_TRUE,
	TOKEN_FALSE,
	TOKEN_NULL,
	TOKEN_IN,
	TOKEN_OR,
	TOKEN_AND,
	TOKEN_EQUAL,
	TOKEN_NOT_EQUAL,
	TOKEN_LESS,
	TOKEN_LESS_EQUAL,
	TOKEN_GREATER,
	TOKEN_GREATER_EQUAL,
	TOKEN_PLUS,
	TOKEN_MINUS,
	TOKEN_STAR,
	TOKEN_SLASH,
	TOKEN_PERCENT,
	TOKEN_NOT,
	TOKEN_QUESTION,
	TOKEN_COLON,
	TOKEN_COMMA,
	TOKEN_POINT,
	TOKEN_ROUND_OPEN,
	TOKEN_ROUND_CLOSE,
	TOKEN_SQUARE_OPEN,
	TOKEN_SQUARE_CLOSE,
	TOKEN_CURLY_OPEN,
	TOKEN_CURLY_CLOSE,
	TOKEN_KINDS
};

struct token {
	enum token_kind kind;
	uint32_t from; /* byte offsets */
	uint32_t to;
	struct span text;      /* as it stands; of a TOKEN_FIELD what is between the quotes */
	struct value constant; /* TOKEN_NUMBER, TOKEN_CONSTANT */
};

/* All of it is borrowed. Tokens point into the source, or into the arena where something had to be
 * unescaped. */
struct lexer {
	struct span source; /* valid UTF-8, with a NUL behind */
	const char *at;
	struct arena *arena;
	struct fault *fault;
};

/* The next token; TOKEN_END again and again at the end. E_INVALID: the fault tells. */
int lexer_next(struct lexer *lexer, struct token *out);

#endif
