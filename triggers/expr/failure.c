/* This file tells people what failed in an evaluation, and where in the expression. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/failure.h"

#include "triggers/expr/parser.h"

enum { SHOWN_MOST = 80 /* bytes of a piece of source, about */ };

/* The outermost node that an error at this place points to, or NULL. */
static const struct ast *find(const struct ast *ast, uint32_t at)
{
	if (ast->at == at) {
		return ast;
	}
	for (size_t i = 0; i < ast->arg_count; i++) {
		const struct ast *arg = ast->args[i];
		const struct ast *found =
		        arg != NULL && arg->from <= at && at < arg->to ? find(arg, at) : NULL;
		if (found != NULL) {
			return found;
		}
	}
	return NULL;
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t' || byte == '\f';
}

/* On one line, and no longer than it may be. */
static void write_piece(struct span piece, struct buf *out)
{
	size_t most = piece.len < SHOWN_MOST ? piece.len : SHOWN_MOST;
	while (most > 0 && most < piece.len && ((unsigned char)piece.ptr[most] & 0xc0) == 0x80) {
		most--;
	}
	for (size_t i = 0; i < most; i++) {
		if (!is_space(piece.ptr[i])) {
			buf_byte(out, piece.ptr[i]);
		} else if (i == 0 || !is_space(piece.ptr[i - 1])) {
			buf_byte(out, ' ');
		}
	}
	buf_span(out, most < piece.len ? SPAN(" ...") : SPAN(""));
}

void failure_write(struct span source, struct value error, struct buf *out)
{
	struct parser_options options = {.no_macros = true};
	struct arena arena = {0};
	struct fault fault = {0};
	struct ast *ast = NULL;
	value_write_error(error, out);
	const struct ast *found = parser_parse(source, &options, &arena, &ast, &fault) == 0
	                                  ? find(ast, error.at)
	                                  : NULL;
	if (found != NULL) {
		struct span piece = span_make(source.ptr + found->from, found->to - found->from);
		BUF_LITERAL(out, ", in ");
		write_piece(piece, out);
		if (piece.len > SHOWN_MOST || memchr(source.ptr, '\n', source.len) != NULL) {
			struct fault place = {0};
			(void)fault_set(&place, source, error.at, NULL, "it failed here");
			buf_format(out, " (line %zu, column %zu)", place.line, place.column);
		}
	}
	arena_close(&arena);
}
