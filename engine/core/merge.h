/* This file merges one JSON object into another, first level only, as text. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_MERGE_H
#define ENGINE_CORE_MERGE_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>

enum { MERGE_KEYS_MAX = 1024, MERGE_DEPTH_MAX = 16 };

/* Why `value` cannot be merged: NULL, or the end of an error code ("value.too_deep") and in
 * *out_message a sentence. */
const char *merge_refuses(struct span value, const char **out_message);

/* Appends `object` with the members of `value`: those that it has are replaced where they stand
 * (the last one where a name stands twice), the others follow behind its last one. */
void merge_object(struct span object, struct span value, struct buf *out);

/* Names that a JavaScript client would walk up its prototypes with. */
bool merge_pollutes(struct span plain_name);

/* How deep arrays and objects of a valid value are nested: 0 for a number, 1 for {}. */
size_t merge_depth(struct span value);

#endif
