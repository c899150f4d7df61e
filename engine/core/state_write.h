/* This file changes one state record at a time: set, delete, update. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_STATE_WRITE_H
#define ENGINE_CORE_STATE_WRITE_H

#include "engine/core/task.h"

/*
 * All three take `if_rev` ("0" = the key must not exist; else E_CONFLICT "rev_conflict", with the
 * rev that it has). A change that changes nothing but white space makes no event and keeps the rev,
 * unless `event_on_noop` is true; deleting what is not there never makes one.
 *
 *   set     {scope, key, value | data, encoding?}   {old_value, new_value, rev}
 *   delete  {scope, key}                      the deleted value, or nothing
 *   update  {scope, key, ops, atomic?}        {old_value, new_value, rev, errors?}
 *
 * A set's `encoding` (encoding.h) is kept with the value; an update keeps that of a text which it
 * leaves a string.
 *
 * Values that were not there are null; the rev of a key that does not exist is "0". An update of a
 * missing key of which no operation was good writes nothing.
 */
void state_set(struct task *task);
void state_delete(struct task *task);
void state_update(struct task *task);

#endif
