/* This file compiles the conditions of triggers and asks them about events. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/condition.h"

#include "base/mem.h"
#include "triggers/expr/failure.h"

struct condition {
	struct condition_env *env;
	struct expr *now;
	struct expr *before; /* the same of the old value; NULL unless an edge is asked for */
	uint8_t fire;        /* enum condition_fire */
	bool has_metadata;   /* speaks of it */
	bool has_event;
};

/* An edge that speaks of what it may not: says so where it does. */
static int explain_edge(const struct condition_env *env, struct span when, struct fault *fault)
{
	struct expr *whole = NULL;
	struct fault other = {0};
	if (expr_new(&env->views[VIEW_EVENT], when, EXPR_BOOL, &whole, &other) != 0) {
		*fault = other; /* it is wrong without the edge too */
		return E_INVALID;
	}
	expr_free(whole);
	size_t at = fault->at;
	*fault = (struct fault){0};
	return fault_set(fault, when, at,
	                 "leave out what speaks of the change itself, or use fire: change",
	                 "with fire: rising or falling only new_value, scope, key and metadata "
	                 "are known");
}

static int compile_edge(struct condition *condition, struct span when, struct fault *fault)
{
	const struct expr_env *views = condition->env->views;
	if (expr_new(&views[VIEW_NOW], when, EXPR_BOOL, &condition->now, fault) != 0) {
		return explain_edge(condition->env, when, fault);
	}
	return expr_new(&views[VIEW_BEFORE], when, EXPR_BOOL, &condition->before, fault);
}

int condition_new(struct condition_env *env, struct span when, enum condition_fire fire,
                  struct condition **out, struct fault *fault)
{
	struct condition *condition = MEM_NEW(struct condition);
	condition->env = env;
	condition->fire = (uint8_t)fire;
	int status = fire == FIRE_CHANGE ? expr_new(&env->views[VIEW_EVENT], when, EXPR_BOOL,
	                                            &condition->now, fault)
	                                 : compile_edge(condition, when, fault);
	if (status != 0) {
		condition_free(condition);
		return status;
	}
	condition->has_metadata = condition_env_mentions(when, "metadata");
	condition->has_event = condition_env_mentions(when, "event");
	env->event_users += condition->has_event;
	*out = condition;
	return 0;
}

void condition_free(struct condition *condition)
{
	if (condition != NULL) {
		condition->env->event_users -= condition->has_event;
		expr_free(condition->now);
		expr_free(condition->before);
		mem_free(condition);
	}
}

size_t condition_bytes(const struct condition *condition)
{
	return sizeof *condition + expr_bytes(condition->now) +
	       (condition->before != NULL ? expr_bytes(condition->before) : 0);
}

struct span condition_source(const struct condition *condition)
{
	return expr_source(condition->now);
}

enum condition_fire condition_fires(const struct condition *condition)
{
	return (enum condition_fire)condition->fire;
}

const struct expr *condition_needs(const struct condition *condition)
{
	return condition->fire == FIRE_FALLING ? condition->before : condition->now;
}

static enum condition_result judge(struct value value, struct value *out_error)
{
	if (value.tag == VALUE_BOOL) {
		return value.as.b ? CONDITION_TRUE : CONDITION_FALSE;
	}
	*out_error = value_is_error(value) ? value : value_error(ERROR_NOT_BOOL, NULL);
	return CONDITION_ERROR;
}

/* `is` must be true of one side, `is_not` must not be of the other. */
static enum condition_result eval_edge(const struct condition *condition, struct matching *matching,
                                       struct activation *values, struct value *out_error)
{
	bool is_rising = condition->fire == FIRE_RISING;
	const struct expr *is = is_rising ? condition->now : condition->before;
	const struct expr *is_not = is_rising ? condition->before : condition->now;
	struct span old_value = matching->event->old_value;
	struct span new_value = matching->event->new_value;
	if ((is_rising ? new_value : old_value).ptr == NULL) {
		return CONDITION_FALSE;
	}
	enum condition_result result = judge(matching_eval(matching, is, values), out_error);
	if (result != CONDITION_TRUE || (is_rising ? old_value : new_value).ptr == NULL) {
		return result;
	}
	struct value other = matching_eval(matching, is_not, values);
	if (value_is_error(other) && other.code == ERROR_BUDGET) {
		*out_error = other;
		return CONDITION_ERROR;
	}
	return value_is_true(other) ? CONDITION_FALSE : CONDITION_TRUE;
}

enum condition_result condition_eval(const struct condition *condition, struct matching *matching,
                                     struct span metadata, struct value *out_error)
{
	struct activation *values = condition->has_metadata
	                                    ? matching_values_with(matching, metadata)
	                                    : matching_values(matching);
	if (condition->fire != FIRE_CHANGE) {
		return eval_edge(condition, matching, values, out_error);
	}
	return judge(matching_eval(matching, condition->now, values), out_error);
}

void condition_write_error(const struct condition *condition, struct value error, struct buf *out)
{
	failure_write(condition_source(condition), error, out);
}

int condition_refuse(const struct fault *fault, const char *member, struct span source,
                     struct condition_fault *where, struct err *err)
{
	if (where != NULL) {
		where->member = member;
		buf_clear(&where->text);
		fault_print(fault, source, &where->text);
	}
	int status = fault_err(fault, err);
	if (err != NULL) {
		err->code = "invalid_condition";
		(void)err_wrap(err, "'%s'", member);
	}
	return status;
}
