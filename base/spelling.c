/* This file tells how unlike two words are spelled. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spelling.h"

/* One row of the table at a time. */
size_t spelling_distance(struct span a, struct span b)
{
	size_t row[SPELLING_MAX + 1];
	a.len = a.len < SPELLING_MAX ? a.len : SPELLING_MAX;
	b.len = b.len < SPELLING_MAX ? b.len : SPELLING_MAX;
	for (size_t j = 0; j <= b.len; j++) {
		row[j] = j;
	}
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t change = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
			size_t insert = row[j - 1] + 1;
			size_t remove = row[j] + 1;
			diagonal = row[j];
			row[j] = change < insert ? change : insert;
			row[j] = row[j] < remove ? row[j] : remove;
		}
	}
	return row[b.len];
}
