/* This file grows a text in the arena of an evaluation, within its allowance. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/expr/text_builder.h"

#include <stdint.h>

enum { TEXT_BUILDER_FIRST = 64 };

static bool fail(struct text_builder *builder)
{
	builder->failed = true;
	return false;
}

static bool move_to(struct text_builder *builder, size_t cap)
{
	char *ptr = arena_take(&builder->allowance->arena, cap);
	if (ptr == NULL) {
		return fail(builder);
	}
	if (builder->len != 0) {
		memcpy(ptr, builder->ptr, builder->len);
	}
	builder->ptr = ptr;
	builder->cap = cap;
	return true;
}

bool text_builder_reserve(struct text_builder *builder, size_t extra)
{
	if (builder->failed) {
		return false;
	}
	if (extra > UINT32_MAX - builder->len) {
		return fail(builder);
	}
	return builder->cap - builder->len >= extra || move_to(builder, builder->len + extra);
}

/* Room that doubles: what is added piece by piece is moved few times. */
static bool grow(struct text_builder *builder, size_t extra)
{
	if (builder->cap - builder->len >= extra) {
		return true;
	}
	if (extra > UINT32_MAX - builder->len) {
		return fail(builder); /* a value's length has 32 bits */
	}
	size_t cap = builder->cap != 0 ? builder->cap * 2 : TEXT_BUILDER_FIRST;
	return move_to(builder, cap > builder->len + extra ? cap : builder->len + extra);
}

void text_builder_add(struct text_builder *builder, struct span text)
{
	if (builder->failed) {
		return;
	}
	if (!text_spend(builder->allowance, text.len)) {
		(void)fail(builder);
		return;
	}
	if (text.len != 0 && grow(builder, text.len)) {
		memcpy(builder->ptr + builder->len, text.ptr, text.len);
		builder->len += text.len;
	}
}

void text_builder_byte(struct text_builder *builder, char byte)
{
	text_builder_add(builder, span_make(&byte, 1));
}

static struct span built(const struct text_builder *builder)
{
	return span_make(builder->ptr != NULL ? builder->ptr : "", builder->len);
}

struct value text_builder_string(const struct text_builder *builder)
{
	if (builder->failed) {
		return allowance_error(builder->allowance);
	}
	return value_string(built(builder));
}

struct value text_builder_bytes(const struct text_builder *builder)
{
	if (builder->failed) {
		return allowance_error(builder->allowance);
	}
	return value_bytes(built(builder));
}
