/* This file measures how fast events find the triggers that they wake, by the number of triggers.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_CONDITIONS_MATCH_H
#define BENCH_CONDITIONS_MATCH_H

#include "base/span.h"
#include <stddef.h>

/* Registers `count` triggers, each with a condition on a value of its own, and asks the index about
 * events made of `shapes` (JSON objects with scope, key, old_value, new_value), each of which wakes
 * one of them. Prints a line of JSON. */
void match_measure(const struct span shapes[], size_t shape_count, size_t count);

#endif
