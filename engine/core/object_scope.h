/* This file spells the scope of an object: its namespace, a slash, its key. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_OBJECT_SCOPE_H
#define ENGINE_CORE_OBJECT_SCOPE_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>

/* Inside either part '%' is written %25 and '/' is written %2F, so that every pair has one scope
 * and every scope of this form one pair. Appends. */
void object_scope_write_part(struct span plain, struct buf *out);
void object_scope_write(struct span namespace_, struct span object, struct buf *out);
/* Puts the parts in the place of what the buffers hold. False for a scope of another form, which is
 * no object's: the buffers hold anything then. */
bool object_scope_read(struct span scope, struct buf *out_namespace, struct buf *out_object);

#endif
