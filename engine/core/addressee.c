/* This file reads and writes the address of a queued message. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/addressee.h"

#include "base/json.h"

static struct span keep(struct buf *text, struct span value)
{
	size_t at = text->len;
	if (value.ptr == NULL) {
		return SPAN_NONE;
	}
	buf_span(text, value);
	return span_make(text->ptr + at, value.len);
}

void addressee_read(struct addressee *addressee, struct span call)
{
	static const struct span names[3] = {
	        {"function_id", 11}, {"namespace", 9}, {"metadata", 8}};
	struct span found[3] = {SPAN_NONE, SPAN_NONE, SPAN_NONE};
	struct buf *text = &addressee->text;
	if (call.ptr != NULL && json_kind(call) == JSON_OBJECT) {
		json_get_many(call, names, 3, found);
	}
	buf_clear(text);
	(void)buf_reserve(text, call.len + 1); /* no text is longer than all: it does not move */
	addressee->function_id = json_copy_text(found[0], text);
	addressee->namespace_ = json_copy_text(found[1], text);
	addressee->metadata = keep(text, found[2]);
}

void addressee_write(struct span function_id, struct span namespace_, struct span metadata,
                     struct buf *out)
{
	buf_byte(out, '{');
	json_write_member_string(out, "function_id", function_id);
	if (namespace_.len != 0) {
		json_write_member_string(out, "namespace", namespace_);
	}
	if (metadata.len != 0) {
		json_write_member_raw(out, "metadata", metadata);
	}
	buf_byte(out, '}');
}

void addressee_close(struct addressee *addressee)
{
	buf_free(&addressee->text);
	*addressee = (struct addressee){0};
}
