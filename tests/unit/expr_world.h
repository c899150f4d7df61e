/* This file gives tests of expressions the variables of an event and a way to evaluate. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_EXPR_WORLD_H
#define TESTS_UNIT_EXPR_WORLD_H

#include "base/buf.h"
#include "triggers/expr/expr.h"
#include "triggers/expr/overload.h"
#include <stdbool.h>
#include <stdio.h>

enum { WORLD_VARIABLES = 6 };

struct world {
	struct paths *paths;
	struct activation activation;
	struct expr_variable variables[WORLD_VARIABLES];
	struct expr_env env;
	struct fault fault;
	struct buf text;
};

static inline void world_open(struct world *world)
{
	static const char *const names[WORLD_VARIABLES] = {
	        "scope", "key", "old_value", "new_value", "seq", "deep.er",
	};
	*world = (struct world){.paths = paths_new()};
	for (size_t i = 0; i < WORLD_VARIABLES; i++) {
		struct span name = span_of(names[i]);
		world->variables[i].name = name;
		world->variables[i].slot = paths_root(world->paths, name);
	}
	world->variables[0].takes = TAKES_STRING;
	world->variables[4].takes = TAKES_INT;
	world->env.paths = world->paths;
	world->env.variables = world->variables;
	world->env.variable_count = WORLD_VARIABLES;
	activation_init(&world->activation, world->paths, 0);
}

static inline void world_close(struct world *world)
{
	buf_free(&world->text);
	activation_close(&world->activation);
	paths_free(world->paths);
}

/* A new event; its texts are the caller's. */
static inline void world_bind(struct world *world, const char *old_json, const char *new_json)
{
	struct activation *activation = &world->activation;
	activation_reset(activation);
	activation_bind(activation, world->variables[0].slot, value_string(SPAN("shop")));
	activation_bind(activation, world->variables[1].slot, value_string(SPAN("user:1")));
	activation_bind_json(activation, world->variables[2].slot, span_of(old_json));
	activation_bind_json(activation, world->variables[3].slot, span_of(new_json));
	activation_bind(activation, world->variables[4].slot, value_int(7));
	activation_bind_json(activation, world->variables[5].slot, span_of("{\"x\":1}"));
}

/* NULL: world->fault. */
static inline struct expr *world_expr(struct world *world, const char *source)
{
	struct expr *expr = NULL;
	world->fault = (struct fault){0};
	return expr_new(&world->env, span_of(source), EXPR_ANY, &expr, &world->fault) == 0 ? expr
	                                                                                   : NULL;
}

/* The value as text; "refused: ..." or the word of the error. Good until the next. */
static inline const char *world_eval(struct world *world, const char *source)
{
	struct expr *expr = world_expr(world, source);
	buf_clear(&world->text);
	if (expr == NULL) {
		buf_format(&world->text, "refused: %s", world->fault.text);
	} else {
		struct value value = expr_eval(expr, &world->activation, EXPR_BUDGET, NULL);
		if (value_is_error(value)) {
			buf_format(&world->text, "%s", value_error_word(value.code));
		} else {
			value_write_text(&world->activation.allowance, value, 200, &world->text);
		}
		expr_free(expr);
	}
	buf_byte(&world->text, '\0');
	return world->text.ptr;
}

#endif
