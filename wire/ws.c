/* This file reads and writes WebSocket frames (RFC 6455) for either end of a connection. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/ws.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/sha1.h"
#include "wire/http_write.h"

enum { KEEP_MOST = 16384, CONTROL_MOST = 125, REASON_MOST = 123 };

enum opcode {
	OPCODE_CONTINUATION = 0,
	OPCODE_TEXT = 1,
	OPCODE_BINARY = 2,
	OPCODE_CLOSE = 8,
	OPCODE_PING = 9,
	OPCODE_PONG = 10
};

void ws_init(struct ws *ws, enum ws_role role, size_t limit)
{
	*ws = (struct ws){.role = role, .limit = limit};
	if (role == WS_CLIENT) {
		id_random(&ws->mask_seed, sizeof(ws->mask_seed));
	}
}

void ws_close(struct ws *ws)
{
	buf_free(&ws->message);
}

bool ws_is_midway(const struct ws *ws)
{
	return ws->in_payload || ws->header_len > 0 || ws->message_opcode != 0;
}

/* The same both ways. `phase` is how many bytes of the payload stand before these. */
static void mask_bytes(char *bytes, size_t len, const uint8_t mask[4], size_t phase)
{
	uint8_t pattern[8];
	for (size_t i = 0; i < sizeof(pattern); i++) {
		pattern[i] = mask[(phase + i) & 3];
	}
	uint64_t wide;
	memcpy(&wide, pattern, sizeof(wide));
	size_t i = 0;
	for (; i + 8 <= len; i += 8) {
		uint64_t word;
		memcpy(&word, bytes + i, sizeof(word));
		word ^= wide;
		memcpy(bytes + i, &word, sizeof(word));
	}
	for (; i < len; i++) {
		bytes[i] = (char)((uint8_t)bytes[i] ^ pattern[i & 7]);
	}
}

/* ---- reading ---- */

static enum ws_kind fail(struct ws *ws, struct ws_event *event, uint16_t code, const char *reason)
{
	ws->over = true;
	*event = (struct ws_event){span_of(reason), code};
	return WS_FAILED;
}

static enum ws_kind fail_protocol(struct ws *ws, struct ws_event *event, const char *reason)
{
	return fail(ws, event, WS_CLOSE_PROTOCOL, reason);
}

static bool is_control(uint8_t opcode)
{
	return (opcode & 8) != 0;
}

/* The first two bytes; WS_MORE when they are right. */
static enum ws_kind check_start(struct ws *ws, struct ws_event *event)
{
	uint8_t opcode = ws->header[0] & 15;
	bool final = (ws->header[0] & 0x80) != 0;
	bool masked = (ws->header[1] & 0x80) != 0;
	if (ws->header[0] & 0x70) {
		return fail_protocol(ws, event, "a reserved bit is set");
	}
	if (opcode > OPCODE_PONG || (opcode > OPCODE_BINARY && opcode < OPCODE_CLOSE)) {
		return fail_protocol(ws, event, "the opcode is reserved");
	}
	if (masked != (ws->role == WS_SERVER)) {
		return fail_protocol(ws, event,
		                     masked ? "a server's frame is masked"
		                            : "a client's frame is not masked");
	}
	if (is_control(opcode) && (!final || (ws->header[1] & 127) > CONTROL_MOST)) {
		return fail_protocol(ws, event, "a control frame is fragmented or too long");
	}
	if (opcode == OPCODE_CONTINUATION && ws->message_opcode == 0) {
		return fail_protocol(ws, event, "a continuation continues nothing");
	}
	if ((opcode == OPCODE_TEXT || opcode == OPCODE_BINARY) && ws->message_opcode != 0) {
		return fail_protocol(ws, event, "a message begins inside another");
	}
	ws->opcode = opcode;
	ws->final = final;
	return WS_MORE;
}

static size_t length_size(uint8_t second)
{
	return (second & 127) == 127 ? 8 : (second & 127) == 126 ? 2 : 0;
}

static size_t header_need(const struct ws *ws)
{
	if (ws->header_len < 2) {
		return 2;
	}
	return 2 + length_size(ws->header[1]) + (ws->role == WS_SERVER ? 4 : 0);
}

/* The whole header is there. */
static enum ws_kind begin_payload(struct ws *ws, struct ws_event *event)
{
	size_t size = length_size(ws->header[1]);
	uint64_t len = size == 0 ? ws->header[1] & 127 : 0;
	for (size_t i = 0; i < size; i++) {
		len = len << 8 | ws->header[2 + i];
	}
	if ((size == 2 && len < 126) || (size == 8 && len < 65536) || len > INT64_MAX) {
		return fail_protocol(ws, event, "the length is not in its shortest form");
	}
	if (!is_control(ws->opcode) && len > ws->limit - ws->message.len) {
		return fail(ws, event, WS_CLOSE_TOO_BIG, "the message is over the limit");
	}
	if (ws->opcode == OPCODE_TEXT || ws->opcode == OPCODE_BINARY) {
		ws->message_opcode = ws->opcode;
		ws->utf8 = (struct utf8_check){0};
	}
	if (ws->role == WS_SERVER) {
		memcpy(ws->mask, ws->header + 2 + size, 4);
	}
	ws->frame_len = (size_t)len;
	ws->frame_at = 0;
	ws->header_len = 0;
	ws->in_payload = true;
	return WS_MORE;
}

/* Takes what there is of a header. */
static enum ws_kind take_header(struct ws *ws, const char *bytes, size_t len, size_t *out_used,
                                struct ws_event *event)
{
	size_t at = 0;
	while (at < len && !ws->in_payload) {
		ws->header[ws->header_len++] = (uint8_t)bytes[at++];
		if (ws->header_len == 2 && check_start(ws, event) == WS_FAILED) {
			return WS_FAILED;
		}
		if (ws->header_len >= 2 && ws->header_len == header_need(ws) &&
		    begin_payload(ws, event) == WS_FAILED) {
			return WS_FAILED;
		}
	}
	*out_used = at;
	return WS_MORE;
}

static bool close_code_is_right(unsigned code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
	       (code >= 3000 && code <= 4999);
}

static enum ws_kind end_close(struct ws *ws, struct span payload, struct ws_event *event)
{
	ws->over = true;
	*event = (struct ws_event){SPAN(""), WS_CLOSE_NONE};
	if (payload.len == 0) {
		return WS_CLOSE;
	}
	if (payload.len == 1) {
		return fail_protocol(ws, event, "half a close code");
	}
	const unsigned char *bytes = (const unsigned char *)payload.ptr;
	unsigned code = (unsigned)bytes[0] << 8 | bytes[1];
	if (!close_code_is_right(code)) {
		return fail_protocol(ws, event, "the close code is not allowed");
	}
	struct span reason = {payload.ptr + 2, payload.len - 2};
	struct utf8_check utf8 = {0};
	if (!utf8_check_feed(&utf8, reason) || !utf8_check_is_whole(&utf8)) {
		return fail(ws, event, WS_CLOSE_NOT_UTF8, "the reason is not UTF-8");
	}
	*event = (struct ws_event){reason, (uint16_t)code};
	return WS_CLOSE;
}

static enum ws_kind end_control(struct ws *ws, struct span payload, struct ws_event *event)
{
	ws->in_payload = false;
	if (ws->opcode == OPCODE_CLOSE) {
		return end_close(ws, payload, event);
	}
	event->data = payload;
	return ws->opcode == OPCODE_PING ? WS_PING : WS_PONG;
}

static enum ws_kind take_control(struct ws *ws, struct span piece, struct ws_event *event)
{
	if (piece.len == ws->frame_len) {
		return end_control(ws, piece, event);
	}
	memcpy(ws->control + ws->frame_at, piece.ptr, piece.len);
	ws->frame_at += piece.len;
	if (ws->frame_at < ws->frame_len) {
		return WS_MORE;
	}
	return end_control(ws, span_make(ws->control, ws->frame_len), event);
}

static enum ws_kind take_data(struct ws *ws, struct span piece, struct ws_event *event)
{
	bool is_text = ws->message_opcode == OPCODE_TEXT;
	if (is_text && !utf8_check_feed(&ws->utf8, piece)) {
		return fail(ws, event, WS_CLOSE_NOT_UTF8, "the text is not UTF-8");
	}
	ws->frame_at += piece.len;
	bool frame_ends = ws->frame_at == ws->frame_len;
	bool message_ends = frame_ends && ws->final;
	bool is_whole = message_ends && piece.len == ws->frame_len && ws->message.len == 0;
	if (!is_whole) {
		buf_span(&ws->message, piece);
	}
	ws->in_payload = !frame_ends;
	if (!message_ends) {
		return WS_MORE;
	}
	if (is_text && !utf8_check_is_whole(&ws->utf8)) {
		return fail(ws, event, WS_CLOSE_NOT_UTF8, "the text ends inside a character");
	}
	ws->message_opcode = 0;
	ws->message_given = !is_whole;
	event->data = is_whole ? piece : buf_view(&ws->message);
	return is_text ? WS_TEXT : WS_BINARY;
}

static enum ws_kind take_payload(struct ws *ws, char *bytes, size_t len, size_t *out_used,
                                 struct ws_event *event)
{
	size_t rest = ws->frame_len - ws->frame_at;
	struct span piece = {bytes, rest < len ? rest : len};
	if (ws->role == WS_SERVER) {
		mask_bytes(bytes, piece.len, ws->mask, ws->frame_at);
	}
	*out_used = piece.len;
	return is_control(ws->opcode) ? take_control(ws, piece, event)
	                              : take_data(ws, piece, event);
}

enum ws_kind ws_feed(struct ws *ws, char *bytes, size_t len, size_t *out_used,
                     struct ws_event *event)
{
	if (ws->message_given) {
		buf_clear(&ws->message);
		buf_shrink(&ws->message, KEEP_MOST);
		ws->message_given = false;
	}
	*event = (struct ws_event){SPAN(""), 0};
	*out_used = ws->over ? len : 0;
	enum ws_kind kind = WS_MORE;
	while (*out_used < len && kind == WS_MORE) {
		size_t used = 0;
		if (!ws->in_payload) {
			kind = take_header(ws, bytes + *out_used, len - *out_used, &used, event);
			*out_used += used;
		}
		/* Also without a byte left: the payload may be empty. */
		if (kind == WS_MORE && ws->in_payload) {
			kind = take_payload(ws, bytes + *out_used, len - *out_used, &used, event);
			*out_used += used;
		}
	}
	return kind;
}

/* ---- writing ---- */

static size_t header_size(const struct ws *ws, size_t len)
{
	return (len < 126 ? 2u : len < 65536 ? 4u : 10u) + (ws->role == WS_CLIENT ? 4u : 0u);
}

/* Writes the header that belongs before `len` bytes of payload, and masks these. */
static void finish_frame(struct ws *ws, char *at, enum opcode opcode, size_t len)
{
	size_t header = header_size(ws, len);
	char *payload = at + header;
	uint8_t masked = ws->role == WS_CLIENT ? 0x80 : 0;
	size_t size = len < 126 ? 0 : len < 65536 ? 2 : 8;
	uint8_t second = size == 0 ? (uint8_t)len : size == 2 ? 126 : 127;
	*at++ = (char)(0x80 | opcode);
	*at++ = (char)(masked | second);
	for (size_t i = size; i > 0; i--) {
		*at++ = (char)(uint8_t)((uint64_t)len >> (8 * (i - 1)));
	}
	if (masked) {
		struct span seed = {(const char *)&ws->mask_seed, sizeof(ws->mask_seed)};
		uint64_t random = hash_bytes(seed, 0);
		ws->mask_seed++;
		memcpy(at, &random, 4);
		mask_bytes(payload, len, (const uint8_t *)at, 0);
	}
}

static enum opcode opcode_of(enum ws_kind kind)
{
	switch (kind) {
	case WS_TEXT:
		return OPCODE_TEXT;
	case WS_BINARY:
		return OPCODE_BINARY;
	case WS_PING:
		return OPCODE_PING;
	case WS_PONG:
		return OPCODE_PONG;
	case WS_CLOSE:
	case WS_MORE:
	case WS_FAILED:
		break;
	}
	NEVER("only text, binary, ping and pong are written as they are");
}

static void write_frame(struct ws *ws, struct buf *out, enum opcode opcode, struct span payload)
{
	size_t header = header_size(ws, payload.len);
	char *at = buf_reserve(out, header + payload.len);
	if (payload.len > 0) {
		memcpy(at + header, payload.ptr, payload.len);
	}
	out->len += header + payload.len;
	finish_frame(ws, at, opcode, payload.len);
}

void ws_write(struct ws *ws, struct buf *out, enum ws_kind kind, struct span payload)
{
	enum opcode opcode = opcode_of(kind);
	PRE(!is_control((uint8_t)opcode) || payload.len <= CONTROL_MOST);
	write_frame(ws, out, opcode, payload);
}

void ws_write_close(struct ws *ws, struct buf *out, uint16_t code, struct span reason)
{
	if (ws->close_sent) {
		return;
	}
	ws->close_sent = true;
	char payload[CONTROL_MOST];
	size_t len = 0;
	if (code != WS_CLOSE_NONE) {
		size_t cut = reason.len < REASON_MOST ? reason.len : REASON_MOST;
		while (cut > 0 && cut < reason.len && ((uint8_t)reason.ptr[cut] & 0xc0) == 0x80) {
			cut--;
		}
		payload[0] = (char)(uint8_t)(code >> 8);
		payload[1] = (char)(uint8_t)(code & 255);
		if (cut > 0) {
			memcpy(payload + 2, reason.ptr, cut);
		}
		len = 2 + cut;
	}
	write_frame(ws, out, OPCODE_CLOSE, span_make(payload, len));
}

/* Room for the header of a payload of 126 to 65,535 bytes, the usual size: others are moved. */
static size_t reserved_size(const struct ws *ws)
{
	return header_size(ws, 126);
}

size_t ws_frame_begin(struct ws *ws, struct buf *out)
{
	size_t mark = out->len;
	(void)buf_reserve(out, reserved_size(ws));
	out->len += reserved_size(ws);
	return mark;
}

void ws_frame_end(struct ws *ws, struct buf *out, size_t mark, enum ws_kind kind)
{
	size_t reserved = reserved_size(ws);
	size_t len = out->len - mark - reserved;
	size_t header = header_size(ws, len);
	if (header > reserved) {
		(void)buf_reserve(out, header - reserved);
	}
	if (header != reserved) {
		memmove(out->ptr + mark + header, out->ptr + mark + reserved, len);
		out->len = mark + header + len;
	}
	finish_frame(ws, out->ptr + mark, opcode_of(kind), len);
}

/* ---- the handshake ---- */

static void compute_accept(struct span key, char out[WS_ACCEPT_LEN])
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	char text[WS_KEY_LEN + sizeof(guid) - 1];
	PRE(key.len == WS_KEY_LEN);
	memcpy(text, key.ptr, WS_KEY_LEN);
	memcpy(text + WS_KEY_LEN, guid, sizeof(guid) - 1);
	uint8_t digest[SHA1_LEN];
	sha1(span_make(text, sizeof(text)), digest);
	struct buf accept = {out, 0, WS_ACCEPT_LEN};
	base64_encode(span_make((const char *)digest, sizeof(digest)), &accept);
}

void ws_write_upgrade(struct buf *out, struct span key)
{
	char accept[WS_ACCEPT_LEN];
	compute_accept(key, accept);
	BUF_LITERAL(out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	                 "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
	buf_add(out, accept, sizeof(accept));
	BUF_LITERAL(out, "\r\n\r\n");
}

void ws_write_request(struct buf *out, struct span host, struct span target,
                      char out_key[WS_KEY_LEN + 1])
{
	char nonce[16];
	id_random(nonce, sizeof(nonce));
	struct buf key = {out_key, 0, WS_KEY_LEN};
	base64_encode(span_make(nonce, sizeof(nonce)), &key);
	out_key[WS_KEY_LEN] = '\0';

	struct buf extra = {0};
	BUF_LITERAL(&extra, "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
	buf_add(&extra, out_key, WS_KEY_LEN);
	BUF_LITERAL(&extra, "\r\n");
	struct http_call call = {SPAN("GET"), target, host, SPAN_NONE, buf_view(&extra)};
	http_write_call(out, &call, 0);
	buf_free(&extra);
}

bool ws_accept_is(struct span key, struct span accept)
{
	char wanted[WS_ACCEPT_LEN];
	compute_accept(key, wanted);
	return span_equal(accept, span_make(wanted, sizeof(wanted)));
}
