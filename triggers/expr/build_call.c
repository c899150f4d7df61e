/* This file turns calls and operators into nodes, and calls of constants into constants. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/build_call.h"

#include "triggers/expr/build_test.h"
#include "triggers/expr/check.h"
#include "triggers/expr/eval.h"
#include "triggers/expr/overloads.h"

enum { FOLDED_TEXT_MAX = 1024 };

/* What the makers of nodes get. They return PART_FAULTY, or a part that is a node. */
struct call {
	const struct ast *ast;
	struct span name;
	bool method;
	const struct part *parts;
	size_t count;
	const bool *optionals;
};

typedef struct part make_fn(struct assembly *assembly, const struct call *call);

/* ---- folding ---- */

static bool all_constant(const struct part parts[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (parts[i].kind != PART_CONST) {
			return false;
		}
	}
	return true;
}

static bool is_small(struct value value)
{
	switch (value.tag) {
	case VALUE_ERROR:
	case VALUE_UNSET:
	case VALUE_LIST:
	case VALUE_MAP:
	case VALUE_OPTIONAL:
		return false;
	case VALUE_STRING:
	case VALUE_BYTES:
		return value.len <= FOLDED_TEXT_MAX;
	default:
		return true;
	}
}

/* Computes the node away, in memory that does not count. False: it cannot be, or is an error. */
static bool fold(struct assembly *assembly, const struct call *call, make_fn *make, bool literal,
                 struct part *out)
{
	struct block block = assembly->block;
	struct node_regex *regexes = assembly->regexes;
	block_count(&assembly->block, &assembly->scratch);
	struct part part = make(assembly, call);
	struct value value = value_error(ERROR_NONE, NULL);
	if (part.kind == PART_NODE) {
		value = part.node->eval(&assembly->folding, part.node);
	}
	for (; assembly->regexes != regexes; assembly->regexes = assembly->regexes->next) {
		regex_drop(assembly->regexes->regex);
	}
	assembly->block = block;
	*out = part;
	if (part.kind == PART_FAULTY) {
		return true;
	}
	if (!is_small(value) && (!literal || value.tag == VALUE_ERROR)) {
		return false;
	}
	*out = part_const(call->ast, value);
	out->types = part.types;
	return true;
}

static struct part fold_or_make(struct assembly *assembly, const struct call *call, make_fn *make,
                                bool literal)
{
	struct part part;
	if (all_constant(call->parts, call->count) && fold(assembly, call, make, literal, &part)) {
		return part;
	}
	return make(assembly, call);
}

/* ---- operators that are nodes of their own ---- */

static struct part make_not(struct assembly *assembly, const struct call *call)
{
	const struct part *part = &call->parts[0];
	if (!check_takes(assembly, call->ast, SPAN("!"), part, TAKES_BOOL)) {
		return part_faulty();
	}
	/* !(a == b) is a != b. */
	struct node *node = part->kind == PART_NODE ? part->node : NULL;
	bool is_test = node != NULL && (node->kind == NODE_TEST || node->kind == NODE_TEST_OF);
	if (is_test && (node->op == TEST_EQUAL || node->op == TEST_NOT_EQUAL)) {
		node->op = node->op == TEST_EQUAL ? TEST_NOT_EQUAL : TEST_EQUAL;
		return *part;
	}
	node = assembly_list(assembly, call->ast, eval_not, call->parts, 1);
	node->kind = NODE_NOT;
	return part_of_node(node, TAKES_BOOL);
}

static struct part make_choice(struct assembly *assembly, const struct call *call)
{
	if (!check_takes(assembly, call->ast, SPAN("?:"), &call->parts[0], TAKES_BOOL)) {
		return part_faulty();
	}
	struct node *node = assembly_list(assembly, call->ast, eval_choice, call->parts, 3);
	return part_of_node(node, call->parts[1].types | call->parts[2].types);
}

static struct part make_equal(struct assembly *assembly, const struct call *call)
{
	enum node_test_op op = span_is(call->name, "_==_") ? TEST_EQUAL : TEST_NOT_EQUAL;
	const struct part *a = &call->parts[0];
	const struct part *b = &call->parts[1];
	struct node *node = NULL;
	if (b->kind == PART_CONST) {
		node = build_test(assembly, call->ast, op, a, b->constant);
	} else if (a->kind == PART_CONST) {
		node = build_test(assembly, call->ast, op, b, a->constant);
	} else {
		node = assembly_list(assembly, call->ast, eval_equal, call->parts, 2);
		node->op = (uint8_t)op;
	}
	return part_of_node(node, TAKES_BOOL);
}

static const struct {
	const char *name;
	enum node_test_op op;
	enum node_test_op flipped; /* a < b is b > a */
} orders[] = {
        {"_<_", TEST_LESS, TEST_GREATER},
        {"_<=_", TEST_LESS_EQUAL, TEST_GREATER_EQUAL},
        {"_>_", TEST_GREATER, TEST_LESS},
        {"_>=_", TEST_GREATER_EQUAL, TEST_LESS_EQUAL},
};

/* Could any row of the tables take these parts? */
static bool check_known(struct assembly *assembly, const struct call *call)
{
	const struct overload *rows[OVERLOADS_MAX];
	size_t count = overloads_find(call->name, call->method, call->count, rows);
	if (assembly->env->unchecked || check_rows(rows, count, call->parts, call->count) != 0) {
		return true;
	}
	check_types(assembly, call->ast, call->name, call->parts, call->count);
	return false;
}

static struct part make_order(struct assembly *assembly, const struct call *call)
{
	size_t i = 0;
	while (!span_is(call->name, orders[i].name)) {
		i++;
	}
	if (!check_known(assembly, call)) {
		return part_faulty();
	}
	const struct part *a = &call->parts[0];
	const struct part *b = &call->parts[1];
	struct node *node = NULL;
	if (b->kind == PART_CONST) {
		node = build_test(assembly, call->ast, orders[i].op, a, b->constant);
	} else if (a->kind == PART_CONST) {
		node = build_test(assembly, call->ast, orders[i].flipped, b, a->constant);
	} else {
		node = assembly_list(assembly, call->ast, eval_order, call->parts, 2);
		node->op = (uint8_t)orders[i].op;
	}
	return part_of_node(node, TAKES_BOOL);
}

static struct part make_index(struct assembly *assembly, const struct call *call)
{
	bool maybe = span_is(call->name, "_[?_]");
	const struct part *from = &call->parts[0];
	const struct part *key = &call->parts[1];
	uint32_t types = TAKES_LIST | TAKES_MAP | TAKES_OPTIONAL | (maybe ? TAKES_NULL : 0);
	if (!check_takes(assembly, call->ast, SPAN("[]"), from, types) ||
	    !check_takes(assembly, call->ast, SPAN("[]"), key,
	                 TAKES_NUMBER | TAKES_BOOL | TAKES_STRING)) {
		return part_faulty();
	}
	if (from->kind == PART_SLOT && key->kind == PART_CONST &&
	    key->constant.tag == VALUE_STRING) {
		struct part child =
		        part_child(assembly, from, call->ast, value_text(key->constant));
		if (!maybe) {
			return child;
		}
		struct node *node = part_node(assembly, &child);
		node->eval = eval_slot_maybe;
		node->kind = NODE_OTHER;
		return part_of_node(node, TAKES_OPTIONAL);
	}
	struct node *node = assembly_list(assembly, call->ast,
	                                  maybe ? eval_index_maybe : eval_index, call->parts, 2);
	return part_of_node(node, maybe ? TAKES_OPTIONAL : TAKES_ANY);
}

/* ---- what macros make ---- */

static struct part make_is_true(struct assembly *assembly, const struct call *call)
{
	return part_of_node(assembly_list(assembly, call->ast, eval_is_true, call->parts, 1),
	                    TAKES_BOOL);
}

static struct part make_differ(struct assembly *assembly, const struct call *call)
{
	return part_of_node(assembly_list(assembly, call->ast, eval_differ, call->parts, 2),
	                    TAKES_BOOL);
}

/* ---- functions ---- */

static struct part make_call(struct assembly *assembly, const struct call *call)
{
	const struct overload *rows[OVERLOADS_MAX];
	size_t count = overloads_find(call->name, call->method, call->count, rows);
	if (count == 0) {
		if (assembly->env->unchecked) {
			return assembly_error(assembly, call->ast,
			                      overloads_know(call->name) ? ERROR_NO_SUCH_OVERLOAD
			                                                 : ERROR_UNKNOWN_FUNCTION,
			                      call->name);
		}
		check_unknown_function(assembly, call->ast, call->name, call->method, call->count);
		return part_faulty();
	}
	if (!assembly->env->unchecked) {
		count = check_rows(rows, count, call->parts, call->count);
	}
	if (count == 0) {
		check_types(assembly, call->ast, call->name, call->parts, call->count);
		return part_faulty();
	}
	size_t size = sizeof(struct node_call) + call->count * sizeof(struct node *);
	struct node_call *node = (void *)assembly_node(assembly, call->ast, size, eval_call);
	const struct overload **kept = block_take(&assembly->block, count * sizeof(void *));
	uint32_t types = 0;
	for (size_t i = 0; i < count; i++) {
		kept[i] = rows[i];
		types |= rows[i]->gives;
	}
	node->rows = kept;
	node->row_count = (uint32_t)count;
	node->count = (uint32_t)call->count;
	node->name = rows[0]->name;
	for (size_t i = 0; i < call->count; i++) {
		node->args[i] = part_node(assembly, &call->parts[i]);
	}
	return part_of_node(&node->node, types != 0 ? types : TAKES_ANY);
}

static struct part make_text(struct assembly *assembly, const struct call *call)
{
	if (call->parts[1].kind != PART_CONST || call->parts[1].constant.tag != VALUE_STRING) {
		return make_call(assembly, call);
	}
	if (!check_known(assembly, call)) {
		return part_faulty();
	}
	enum node_test_op op = span_is(call->name, "startsWith") ? TEST_PREFIX
	                       : span_is(call->name, "endsWith") ? TEST_SUFFIX
	                                                         : TEST_CONTAINS;
	return part_of_node(
	        build_test(assembly, call->ast, op, &call->parts[0], call->parts[1].constant),
	        TAKES_BOOL);
}

static struct part make_matches(struct assembly *assembly, const struct call *call)
{
	for (size_t i = 0; i < call->count; i++) {
		bool takes = call->parts[i].kind != PART_CONST ||
		             call->parts[i].constant.tag == VALUE_STRING;
		if (!check_takes(assembly, call->ast, call->name, &call->parts[i], TAKES_STRING)) {
			return part_faulty();
		}
		if (!takes) {
			return assembly_error(assembly, call->ast, ERROR_NO_SUCH_OVERLOAD,
			                      call->name);
		}
	}
	struct node *node =
	        build_test_matches(assembly, call->ast, &call->parts[0], &call->parts[1]);
	return node != NULL ? part_of_node(node, TAKES_BOOL) : part_faulty();
}

static struct part make_in(struct assembly *assembly, const struct call *call)
{
	if (call->parts[1].kind != PART_CONST || call->parts[1].constant.tag != VALUE_LIST) {
		return make_call(assembly, call);
	}
	return part_of_node(
	        build_test(assembly, call->ast, TEST_IN, &call->parts[0], call->parts[1].constant),
	        TAKES_BOOL);
}

/* ---- the door ---- */

/* Calls that have nodes of their own. */
static const struct {
	const char *name;
	bool method;
	size_t count;
	make_fn *make;
} special[] = {
        {"!_", false, 1, make_not},           {"_==_", false, 2, make_equal},
        {"_!=_", false, 2, make_equal},       {"_<_", false, 2, make_order},
        {"_<=_", false, 2, make_order},       {"_>_", false, 2, make_order},
        {"_>=_", false, 2, make_order},       {"@in", false, 2, make_in},
        {"_[_]", false, 2, make_index},       {"_[?_]", false, 2, make_index},
        {"_?_:_", false, 3, make_choice},     {"startsWith", true, 2, make_text},
        {"endsWith", true, 2, make_text},     {"contains", true, 2, make_text},
        {"matches", true, 2, make_matches},   {"matches", false, 2, make_matches},
        {"@is_true", false, 1, make_is_true}, {"@differ", false, 2, make_differ},
};

struct part build_call(struct assembly *assembly, const struct ast *ast, struct span name,
                       bool method, const struct part parts[], size_t count)
{
	struct call call = {ast, name, method, parts, count, NULL};
	make_fn *make = make_call;
	for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) {
		if (special[i].count == count && special[i].method == method &&
		    span_is(name, special[i].name)) {
			make = special[i].make;
			break;
		}
	}
	if (make == make_choice && parts[0].kind == PART_CONST &&
	    parts[0].constant.tag == VALUE_BOOL) {
		return parts[parts[0].constant.as.b ? 1 : 2];
	}
	return fold_or_make(assembly, &call, make, false);
}

/* ---- literals ---- */

static struct part make_list(struct assembly *assembly, const struct call *call)
{
	bool is_map = call->name.len != 0;
	struct node *node = assembly_list(assembly, call->ast, is_map ? eval_map : eval_list,
	                                  call->parts, call->count);
	if (call->optionals != NULL) {
		size_t count = is_map ? call->count / 2 : call->count;
		bool *optionals = block_take(&assembly->block, count * sizeof *optionals);
		memcpy(optionals, call->optionals, count * sizeof *optionals);
		((struct node_list *)(void *)node)->optionals = optionals;
	}
	return part_of_node(node, is_map ? TAKES_MAP : TAKES_LIST);
}

struct part build_list(struct assembly *assembly, const struct ast *ast, const struct part parts[],
                       size_t count, const bool *optionals)
{
	struct call call = {ast, SPAN(""), false, parts, count, optionals};
	return fold_or_make(assembly, &call, make_list, true);
}

struct part build_map(struct assembly *assembly, const struct ast *ast, const struct part parts[],
                      size_t count, const bool *optionals)
{
	struct call call = {ast, SPAN("{}"), false, parts, count, optionals};
	return fold_or_make(assembly, &call, make_list, true);
}

/* ---- && and || ---- */

struct part build_logic(struct assembly *assembly, const struct ast *ast, bool is_and,
                        const struct part parts[], size_t count)
{
	struct part *kept = ARENA_ARRAY(&assembly->scratch, struct part, count);
	size_t kept_count = 0;
	bool decided = false;
	for (size_t i = 0; i < count; i++) {
		if (!check_takes(assembly, ast, is_and ? SPAN("&&") : SPAN("||"), &parts[i],
		                 TAKES_BOOL)) {
			return part_faulty();
		}
		if (parts[i].kind != PART_CONST || parts[i].constant.tag != VALUE_BOOL) {
			kept[kept_count++] = parts[i];
		} else if (parts[i].constant.as.b != is_and) {
			decided = true;
		}
	}
	if (decided || kept_count == 0) {
		return part_const(ast, value_bool(decided ? !is_and : is_and));
	}
	if (kept_count == 1 && kept[0].types == TAKES_BOOL) {
		return kept[0];
	}
	struct node *node =
	        assembly_list(assembly, ast, is_and ? eval_and : eval_or, kept, kept_count);
	node->kind = is_and ? NODE_AND : NODE_OR;
	return part_of_node(node, TAKES_BOOL);
}

/* ---- fields ---- */

static struct part make_select(struct assembly *assembly, const struct call *call)
{
	const struct ast *ast = call->ast;
	node_fn *eval = ast->test ? eval_has : eval_select;
	struct node_select *select =
	        (void *)assembly_node(assembly, ast, sizeof(struct node_select), eval);
	select->node.kind = ast->test || ast->optional ? NODE_OTHER : NODE_SELECT;
	select->node.op = ast->optional;
	select->name = block_text(&assembly->block, ast->name);
	select->operand = part_node(assembly, &call->parts[0]);
	return part_of_node(&select->node, ast->test ? TAKES_BOOL : TAKES_ANY);
}

struct part build_select(struct assembly *assembly, const struct ast *ast, const struct part *from)
{
	uint32_t types = TAKES_MAP | TAKES_OPTIONAL;
	types |= ast->test || ast->optional ? TAKES_NULL : 0;
	if (!check_fields(assembly, ast, from, types)) {
		return part_faulty();
	}
	if (from->kind != PART_SLOT) {
		struct call call = {ast, ast->name, false, from, 1, NULL};
		return fold_or_make(assembly, &call, make_select, false);
	}
	struct part child = part_child(assembly, from, ast, ast->name);
	if (ast->test) {
		return part_of_node(build_test_has(assembly, ast, child.slot), TAKES_BOOL);
	}
	if (ast->optional) {
		struct node *node = part_node(assembly, &child);
		node->eval = eval_slot_maybe;
		node->kind = NODE_OTHER;
		return part_of_node(node, TAKES_OPTIONAL);
	}
	return child;
}
