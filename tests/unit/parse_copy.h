/* This file parses expressions for tests so that nothing of the text is left behind. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_PARSE_COPY_H
#define TESTS_UNIT_PARSE_COPY_H

#include "triggers/expr/parser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Parses a copy of exactly the text's size that is gone before the tree is looked at. */
static struct ast *parse_copy(struct span text, const struct parser_options *options,
                              struct arena *arena, struct fault *fault)
{
	char *exact = malloc(text.len ? text.len : 1);
	assert_non_null(exact);
	memcpy(exact, text.len ? text.ptr : "", text.len);
	struct ast *ast = NULL;
	int status = parser_parse(span_make(exact, text.len), options, arena, &ast, fault);
	memset(exact, '#', text.len);
	free(exact);
	assert_int_equal(status, ast ? 0 : E_INVALID);
	return ast;
}

#endif
