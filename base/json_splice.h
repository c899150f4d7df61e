/* This file changes one member or item of JSON text and keeps every other byte. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSON_SPLICE_H
#define BASE_JSON_SPLICE_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>

/* Splices: append to `out` a copy of the object in which one member is set or removed; every byte
 * that this does not touch stays as it was. A duplicated name is set in its last place (and removed
 * in all of them). json_set on a missing name adds it behind the last member. The inputs are valid
 * values and must not point into `out`. */
void json_set(struct span object, struct span plain_name, struct span value, struct buf *out);
/* False: it is not there, and nothing was appended. */
bool json_remove(struct span object, struct span plain_name, struct buf *out);
/* Appends a copy of the array with one more item at its end. */
void json_append(struct span array, struct span value, struct buf *out);

#endif
