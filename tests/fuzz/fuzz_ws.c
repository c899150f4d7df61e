/* This file feeds any bytes to the WebSocket reader, whole and cut, and expects the same of both.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "wire/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void describe(struct buf *out, enum ws_kind kind, const struct ws_event *event)
{
	PRE(kind != WS_TEXT || json_utf8_valid(event->data));
	buf_uint(out, (uint64_t)kind);
	buf_uint(out, event->close_code);
	buf_span(out, event->data);
}

static bool feed(struct ws *ws, const uint8_t *data, size_t len, struct buf *out)
{
	char *bytes = mem_raw(len ? len : 1);
	memcpy(bytes, data, len);
	enum ws_kind kind = WS_MORE;
	for (size_t at = 0; at < len && kind != WS_FAILED;) {
		size_t used = 0;
		struct ws_event event = {0};
		kind = ws_feed(ws, bytes + at, len - at, &used, &event);
		PRE(used <= len - at);
		at += used;
		if (kind != WS_MORE) {
			describe(out, kind, &event);
		} else {
			PRE(at == len);
		}
	}
	mem_free(bytes);
	return kind != WS_FAILED;
}

static void run(enum ws_role role, const uint8_t *data, size_t cut, size_t len, struct buf *out)
{
	struct ws ws;
	ws_init(&ws, role, 1000);
	if (feed(&ws, data, cut, out)) {
		(void)feed(&ws, data + cut, len - cut, out);
	}
	ws_close(&ws);
}

/* The first byte chooses the role, the second where the rest is cut. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3) {
		return 0;
	}
	enum ws_role role = data[0] & 1 ? WS_CLIENT : WS_SERVER;
	size_t len = size - 2;
	struct buf whole = {0};
	struct buf parts = {0};
	run(role, data + 2, len, len, &whole);
	run(role, data + 2, len * data[1] / 256, len, &parts);
	PRE(span_equal(buf_view(&whole), buf_view(&parts)));
	buf_free(&whole);
	buf_free(&parts);
	return 0;
}
