/* This file says why a function cannot be called that nobody serves. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/function_absent.h"

int function_absent_say(struct span namespace_, struct span id, struct span others, struct err *err)
{
	if (others.len != 0) {
		return err_set(
		        err, E_NOT_FOUND, "function_not_found",
		        "function \"%.*s\" is not served in namespace \"%.*s\"; it exists in %.*s",
		        SPAN_ARG(id), SPAN_ARG(namespace_), SPAN_ARG(others));
	}
	return err_set(err, E_NOT_FOUND, "function_not_found",
	               "function \"%.*s\" is not served by any worker now (namespace \"%.*s\")",
	               SPAN_ARG(id), SPAN_ARG(namespace_));
}
