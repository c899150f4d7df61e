/* This file feeds any expression, and behind a NUL any JSON, to the whole of the language. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "triggers/expr/expr.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BUDGET = 20000, ARENA_LIMIT = 1 << 20 };

static void ignore_part(void *ctx, struct span source, struct value value)
{
	(void)ctx;
	PRE(source.ptr != NULL && value.tag != VALUE_UNSET);
}

/* Twice: what the first evaluation has parsed and learned must not change the answer. */
static void evaluate(const struct expr *expr, struct activation *activation)
{
	int64_t spent = 0;
	struct value first = expr_eval(expr, activation, BUDGET, &spent);
	PRE(spent >= 0 && first.tag > VALUE_UNSET && first.tag < VALUE_TAGS);
	struct value second = expr_eval(expr, activation, BUDGET, NULL);
	bool failed = value_is_error(first) || value_is_error(second);
	PRE(failed || first.tag == second.tag);
	PRE(failed || first.tag != VALUE_BOOL || first.as.b == second.as.b);
	struct buf text = {0};
	activation->allowance.budget = BUDGET;
	if (value_is_error(first)) {
		value_write_error(first, &text);
	} else {
		value_write_text(&activation->allowance, first, 100, &text);
	}
	buf_free(&text);
}

static void run(const struct expr_env *env, struct span source, struct span json)
{
	struct activation activation;
	struct expr *expr = NULL;
	struct fault fault = {0};
	activation_init(&activation, env->paths, ARENA_LIMIT);
	activation_bind_json(&activation, env->variables[0].slot, json);
	int status = expr_new(env, source, EXPR_ANY, &expr, &fault);
	PRE(status == 0 ? expr != NULL : fault.text[0] != '\0');
	if (status == 0) {
		evaluate(expr, &activation);
		activation_reset(&activation);
		activation_bind_json(&activation, env->variables[0].slot, json);
		evaluate(expr, &activation);
		(void)expr_explain(env, source, &activation, BUDGET, ignore_part, ignore_part, NULL,
		                   &fault);
	}
	expr_free(expr);
	activation_close(&activation);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A value of an event is its bytes alone, no space around them. */
static struct span trim(struct span json)
{
	while (json.len != 0 && is_space(json.ptr[0])) {
		json = span_make(json.ptr + 1, json.len - 1);
	}
	while (json.len != 0 && is_space(json.ptr[json.len - 1])) {
		json.len--;
	}
	return json;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	const char *nul = size ? memchr(bytes, '\0', size) : NULL;
	size_t len = nul != NULL ? (size_t)(nul - bytes) : size;
	struct span json = nul != NULL ? span_make(nul + 1, size - len - 1) : SPAN("{\"a\":1}");
	json = trim(json);
	if (json_check(json, NULL, NULL) != 0) {
		return 0;
	}
	struct paths *paths = paths_new();
	struct expr_variable variable = {.name = SPAN("v"), .slot = paths_root(paths, SPAN("v"))};
	struct expr_env env = {.paths = paths, .variables = &variable, .variable_count = 1};
	run(&env, span_make(bytes, len), json);
	env.unchecked = true;
	run(&env, span_make(bytes, len), json);
	paths_free(paths);
	return 0;
}
