/* This file tells how unlike two words are spelled. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SPELLING_H
#define BASE_SPELLING_H

#include "base/span.h"

/* Only so many letters of a word are looked at. */
enum { SPELLING_MAX = 40 };

/* Levenshtein's distance: the least number of letters to insert, drop or change. */
size_t spelling_distance(struct span a, struct span b);

#endif
