/* This file says which right each function of the engine takes, and whether a caller has it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_PERMISSION_H
#define ENGINE_API_PERMISSION_H

#include "base/err.h"
#include "base/span.h"
#include "engine/core/rights.h"

struct function;
struct functions;

/*
 * DESIGN. The one place between a peer and function_call: HTTP requests and frames of workers pass
 * here, calls that the engine makes by itself do not. A function of a worker, a process or an
 * endpoint takes the right to invoke it. A function of the engine has a row that says which right
 * it takes and where in the data the scopes stand; one without a row takes every right to manage.
 *
 * Rights that are NULL allow everything: no token is needed here.
 */
struct permission_call {
	struct span namespace_; /* absent = "default" */
	struct span function_id;
	struct span data; /* valid JSON */
};

/* E_DENIED "forbidden", naming the right that is missing. */
int permission_check(const struct rights *rights, struct functions *functions,
                     const struct permission_call *call, struct err *err);
/* May a worker serve this function? */
int permission_check_work(const struct rights *rights, struct span function_id, struct err *err);
/* May it bind a trigger of that config to the function? `config` may be absent. */
int permission_check_trigger(const struct rights *rights, struct functions *functions,
                             const struct permission_call *handler, struct span type,
                             struct span config, struct err *err);

/* May it see the events and records of these scopes? A pattern; absent: of all. */
int permission_check_sight(const struct rights *rights, struct span scope, struct err *err);

bool permission_has_row(struct span function_id);

#endif
