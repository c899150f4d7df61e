/* This file compares two structs, row by row of their table. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/field_diff.h"

#include "base/field_print.h"

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
