/* This file feeds JSON to the check of CloudEvents, and writes what passed it again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/json.h"
#include "wire/cloudevent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span json;
	struct span type;
	struct span subject;
	struct buf texts = {0};
	struct buf out = {0};
	struct err err = {0};
	if (json_check(span_make((const char *)data, size), &json, NULL) != 0) {
		return 0;
	}
	int status = cloudevent_check(json, &texts, &type, &subject, &err);
	PRE(status == 0 || (status == E_INVALID && err.text[0] != '\0'));
	if (status == 0) {
		PRE(type.len != 0 && type.len <= CLOUDEVENT_TYPE_MAX);
		const struct cloudevent event = {
		        .id = type, .source = type, .type = type, .subject = subject, .data = json};
		cloudevent_write(&event, &out);
		PRE(json_check(buf_view(&out), NULL, NULL) == 0);
		buf_clear(&out);
		cloudevent_write_fields(&event, &out);
		for (size_t i = 0; i < out.len; i++) {
			unsigned char byte = (unsigned char)out.ptr[i];
			PRE(byte == 0 || (byte >= 0x20 && byte < 0x7f));
		}
	}
	buf_free(&out);
	buf_free(&texts);
	return 0;
}
