/* This file finds the options in which two structs of the same table differ. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_FIELD_DIFF_H
#define BASE_FIELD_DIFF_H

#include "base/field_row.h"
#include "base/span.h"

/* One row: its name with those of its sections before it ("log.level"), and what both structs say
 * there, as a file would; absent of a map, whose values may be secret. All borrowed during the
 * call.
 */
struct field_difference {
	const struct field *field;
	struct span name;
	struct span before;
	struct span after;
};

typedef void field_diff_fn(void *ctx, const struct field_difference *difference);

/* Sections are walked; rows that the table leaves to others are not looked at. */
void field_diff(const struct field *fields, const void *before, const void *after,
                field_diff_fn *differs, void *ctx);

#endif
