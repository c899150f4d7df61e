/* This file defines a text that grows in the arena of an evaluation. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_TEXT_BUILDER_H
#define TRIGGERS_EXPR_TEXT_BUILDER_H

#include "base/span.h"
#include "triggers/expr/value.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * DESIGN. `struct text_builder out = {.allowance = allowance};`, then any number of additions, then
 * the value. What is added is paid for with steps and arena; the first addition that cannot be paid
 * makes the builder fail, those after it do nothing, and the value is then the error. A loop that
 * adds looks at `failed` and stops.
 */
struct text_builder {
	struct allowance *allowance;
	char *ptr;
	size_t len;
	size_t cap;
	bool failed;
};

/* Steps for looking at so many bytes. */
enum { TEXT_BYTES_PER_STEP = 10 };

static inline bool text_spend(struct allowance *allowance, size_t bytes)
{
	return allowance_spend(allowance, 1 + (int64_t)(bytes / TEXT_BYTES_PER_STEP));
}

/* Room for exactly so many bytes more, so that they are written without another move. */
bool text_builder_reserve(struct text_builder *builder, size_t extra);
void text_builder_add(struct text_builder *builder, struct span text);
void text_builder_byte(struct text_builder *builder, char byte);

/* The text is now a value, or the error that stopped it; the builder is done. */
struct value text_builder_string(const struct text_builder *builder);
struct value text_builder_bytes(const struct text_builder *builder);

#endif
