/* This file feeds any text to the parser of expressions, and walks what it makes of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/json.h"
#include "triggers/expr/parser.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The tree is whole: it is no higher than it says, and every text of it can be read. */
static size_t walk(const struct ast *ast, size_t text_len, uint32_t height)
{
	PRE(ast->height <= height);
	PRE(ast->from < ast->to && ast->to <= text_len);
	PRE(ast->at >= ast->from && ast->at < ast->to);
	PRE(json_utf8_valid(ast->name) && json_utf8_valid(ast->var) && json_utf8_valid(ast->var2));
	PRE(ast->constant.tag != VALUE_STRING || json_utf8_valid(value_text(ast->constant)));
	size_t count = 1;
	for (size_t i = 0; i < ast->arg_count; i++) {
		bool is_absent = ast->kind == AST_LOOP && i == 1 && ast->args[i] == NULL;
		count += is_absent ? 0 : walk(ast->args[i], text_len, ast->height - 1);
	}
	return count;
}

static void check_fault(const struct fault *fault, struct span source)
{
	struct buf shown = {0};
	struct err err = {0};
	PRE(fault->text[0] != '\0' && fault->at <= source.len && fault->line > 0 &&
	    fault->column > 0);
	fault_print(fault, source, &shown);
	PRE(shown.len < 1024);
	PRE(fault_err(fault, &err) == E_INVALID);
	buf_free(&shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span source = {(const char *)data, size};
	for (int i = 0; i < 2; i++) {
		struct parser_options options = {.no_macros = i == 1};
		struct arena arena = {0};
		struct fault fault = {0};
		struct ast *ast = NULL;
		int status = parser_parse(source, &options, &arena, &ast, &fault);
		PRE((status == 0) == (ast != NULL));
		if (status == 0) {
			PRE(walk(ast, size, PARSER_DEPTH_MAX) <= PARSER_NODES_MAX);
		} else {
			check_fault(&fault, source);
		}
		PRE(arena.used <= 8 << 20);
		arena_close(&arena);
	}
	return 0;
}
