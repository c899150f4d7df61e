/* This file collects names with their values and writes them as a JSON object. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_API_PAIRS_H
#define ENGINE_API_PAIRS_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>

enum { PAIRS_MAX = 10000 };

/* All zero to begin with. */
struct pairs {
	struct buf texts; /* name, value, name, value, ... */
	struct buf ends;  /* size_t: where each of them ends */
};

/* Both are copied. False: there are PAIRS_MAX already. */
bool pairs_add(struct pairs *pairs, struct span name, struct span value);
/* Adds what a query, or the body of a form, says; "" for a name without a value. False: too many,
 * or a broken percent-encoding. */
bool pairs_add_query(struct pairs *pairs, struct span query);
/* {"a":"1","b":["2","3"]}: in the order of the first of each name; one that comes again makes a
 * list. */
void pairs_write(const struct pairs *pairs, struct buf *out);
void pairs_close(struct pairs *pairs);

#endif
