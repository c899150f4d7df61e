/* This file gives a program that the engine starts a token, and says where the engine is. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_RUNTIME_ENV_H
#define ENGINE_RUNTIME_ENV_H

#include "base/err.h"
#include "engine/config_table.h"
#include "engine/core/core.h"

struct token;

/*
 * DESIGN. Besides what `exec.env` says a program gets
 *
 *   PAWL_URL            http://127.0.0.1:49134
 *   PAWL_RUNTIME_TOKEN  a token of its own, with the rights that `exec.state` and `exec.rights`
 * name PAWL_STATE_ROOM     $PAWL_URL/v1/services/default/state/namespaces/room, for each of
 * exec.state
 *
 * The token is in memory only: made when the function is offered, gone when the function is. An
 * engine that asks nobody for a token passes it over.
 */

/* "NAME=value", NULL at the end; runtime_env_free frees it. The token is the registry's: remove it
 * with the function. */
char **runtime_env_make(const struct core *core, const struct config_exec *exec,
                        struct span function_id, struct token **out_token);
void runtime_env_free(char **list);
/* Could `name` be in exec.state? E_INVALID "invalid_value". */
int runtime_env_check_name(struct span name, struct err *err);

#endif
