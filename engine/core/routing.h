/* This file finds the HTTP trigger that a request is for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_ROUTING_H
#define ENGINE_CORE_ROUTING_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "engine/core/binding.h"
#include <stddef.h>

/*
 * DESIGN. A tree of segments: at each step plain text is tried before a parameter, and a parameter
 * before "all that is left"; a way that ends without a trigger of the method is given up for the
 * next one. Triggers of one pattern and method stand together: those of one worker's function may
 * be several (a worker of a new version comes before the old one has gone), the last that somebody
 * holds answers. Any other second one is refused when it is registered; at the start, where that is
 * too late, the config's answers.
 */
struct routing;

struct routing *routing_new(void);
void routing_free(struct routing *routing); /* empty by then; NULL is harmless */

/* The binding has a rule (filter.http). It is on one routing at most. */
void routing_add(struct routing *routing, struct binding *binding);
void routing_remove(struct routing *routing, struct binding *binding); /* harmless if not there */

/* May this one stand beside those that are there? Those of origin `but` (0: none) do not count.
 * E_CONFLICT "route_taken" names the other trigger. */
int routing_check(const struct routing *routing, const struct binding *fresh,
                  enum binding_origin but, struct err *err);

/* Segments are decoded; "/" has one, which is empty. NULL: none. A HEAD that nobody wants is looked
 * up as GET. */
struct binding *routing_find(const struct routing *routing, struct span method,
                             const struct span segments[], size_t count);
/* Appends "GET, HEAD, OPTIONS": what can be asked of the path; nothing if there is no such path. */
void routing_methods(const struct routing *routing, const struct span segments[], size_t count,
                     struct buf *out);

#endif
