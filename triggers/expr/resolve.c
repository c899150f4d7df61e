/* This file walks the tree of an expression and gives every name its meaning. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/resolve.h"

#include "triggers/expr/build_call.h"
#include "triggers/expr/check.h"
#include "triggers/expr/eval.h"
#include "triggers/expr/overloads.h"

/* ---- names ---- */

static const struct assembly_local *find_local(const struct assembly *assembly, struct span name,
                                               uint32_t *out_depth)
{
	for (uint32_t i = assembly->local_count; i > 0; i--) {
		if (span_equal(assembly->locals[i - 1].name, name)) {
			*out_depth = i - 1;
			return &assembly->locals[i - 1];
		}
	}
	return NULL;
}

static bool starts_with_local(const struct assembly *assembly, const struct ast *start)
{
	uint32_t depth = 0;
	return !start->absolute && find_local(assembly, start->name, &depth) != NULL;
}

static bool find_variable(const struct assembly *assembly, const struct ast *ast, struct part *out)
{
	const struct expr_env *env = assembly->env;
	for (size_t i = 0; i < env->variable_count; i++) {
		if (ast_chain_is(ast, env->variables[i].name)) {
			uint32_t types = env->variables[i].takes;
			*out = (struct part){
			        .kind = PART_SLOT,
			        .types = types != 0 ? types : TAKES_ANY,
			        .at = ast->at,
			        .slot = env->variables[i].slot,
			};
			return true;
		}
	}
	return false;
}

static bool find_type(const struct ast *ast, struct part *out)
{
	static const char *const names[] = {
	        "int",
	        "uint",
	        "double",
	        "bool",
	        "string",
	        "bytes",
	        "list",
	        "map",
	        "null_type",
	        "type",
	        "optional_type",
	        "google.protobuf.Timestamp",
	        "google.protobuf.Duration",
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct span name = span_of(names[i]);
		if (ast_chain_is(ast, name)) {
			struct value type = {.tag = VALUE_TYPE, .len = (uint32_t)name.len};
			type.as.text = name.ptr;
			*out = part_const(ast, type);
			return true;
		}
	}
	return false;
}

static struct part resolve_ident(struct assembly *assembly, const struct ast *ast)
{
	uint32_t depth = 0;
	const struct assembly_local *local =
	        ast->absolute ? NULL : find_local(assembly, ast->name, &depth);
	if (local != NULL) {
		struct node *node = assembly_node(assembly, ast, sizeof *node, eval_local);
		node->kind = NODE_LOCAL;
		node->slot = depth;
		return part_of_node(node, local->types);
	}
	struct part part = part_faulty();
	if (find_variable(assembly, ast, &part) || find_type(ast, &part)) {
		return part;
	}
	if (assembly->env->unchecked) {
		return assembly_error(assembly, ast, ERROR_UNKNOWN_NAME, ast->name);
	}
	check_unknown_variable(assembly, ast);
	return part_faulty();
}

static struct part resolve_select(struct assembly *assembly, const struct ast *ast)
{
	const struct ast *start = ast_chain_start(ast);
	struct part part = part_faulty();
	if (start != NULL && !starts_with_local(assembly, start) &&
	    (find_variable(assembly, ast, &part) || find_type(ast, &part))) {
		return part;
	}
	part = resolve(assembly, ast->args[0]);
	return part.kind == PART_FAULTY ? part : build_select(assembly, ast, &part);
}

/* ---- calls ---- */

/* "math.greatest": a chain of names with a function behind is a function of that name. */
static struct span qualified(struct assembly *assembly, const struct ast *call)
{
	const struct ast *start = call->method ? ast_chain_start(call->args[0]) : NULL;
	if (start == NULL || starts_with_local(assembly, start)) {
		return SPAN_NONE;
	}
	const struct ast *chain = call->args[0];
	size_t len = call->name.len + 1 + start->name.len;
	for (; chain != start; chain = chain->args[0]) {
		len += chain->name.len + 1;
	}
	char *text = arena_take(&assembly->scratch, len);
	size_t at = len;
	struct span last = call->name;
	for (chain = call->args[0];; chain = chain->args[0]) {
		at -= last.len;
		memcpy(text + at, last.ptr, last.len);
		text[--at] = '.';
		last = chain->name;
		if (chain == start) {
			break;
		}
	}
	memcpy(text, last.ptr, last.len);
	struct span joined = span_make(text, len);
	return overloads_know(joined) ? joined : SPAN_NONE;
}

static struct part *resolve_all(struct assembly *assembly, struct ast *const args[], size_t count)
{
	struct part *parts = ARENA_ARRAY(&assembly->scratch, struct part, count);
	for (size_t i = 0; i < count; i++) {
		parts[i] = resolve(assembly, args[i]);
		if (parts[i].kind == PART_FAULTY) {
			return NULL;
		}
	}
	return parts;
}

static bool is_call_of(const struct ast *ast, struct span name)
{
	return ast->kind == AST_CALL && !ast->method && ast->arg_count == 2 &&
	       span_equal(ast->name, name);
}

static size_t count_operands(const struct ast *ast, struct span name)
{
	size_t count = 1;
	for (; is_call_of(ast, name); ast = ast->args[0]) {
		count += is_call_of(ast->args[1], name) ? count_operands(ast->args[1], name) : 1;
	}
	return count;
}

static size_t list_operands(const struct ast *ast, struct span name, struct ast *out[])
{
	if (!is_call_of(ast, name)) {
		out[0] = (struct ast *)(uintptr_t)ast;
		return 1;
	}
	size_t count = list_operands(ast->args[0], name, out);
	return count + list_operands(ast->args[1], name, out + count);
}

/* a && b && c is one node however it was bracketed. */
static struct part resolve_logic(struct assembly *assembly, const struct ast *ast, bool is_and)
{
	size_t most = count_operands(ast, ast->name);
	struct ast **operands = ARENA_ARRAY(&assembly->scratch, struct ast *, most);
	size_t count = list_operands(ast, ast->name, operands);
	struct part *parts = resolve_all(assembly, operands, count);
	return parts != NULL ? build_logic(assembly, ast, is_and, parts, count) : part_faulty();
}

static struct part resolve_call(struct assembly *assembly, const struct ast *ast)
{
	if (is_call_of(ast, SPAN("_&&_")) || is_call_of(ast, SPAN("_||_"))) {
		return resolve_logic(assembly, ast, is_call_of(ast, SPAN("_&&_")));
	}
	struct span name = qualified(assembly, ast);
	bool method = ast->method && name.ptr == NULL;
	size_t skipped = ast->method && !method ? 1 : 0;
	size_t count = ast->arg_count - skipped;
	struct part *parts = resolve_all(assembly, ast->args + skipped, count);
	if (parts == NULL || !check_choices(assembly, ast)) {
		return part_faulty();
	}
	return build_call(assembly, ast, name.ptr != NULL ? name : ast->name, method, parts, count);
}

static struct part resolve_literal(struct assembly *assembly, const struct ast *ast)
{
	struct part *parts = resolve_all(assembly, ast->args, ast->arg_count);
	if (parts == NULL) {
		return part_faulty();
	}
	return ast->kind == AST_MAP
	               ? build_map(assembly, ast, parts, ast->arg_count, ast->optionals)
	               : build_list(assembly, ast, parts, ast->arg_count, ast->optionals);
}

/* ---- loops and binds ---- */

static bool push_local(struct assembly *assembly, const struct ast *ast, struct span name,
                       uint32_t types)
{
	if (assembly->local_count == ACTIVATION_LOCALS_MAX) {
		(void)fault_set(assembly->fault, assembly->source, ast->at, NULL,
		                "more than %d variables of loops and binds inside each other",
		                ACTIVATION_LOCALS_MAX);
		return false;
	}
	assembly->locals[assembly->local_count++] = (struct assembly_local){name, types};
	return true;
}

static node_fn *loop_function(enum ast_loop loop)
{
	switch (loop) {
	case LOOP_ALL:
	case LOOP_EXISTS:
	case LOOP_EXISTS_ONE:
		return eval_loop_bool;
	case LOOP_TRANSFORM_MAP:
	case LOOP_TRANSFORM_MAP_ENTRY:
		return eval_loop_map;
	default:
		return eval_loop_list;
	}
}

static uint32_t loop_types(enum ast_loop loop)
{
	node_fn *function = loop_function(loop);
	return function == eval_loop_bool  ? TAKES_BOOL
	       : function == eval_loop_map ? TAKES_MAP
	                                   : TAKES_LIST;
}

/* What is computed for each item. False: faulty. */
static bool resolve_body(struct assembly *assembly, const struct ast *ast, struct node_loop *node)
{
	bool filters = ast->loop == LOOP_FILTER || loop_function(ast->loop) == eval_loop_bool;
	uint32_t before = assembly->nodes;
	if (ast->args[1] != NULL) {
		struct part filter = resolve(assembly, ast->args[1]);
		if (filter.kind == PART_FAULTY ||
		    !check_takes(assembly, ast, SPAN("filter"), &filter, TAKES_BOOL)) {
			return false;
		}
		node->filter = part_node(assembly, &filter);
	}
	struct part body = resolve(assembly, ast->args[2]);
	if (body.kind == PART_FAULTY ||
	    (filters && !check_takes(assembly, ast, SPAN("loop"), &body, TAKES_BOOL))) {
		return false;
	}
	node->body = part_node(assembly, &body);
	node->cost = assembly->nodes - before + 1;
	return true;
}

static struct part resolve_loop(struct assembly *assembly, const struct ast *ast)
{
	struct part range = resolve(assembly, ast->args[0]);
	if (range.kind == PART_FAULTY ||
	    !check_takes(assembly, ast, SPAN("loop"), &range, TAKES_LIST | TAKES_MAP)) {
		return part_faulty();
	}
	struct node_loop *node = (void *)assembly_node(assembly, ast, sizeof(struct node_loop),
	                                               loop_function(ast->loop));
	uint32_t depth = assembly->local_count;
	node->node.slot = depth;
	node->node.op = (uint8_t)ast->loop;
	node->range = part_node(assembly, &range);
	node->two = ast->var2.ptr != NULL;
	uint32_t key = node->two && range.types == TAKES_LIST ? (uint32_t)TAKES_INT : TAKES_ANY;
	bool well = push_local(assembly, ast, ast->var, key) &&
	            (!node->two || push_local(assembly, ast, ast->var2, TAKES_ANY)) &&
	            resolve_body(assembly, ast, node);
	assembly->local_count = depth;
	return well ? part_of_node(&node->node, loop_types(ast->loop)) : part_faulty();
}

/* cel.bind, optMap, optFlatMap. */
static struct part resolve_bind(struct assembly *assembly, const struct ast *ast)
{
	bool is_bind = ast->kind == AST_BIND;
	struct part value = resolve(assembly, ast->args[0]);
	if (value.kind == PART_FAULTY ||
	    (!is_bind && !check_takes(assembly, ast, SPAN("optMap"), &value, TAKES_OPTIONAL))) {
		return part_faulty();
	}
	struct node_loop *node = (void *)assembly_node(assembly, ast, sizeof(struct node_loop),
	                                               is_bind ? eval_bind : eval_opt_map);
	uint32_t depth = assembly->local_count;
	node->node.slot = depth;
	node->node.op = ast->flat;
	node->range = part_node(assembly, &value);
	struct part body = part_faulty();
	if (push_local(assembly, ast, ast->var, is_bind ? value.types : TAKES_ANY)) {
		body = resolve(assembly, ast->args[1]);
	}
	assembly->local_count = depth;
	if (body.kind == PART_FAULTY) {
		return body;
	}
	node->body = part_node(assembly, &body);
	return part_of_node(&node->node, is_bind ? body.types : TAKES_OPTIONAL);
}

/* ---- the walk ---- */

static struct part resolve_kind(struct assembly *assembly, const struct ast *ast)
{
	switch (ast->kind) {
	case AST_CONST:
		return part_const(ast, ast->constant);
	case AST_IDENT:
		return resolve_ident(assembly, ast);
	case AST_SELECT:
		return resolve_select(assembly, ast);
	case AST_CALL:
		return resolve_call(assembly, ast);
	case AST_LIST:
	case AST_MAP:
		return resolve_literal(assembly, ast);
	case AST_LOOP:
		return resolve_loop(assembly, ast);
	case AST_BIND:
	case AST_OPT_MAP:
		return resolve_bind(assembly, ast);
	}
	NEVER("an ast of no kind");
}

struct part resolve(struct assembly *assembly, const struct ast *ast)
{
	assembly->nodes++;
	return resolve_kind(assembly, ast);
}
