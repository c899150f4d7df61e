/* This file holds what an expression may name: variables, and macros of the caller. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_ENV_H
#define TRIGGERS_EXPR_ENV_H

#include "base/span.h"
#include "triggers/expr/ast.h"
#include "triggers/expr/paths.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct expr_variable {
	struct span name; /* may hold dots: the longest name that fits an identifier chain wins */
	uint32_t slot;    /* paths_root */
	uint32_t takes;   /* mask of the types that it may have (overload.h), 0 = any */
};

/* What people call a variable. */
struct expr_synonym {
	const char *word; /* NULL ends the list */
	const char *name;
};

/* A variable, or a field of one, that is one of few texts. */
struct expr_choice {
	const char *name;          /* "kind", "event.kind"; NULL ends the list */
	const char *const *values; /* ends with NULL */
	const char *hint;          /* what to write instead of another one */
};

struct expr_env {
	struct paths *paths;
	const struct expr_variable *variables;
	size_t variable_count;
	const struct ast_macro *macros;      /* ends with a row without a name; may be NULL */
	const struct expr_synonym *synonyms; /* may be NULL */
	const struct expr_choice *choices;   /* may be NULL */
	bool no_macros;
	bool unchecked; /* what the check at registration would refuse fails when it is evaluated */
};

enum expr_want { EXPR_ANY, EXPR_BOOL /* what can be nothing but another type is refused */ };

#endif
