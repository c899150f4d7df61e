/* This file lists the scopes, as they are or as the namespaces and objects they spell. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_STATE_GROUPS_H
#define ENGINE_CORE_STATE_GROUPS_H

#include "engine/core/task.h"

/*
 *   list_groups      {prefix?, limit?, cursor?}              {groups:[scope...], cursor?}, sorted
 *   list_objects     {namespace, prefix?, limit?, cursor?}   {objects:[{object_key}...], cursor?}
 *   list_namespaces  {prefix?, limit?, cursor?}              {namespaces:[{namespace}...], cursor?}
 *
 * A scope is listed when it holds a record. Objects and namespaces come in the order of their
 * scopes (object_scope.h); a scope that is of another form is no object. `cursor` is there when
 * there is more; pages and what fails without them are as in state_list.h.
 */
void state_list_groups(struct task *task);
void state_list_objects(struct task *task);
void state_list_namespaces(struct task *task);

#endif
