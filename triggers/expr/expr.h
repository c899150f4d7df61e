/* This file is the door to the expression language: compile once, evaluate against events. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_EXPR_H
#define TRIGGERS_EXPR_EXPR_H

#include "base/span.h"
#include "triggers/expr/activation.h"
#include "triggers/expr/atom.h"
#include "triggers/expr/env.h"
#include "triggers/expr/fault.h"
#include "triggers/expr/value.h"

/*
 * DESIGN. CEL (cel.dev) without protocol buffers, with the extensions for strings, math, optionals,
 * lists, binds, two-variable loops and base64. Nothing here knows the engine: the caller names the
 * variables and may teach the parser macros of its own. An expression is compiled into a tree of
 * nodes, each with the function that computes it; paths (`new_value.plan`) are slots that the
 * events fill, comparisons of a slot with a constant are one node. One thread.
 *
 *   text --parser--> ast --resolve--> node tree --expr_eval(activation)--> value
 */
struct expr;

enum { EXPR_BUDGET = 100000 }; /* steps of one evaluation, the default */

/* E_INVALID: the fault says what is wrong and where. `env` may go afterwards, its paths may not. */
int expr_new(const struct expr_env *env, struct span source, enum expr_want want, struct expr **out,
             struct fault *fault);
void expr_free(struct expr *expr);                /* NULL is harmless */
struct span expr_source(const struct expr *expr); /* the text, kept by the expression */
size_t expr_bytes(const struct expr *expr);       /* of memory that it takes */

/* The value lives until the activation is reset. `budget`: steps that it may take, EXPR_BUDGET by
 * default; what was left over is not kept. *out_spent (may be NULL) is what it took. */
struct value expr_eval(const struct expr *expr, struct activation *activation, int64_t budget,
                       int64_t *out_spent);

/* ---- for the index: what must hold before the expression can be true ---- */

/* The expression is true only where one of the alternatives holds. Borrowed from the expression. An
 * alternative without atoms: nothing is known of it. 0: it cannot be split, treat it so. */
size_t expr_alternatives(const struct expr *expr, const struct expr_alternative **out);

/* ---- for people: which part said no ---- */

typedef void expr_part_fn(void *ctx, struct span source, struct value value);

/* Evaluates the operands of the outermost && one by one, in order, and tells each with its own
 * text; then, for the first that is false (if there is none: the first that is not true), every
 * path (and constant comparison's other side) that it read, as source and value. Compiles the text
 * again: for explain, not for the hot path. */
int expr_explain(const struct expr_env *env, struct span source, struct activation *activation,
                 int64_t budget, expr_part_fn *part, expr_part_fn *seen, void *ctx,
                 struct fault *fault);

#endif
