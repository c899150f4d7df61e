/* This file computes base64.encode and base64.decode. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"
#include "base/err.h"
#include "triggers/expr/overload.h"
#include "triggers/expr/text_builder.h"

/* A buffer of so many bytes of the arena. Who fills it with no more never moves it. */
static bool take_room(struct allowance *allowance, size_t size, struct buf *out)
{
	char *room = arena_take(&allowance->arena, size);
	*out = (struct buf){.ptr = room, .cap = size};
	return room != NULL;
}

static struct value encode(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	size_t size = ((size_t)args[0].len + 2) / 3 * 4;
	struct buf out;
	if (size > UINT32_MAX || !text_spend(allowance, size) ||
	    !take_room(allowance, size, &out)) {
		return allowance_error(allowance);
	}
	base64_encode(value_text(args[0]), &out);
	POST(out.cap == size);
	return value_string(buf_view(&out));
}

static struct value decode(struct allowance *allowance, struct value args[], size_t count)
{
	(void)count;
	size_t size = (size_t)args[0].len / 4 * 3 + 3;
	struct buf out;
	if (!text_spend(allowance, size) || !take_room(allowance, size, &out)) {
		return allowance_error(allowance);
	}
	if (!base64_decode_bare(value_text(args[0]), &out)) {
		return value_error(ERROR_INVALID_ARGUMENT, "the text is not base64");
	}
	POST(out.cap == size);
	return value_bytes(buf_view(&out));
}

const struct overload overload_encode[] = {
        {"base64.encode", false, 1, false, {TAKES_BYTES}, TAKES_STRING, encode},
        {"base64.decode", false, 1, false, {TAKES_STRING}, TAKES_BYTES, decode},
        {0},
};
