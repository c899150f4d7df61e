/* This file reads the scope that a trigger selects for a state function. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/own_scope.h"

#include "base/json.h"

/* state::delete makes do with the event as it is; the others need a value as well. */
static bool writes(struct span function_id, bool selects)
{
	return span_is(function_id, "state::delete") ||
	       (selects &&
	        (span_is(function_id, "state::set") || span_is(function_id, "state::update")));
}

/* What the expression comes to, if that is written there: 'orders', "orders". */
static bool is_literal(struct span expression, struct span *out)
{
	size_t len = expression.len;
	if (len < 2 || (expression.ptr[0] != '\'' && expression.ptr[0] != '"') ||
	    expression.ptr[len - 1] != expression.ptr[0] ||
	    memchr(expression.ptr + 1, expression.ptr[0], len - 2) != NULL ||
	    memchr(expression.ptr, '\\', len) != NULL) {
		return false;
	}
	*out = span_make(expression.ptr + 1, len - 2);
	return true;
}

static bool is_own(struct span expression, struct span wanted)
{
	struct span scope;
	if (span_is(expression, "scope") || span_is(expression, "event.scope")) {
		return true;
	}
	return is_literal(expression, &scope) && (wanted.ptr == NULL || span_equal(scope, wanted));
}

static struct span text_of(struct span object, const char *name, struct buf *texts)
{
	struct span value;
	return json_get(object, span_of(name), &value) && json_kind(value) == JSON_STRING
	               ? json_copy_text(value, texts)
	               : SPAN_NONE;
}

bool own_scope_warns(struct span type, struct span function_id, struct span config, struct buf *out)
{
	struct span select;
	struct buf texts = {0};
	bool selects = json_get(config, SPAN("select"), &select) && !json_is_null(select);
	if (!span_is(type, "state") || !writes(function_id, selects) ||
	    (selects && json_kind(select) != JSON_OBJECT)) {
		return false;
	}
	(void)buf_reserve(&texts, config.len * 2); /* the texts must not move */
	struct span wanted = text_of(config, "scope", &texts);
	struct span expression = selects ? text_of(select, "scope", &texts) : SPAN("scope");
	bool warns = expression.ptr != NULL && is_own(expression, wanted);
	if (warns) {
		buf_format(out, "its function %.*s writes the scope that wakes it",
		           SPAN_ARG(function_id));
	}
	buf_free(&texts);
	return warns;
}
