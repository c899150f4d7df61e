/* This file reads state records by their keys: get, get_many. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_STATE_READ_H
#define ENGINE_CORE_STATE_READ_H

#include "engine/core/task.h"

/*
 *   get       {scope, key, with_rev?}                       the value, or nothing;
 *                                                           with_rev: {value, rev}, or nothing
 *   get_many  {scope, keys:[…]} | {items:[{scope, key}]}    {items:[{scope,key,value,rev} | null]}
 *
 * With the rev comes `encoding` of a value that is text or base64 (encoding.h), of every value if
 * `with_encoding` is true.
 *
 * get_many answers in the order that was asked for, all as of one moment; at most
 * STATE_GET_MANY_MAX keys. Scope and key come back as they were sent.
 */
enum { STATE_GET_MANY_MAX = 256 };

void state_get(struct task *task);
void state_get_many(struct task *task);

#endif
