/* This file compares two structs, row by row of their table. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/field_diff.h"

#include "base/field.h"
#include "base/field_print.h"
#include <string.h>

struct walk {
	struct buf name; /* of the row that is looked at */
	struct buf before;
	struct buf after;
	field_diff_fn *differs;
	void *ctx;
};

static void compare(struct walk *walk, const struct field *field, const void *before,
                    const void *after)
{
	buf_clear(&walk->before);
	buf_clear(&walk->after);
	field_print_value(field, before, &walk->before);
	field_print_value(field, after, &walk->after);
	if (!span_equal(buf_view(&walk->before), buf_view(&walk->after))) {
		const struct field_difference difference = {
		        .field = field,
		        .name = buf_view(&walk->name),
		        .before = buf_view(&walk->before),
		        .after = buf_view(&walk->after),
		};
		walk->differs(walk->ctx, &difference);
	}
}

static bool same_map(const struct field_map *before, const struct field_map *after)
{
	bool is_same = before->count == after->count;
	for (size_t i = 0; is_same && i < before->count; i++) {
		is_same = strcmp(before->pairs[i].name, after->pairs[i].name) == 0 &&
		          strcmp(before->pairs[i].value, after->pairs[i].value) == 0;
	}
	return is_same;
}

/* What stands in a map is not told. */
static void compare_maps(struct walk *walk, const struct field *field, const void *before,
                         const void *after)
{
	if (!same_map(before, after)) {
		const struct field_difference difference = {.field = field,
		                                            .name = buf_view(&walk->name)};
		walk->differs(walk->ctx, &difference);
	}
}

static void walk_rows(struct walk *walk, const struct field *fields, const char *before,
                      const char *after)
{
	for (const struct field *field = fields; field->name != NULL; field++) {
		size_t above = walk->name.len;
		buf_span(&walk->name, span_of(field->name));
		if (field->kind == FIELD_SECTION) {
			buf_byte(&walk->name, '.');
			walk_rows(walk, field->fields, before + field->offset,
			          after + field->offset);
		} else if (field->kind <= FIELD_STRINGS) {
			compare(walk, field, before + field->offset, after + field->offset);
		} else if (field->kind == FIELD_MAP) {
			compare_maps(walk, field, before + field->offset, after + field->offset);
		}
		walk->name.len = above;
	}
}

void field_diff(const struct field *fields, const void *before, const void *after,
                field_diff_fn *differs, void *ctx)
{
	struct walk walk = {.differs = differs, .ctx = ctx};
	walk_rows(&walk, fields, before, after);
	buf_free(&walk.name);
	buf_free(&walk.before);
	buf_free(&walk.after);
}
