/* This file reads the text of a CEL expression into a tree. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/parser.h"

#include "base/json.h"
#include "base/utf8_char.h"
#include "triggers/expr/builder.h"
#include "triggers/expr/lexer.h"
#include "triggers/expr/literal.h"
#include "triggers/expr/macro.h"
#include "triggers/expr/slip.h"

/*
 * DESIGN. Every function that returns a tree returns NULL when the fault is set. What recurses goes
 * through parse_expr, which counts; what loops (a + b + c, a.b.c) makes the tree higher, which the
 * builder checks. A chain of && or || becomes a tree of little height, halved at each level.
 */
struct parser {
	struct lexer lexer;
	struct builder builder;
	struct token token;    /* the next one */
	struct token previous; /* the one that was taken last */
	const struct parser_options *options;
	struct arena *arena;
	struct fault *fault;
	uint32_t depth;
	uint32_t loops;
};

/* Precedences: what binds less comes first. */
enum { BINDS_OR = 1, BINDS_AND, BINDS_RELATION, BINDS_ADDITION, BINDS_PRODUCT };

static const struct {
	struct span name;
	int binds; /* 0: no operator between two operands */
} OPERATORS[TOKEN_KINDS] = {
        [TOKEN_OR] = {SPAN("_||_"), BINDS_OR},
        [TOKEN_AND] = {SPAN("_&&_"), BINDS_AND},
        [TOKEN_EQUAL] = {SPAN("_==_"), BINDS_RELATION},
        [TOKEN_NOT_EQUAL] = {SPAN("_!=_"), BINDS_RELATION},
        [TOKEN_LESS] = {SPAN("_<_"), BINDS_RELATION},
        [TOKEN_LESS_EQUAL] = {SPAN("_<=_"), BINDS_RELATION},
        [TOKEN_GREATER] = {SPAN("_>_"), BINDS_RELATION},
        [TOKEN_GREATER_EQUAL] = {SPAN("_>=_"), BINDS_RELATION},
        [TOKEN_IN] = {SPAN("@in"), BINDS_RELATION},
        [TOKEN_PLUS] = {SPAN("_+_"), BINDS_ADDITION},
        [TOKEN_MINUS] = {SPAN("_-_"), BINDS_ADDITION},
        [TOKEN_STAR] = {SPAN("_*_"), BINDS_PRODUCT},
        [TOKEN_SLASH] = {SPAN("_/_"), BINDS_PRODUCT},
        [TOKEN_PERCENT] = {SPAN("_%_"), BINDS_PRODUCT},
};

static struct ast *parse_expr(struct parser *parser);

/* ---- tokens ---- */

static bool advance(struct parser *parser)
{
	parser->previous = parser->token;
	return lexer_next(&parser->lexer, &parser->token) == 0;
}

static bool is_next(const struct parser *parser, enum token_kind kind)
{
	return parser->token.kind == kind;
}

/* The token that is not what belongs there; before the sentence come the slips that are known. */
static bool refuse_next(struct parser *parser, const struct token *open, const char *wanted)
{
	slip_explain(parser->lexer.source, &parser->previous, &parser->token, open, wanted,
	             parser->fault);
	return false;
}

static bool refuse_operand(struct parser *parser)
{
	slip_explain_operand(parser->lexer.source, &parser->previous, &parser->token,
	                     parser->fault);
	return false;
}

/* Takes the token, or refuses what stands there. `open`: the bracket that it closes. */
static bool expect(struct parser *parser, enum token_kind kind, const struct token *open,
                   const char *wanted)
{
	return is_next(parser, kind) ? advance(parser) : refuse_next(parser, open, wanted);
}

/* ---- brackets ---- */

/* Takes `?` where it may stand. */
static bool take_question(struct parser *parser, bool *out)
{
	*out = is_next(parser, TOKEN_QUESTION);
	return !*out || advance(parser);
}

/* One item: `x`, `?x`, and `k: v`, `?k: v` in a map. */
static bool push_item(struct parser *parser, bool may_be_optional, bool pairs)
{
	bool optional = false;
	uint32_t at = parser->token.from;
	if (may_be_optional && !take_question(parser, &optional)) {
		return false;
	}
	struct ast *item = parse_expr(parser);
	if (item == NULL) {
		return false;
	}
	builder_push(&parser->builder, item, at, optional);
	if (!pairs) {
		return true;
	}
	if (!expect(parser, TOKEN_COLON, NULL, "':' and the value of this key")) {
		return false;
	}
	struct ast *value = parse_expr(parser);
	if (value != NULL) {
		builder_push(&parser->builder, value, at, false);
	}
	return value != NULL;
}

/* The items up to and with the closing bracket, pushed. `open` is taken already. */
static bool push_items(struct parser *parser, const struct token *open, enum token_kind close,
                       const char *wanted)
{
	bool is_call = close == TOKEN_ROUND_CLOSE;
	while (!is_next(parser, close)) {
		if (!push_item(parser, !is_call, close == TOKEN_CURLY_CLOSE)) {
			return false;
		}
		if (!is_next(parser, TOKEN_COMMA)) {
			break;
		}
		if (!advance(parser)) {
			return false;
		}
		if (is_call && is_next(parser, close)) {
			return refuse_operand(parser);
		}
	}
	return expect(parser, close, open, wanted);
}

static struct ast *parse_container(struct parser *parser)
{
	struct token open = parser->token;
	bool is_map = open.kind == TOKEN_CURLY_OPEN;
	size_t base = parser->builder.count;
	if (!advance(parser) ||
	    !push_items(parser, &open, is_map ? TOKEN_CURLY_CLOSE : TOKEN_SQUARE_CLOSE,
	                is_map ? "',' or '}'" : "',' or ']'")) {
		return NULL;
	}
	struct ast node = {.kind = is_map ? AST_MAP : AST_LIST,
	                   .at = open.from,
	                   .from = open.from,
	                   .to = parser->previous.to};
	builder_take(&parser->builder, base, is_map ? 2 : 1, &node);
	return builder_add(&parser->builder, node);
}

static struct ast *parse_round(struct parser *parser)
{
	struct token open = parser->token;
	if (!advance(parser)) {
		return NULL;
	}
	struct ast *inner = parse_expr(parser);
	if (inner == NULL || !expect(parser, TOKEN_ROUND_CLOSE, &open, "')'")) {
		return NULL;
	}
	inner->from = open.from;
	inner->to = parser->previous.to;
	return inner;
}

/* ---- calls ---- */

/* The functions that live under a name. */
static bool is_namespace(const struct ast *target)
{
	static const struct span NAMES[] = {SPAN("math"), SPAN("optional"), SPAN("base64"),
	                                    SPAN("strings"), SPAN("cel")};
	if (target->kind != AST_IDENT || target->absolute) {
		return false;
	}
	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
		if (span_equal(NAMES[i], target->name)) {
			return true;
		}
	}
	return false;
}

static struct span join_names(struct parser *parser, struct span space, struct span name)
{
	char *joined = arena_take(parser->arena, space.len + 1 + name.len);
	memcpy(joined, space.ptr, space.len);
	joined[space.len] = '.';
	memcpy(joined + space.len + 1, name.ptr, name.len);
	return span_make(joined, space.len + 1 + name.len);
}

/* A call whose name is known: its arguments, then what a macro makes of it. */
static struct ast *parse_call(struct parser *parser, struct ast call, size_t base)
{
	struct token open = parser->token;
	bool has_macros = !parser->options->no_macros && !call.absolute;
	bool is_loop = has_macros && call.method && macro_is_loop(call.name);
	parser->loops += is_loop;
	if (parser->loops > PARSER_LOOPS_MAX) {
		(void)fault_set(parser->fault, parser->lexer.source, call.at, NULL,
		                "too many loops inside each other: at most %d", PARSER_LOOPS_MAX);
		return NULL;
	}
	if (!advance(parser) || !push_items(parser, &open, TOKEN_ROUND_CLOSE, "',' or ')'")) {
		return NULL;
	}
	parser->loops -= is_loop;
	call.to = parser->previous.to;
	builder_take(&parser->builder, base, 1, &call);
	struct ast *node = builder_add(&parser->builder, call);
	if (node == NULL || !has_macros) {
		return node;
	}
	struct ast *expanded = macro_expand(parser->arena, parser->lexer.source,
	                                    parser->options->macros, node, parser->fault);
	bool is_high = expanded != NULL && expanded->height > PARSER_DEPTH_MAX;
	return is_high ? builder_refuse_depth(&parser->builder, call.at) : expanded;
}

static struct ast *parse_method(struct parser *parser, struct ast *target, const struct token *name)
{
	struct ast call = {
	        .kind = AST_CALL, .at = name->from, .from = target->from, .name = name->text};
	size_t base = parser->builder.count;
	if (is_namespace(target)) {
		call.name = join_names(parser, target->name, name->text);
		call.at = target->at;
	} else {
		call.method = true;
		builder_push(&parser->builder, target, target->from, false);
	}
	return parse_call(parser, call, base);
}

/* ---- names, literals ---- */

/* At a name; `from` is where the point before it stands, or it. */
static struct ast *parse_name(struct parser *parser, uint32_t from, bool absolute)
{
	struct token name = parser->token;
	if (!advance(parser)) {
		return NULL;
	}
	struct ast node = {.kind = AST_IDENT,
	                   .at = name.from,
	                   .from = from,
	                   .to = name.to,
	                   .name = name.text,
	                   .absolute = absolute};
	bool is_call = is_next(parser, TOKEN_ROUND_OPEN);
	const char *hint = slip_foreign_word(name.text, is_call);
	if (hint != NULL) {
		(void)fault_set(parser->fault, parser->lexer.source, name.from, hint,
		                "there is no '%.*s' in an expression", SPAN_ARG(name.text));
		return NULL;
	}
	if (is_call) {
		node.kind = AST_CALL;
		return parse_call(parser, node, parser->builder.count);
	}
	return builder_add(&parser->builder, node);
}

static struct ast *parse_absolute(struct parser *parser)
{
	uint32_t from = parser->token.from;
	if (!advance(parser)) {
		return NULL;
	}
	if (!is_next(parser, TOKEN_NAME)) {
		(void)refuse_next(parser, NULL, "the name of a field");
		return NULL;
	}
	return parse_name(parser, from, true);
}

/* Applies the minus sign before it, which makes one integer more than there are positive ones. */
static struct ast *parse_number(struct parser *parser, const struct token *minus)
{
	struct token token = parser->token;
	struct value *number = &token.constant;
	if (number->tag == VALUE_INT && minus == NULL && number->as.u > INT64_MAX) {
		(void)literal_too_large(parser->lexer.source, token.from, parser->fault);
		return NULL;
	}
	if (minus != NULL) {
		token.from = minus->from;
		if (number->tag == VALUE_DOUBLE) {
			number->as.d = -number->as.d;
		} else {
			number->as.u = 0 - number->as.u;
		}
	}
	struct ast *node = builder_leaf(&parser->builder, AST_CONST, &token);
	return node != NULL && advance(parser) ? node : NULL;
}

static struct ast *parse_constant(struct parser *parser)
{
	struct token token = parser->token;
	if (token.kind == TOKEN_TRUE || token.kind == TOKEN_FALSE) {
		token.constant = value_bool(token.kind == TOKEN_TRUE);
	} else if (token.kind == TOKEN_NULL) {
		token.constant = value_null();
	}
	struct ast *node = builder_leaf(&parser->builder, AST_CONST, &token);
	return node != NULL && advance(parser) ? node : NULL;
}

static struct ast *parse_primary(struct parser *parser, const struct token *minus)
{
	switch (parser->token.kind) {
	case TOKEN_NAME:
		return parse_name(parser, parser->token.from, false);
	case TOKEN_POINT:
		return parse_absolute(parser);
	case TOKEN_NUMBER:
		return parse_number(parser, minus);
	case TOKEN_CONSTANT:
	case TOKEN_TRUE:
	case TOKEN_FALSE:
	case TOKEN_NULL:
		return parse_constant(parser);
	case TOKEN_ROUND_OPEN:
		return parse_round(parser);
	case TOKEN_SQUARE_OPEN:
	case TOKEN_CURLY_OPEN:
		return parse_container(parser);
	default:
		(void)refuse_operand(parser);
		return NULL;
	}
}

/* ---- members ---- */

static struct ast *parse_select(struct parser *parser, struct ast *from)
{
	bool optional = false;
	if (!advance(parser) || !take_question(parser, &optional)) {
		return NULL;
	}
	struct token name = parser->token;
	if (name.kind != TOKEN_NAME && name.kind != TOKEN_RESERVED && name.kind != TOKEN_FIELD) {
		(void)refuse_next(parser, NULL, "the name of a field");
		return NULL;
	}
	if (!advance(parser)) {
		return NULL;
	}
	if (is_next(parser, TOKEN_ROUND_OPEN) && name.kind != TOKEN_FIELD && !optional) {
		return parse_method(parser, from, &name);
	}
	return builder_add(&parser->builder,
	                   (struct ast){.kind = AST_SELECT,
	                                .at = name.from,
	                                .from = from->from,
	                                .to = name.to,
	                                .name = name.text,
	                                .args = builder_one(&parser->builder, from),
	                                .arg_count = 1,
	                                .optional = optional});
}

static struct ast *parse_index(struct parser *parser, struct ast *from)
{
	struct token open = parser->token;
	bool optional = false;
	if (!advance(parser) || !take_question(parser, &optional)) {
		return NULL;
	}
	struct ast *key = parse_expr(parser);
	if (key == NULL || !expect(parser, TOKEN_SQUARE_CLOSE, &open, "']'")) {
		return NULL;
	}
	struct ast *node = builder_binary(&parser->builder, optional ? SPAN("_[?_]") : SPAN("_[_]"),
	                                  open.from, from, key);
	if (node != NULL) {
		node->to = parser->previous.to;
	}
	return node;
}

static struct ast *parse_member(struct parser *parser, const struct token *minus)
{
	struct ast *node = parse_primary(parser, minus);
	while (node != NULL) {
		if (is_next(parser, TOKEN_POINT)) {
			node = parse_select(parser, node);
		} else if (is_next(parser, TOKEN_SQUARE_OPEN)) {
			node = parse_index(parser, node);
		} else {
			return node;
		}
	}
	return NULL;
}

/* ---- operators ---- */

/* Signs before an operand wait, and are applied from the inside out. A minus that stands before a
 * number is part of it. */
static struct ast *parse_unary(struct parser *parser)
{
	size_t base = parser->builder.count;
	bool is_minus = false;
	while (is_next(parser, TOKEN_NOT) || is_next(parser, TOKEN_MINUS)) {
		is_minus = is_next(parser, TOKEN_MINUS);
		builder_push(&parser->builder, NULL, parser->token.from, is_minus);
		if (!advance(parser)) {
			return NULL;
		}
	}
	struct token minus = parser->previous;
	bool folds = is_minus && is_next(parser, TOKEN_NUMBER) &&
	             parser->token.constant.tag != VALUE_UINT;
	parser->builder.count -= folds;
	struct ast *node = parse_member(parser, folds ? &minus : NULL);
	while (node != NULL && parser->builder.count > base) {
		struct waiting sign = parser->builder.waiting[--parser->builder.count];
		node = builder_add(&parser->builder,
		                   (struct ast){.kind = AST_CALL,
		                                .at = sign.at,
		                                .from = sign.at,
		                                .to = node->to,
		                                .name = sign.optional ? SPAN("-_") : SPAN("!_"),
		                                .args = builder_one(&parser->builder, node),
		                                .arg_count = 1});
	}
	return node;
}

static struct ast *parse_operators(struct parser *parser, int binds);

/* All the operands of one && or ||. */
static struct ast *parse_chain(struct parser *parser, struct ast *first)
{
	enum token_kind kind = parser->token.kind;
	size_t base = parser->builder.count;
	builder_push(&parser->builder, first, 0, false);
	while (is_next(parser, kind)) {
		uint32_t at = parser->token.from;
		struct ast *operand =
		        advance(parser) ? parse_operators(parser, OPERATORS[kind].binds + 1) : NULL;
		if (operand == NULL) {
			return NULL;
		}
		builder_push(&parser->builder, operand, at, false);
	}
	return builder_balance(&parser->builder, OPERATORS[kind].name, base);
}

/* Operators that bind at least so much. */
static struct ast *parse_operators(struct parser *parser, int binds)
{
	struct ast *left = parse_unary(parser);
	while (left != NULL) {
		enum token_kind kind = parser->token.kind;
		if (OPERATORS[kind].binds == 0 || OPERATORS[kind].binds < binds) {
			return left;
		}
		if (OPERATORS[kind].binds <= BINDS_AND) {
			left = parse_chain(parser, left);
			continue;
		}
		uint32_t at = parser->token.from;
		struct ast *right =
		        advance(parser) ? parse_operators(parser, OPERATORS[kind].binds + 1) : NULL;
		left = right ? builder_binary(&parser->builder, OPERATORS[kind].name, at, left,
		                              right)
		             : NULL;
	}
	return NULL;
}

/* `condition` stands, the question mark is next. */
static struct ast *parse_choice(struct parser *parser, struct ast *condition)
{
	struct token question = parser->token;
	struct ast *yes = advance(parser) ? parse_operators(parser, BINDS_OR) : NULL;
	if (yes == NULL || !expect(parser, TOKEN_COLON, &question, "':'")) {
		return NULL;
	}
	struct ast *no = parse_expr(parser);
	if (no == NULL) {
		return NULL;
	}
	struct ast node = {.kind = AST_CALL,
	                   .at = question.from,
	                   .from = condition->from,
	                   .to = no->to,
	                   .name = SPAN("_?_:_"),
	                   .args = ARENA_ARRAY(parser->arena, struct ast *, 3),
	                   .arg_count = 3};
	node.args[0] = condition;
	node.args[1] = yes;
	node.args[2] = no;
	return builder_add(&parser->builder, node);
}

static struct ast *parse_expr(struct parser *parser)
{
	if (++parser->depth > PARSER_DEPTH_MAX) {
		return builder_refuse_depth(&parser->builder, parser->token.from);
	}
	struct ast *node = parse_operators(parser, BINDS_OR);
	if (node != NULL && is_next(parser, TOKEN_QUESTION)) {
		node = parse_choice(parser, node);
	}
	parser->depth--;
	return node;
}

/* ---- the whole ---- */

static int check_text(struct span source, struct fault *fault)
{
	if (source.len > PARSER_TEXT_MAX) {
		return fault_set(fault, source, 0, NULL,
		                 "the expression has %zu bytes, at most %d are allowed", source.len,
		                 PARSER_TEXT_MAX);
	}
	if (json_utf8_valid(source)) {
		return 0;
	}
	const char *end = source.ptr + source.len;
	const char *at = source.ptr;
	for (size_t len; (len = utf8_char_len(at, end)) != 0;) {
		at += len;
	}
	return fault_set(fault, source, (size_t)(at - source.ptr), NULL,
	                 "the expression is not valid UTF-8 here");
}

static struct ast *parse_whole(struct parser *parser)
{
	if (lexer_next(&parser->lexer, &parser->token) != 0) {
		return NULL;
	}
	if (is_next(parser, TOKEN_END)) {
		(void)fault_set(parser->fault, parser->lexer.source, 0, NULL,
		                "the expression is empty");
		return NULL;
	}
	struct ast *node = parse_expr(parser);
	if (node != NULL && !is_next(parser, TOKEN_END)) {
		(void)refuse_next(parser, NULL, "an operator or the end");
		return NULL;
	}
	return node;
}

int parser_parse(struct span source, const struct parser_options *options, struct arena *arena,
                 struct ast **out, struct fault *fault)
{
	PRE(arena->limit == 0);
	fault->text[0] = '\0';
	int status = check_text(source, fault);
	if (status != 0) {
		return status;
	}
	struct parser parser;
	parser.lexer =
	        (struct lexer){.source = arena_copy(arena, source), .arena = arena, .fault = fault};
	parser.lexer.at = parser.lexer.source.ptr;
	builder_init(&parser.builder, parser.lexer.source, arena, fault);
	parser.builder.height_max = PARSER_DEPTH_MAX;
	parser.builder.nodes_max = PARSER_NODES_MAX;
	parser.previous = (struct token){.kind = TOKEN_END};
	parser.options = options;
	parser.arena = arena;
	parser.fault = fault;
	parser.depth = 0;
	parser.loops = 0;
	struct ast *node = parse_whole(&parser);
	builder_close(&parser.builder);
	if (node == NULL) {
		return E_INVALID;
	}
	*out = node;
	return 0;
}
