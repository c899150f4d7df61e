/* This file takes the head of an HTTP message apart and refuses what could be read two ways. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/http_head.h"
#include "base/id.h"

/* Sets of ASCII characters, one bit each: a token (RFC 9110, 5.6.2), and a host with its port. */
struct ascii_set {
	uint64_t bits[2];
};
static const struct ascii_set token_set = {
        {UINT64_C(0x03ff6cfa00000000), UINT64_C(0x57ffffffc7fffffe)}};
static const struct ascii_set host_set = {
        {UINT64_C(0x07ff602000000000), UINT64_C(0x47fffffeaffffffe)}};

static bool all_in(struct span text, const struct ascii_set *set)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c >= 0x80 || !(set->bits[c >> 6] >> (c & 63) & 1)) {
			return false;
		}
	}
	return true;
}

/* No control characters but the tab; bytes from 0x80 on are left to whoever uses the value. */
static bool is_text(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			return false;
		}
	}
	return true;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool http_text_equal(struct span a, struct span b)
{
	if (a.len != b.len) {
		return false;
	}
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.ptr[i]) != lower(b.ptr[i])) {
			return false;
		}
	}
	return true;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static struct span trim(struct span text)
{
	while (text.len > 0 && is_space(text.ptr[0])) {
		text.ptr++;
		text.len--;
	}
	while (text.len > 0 && is_space(text.ptr[text.len - 1])) {
		text.len--;
	}
	return text;
}

bool http_value_has(struct span value, struct span token)
{
	const char *end = value.ptr + value.len;
	for (const char *at = value.ptr; at < end;) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma ? comma : end;
		if (http_text_equal(trim(span_make(at, (size_t)(stop - at))), token)) {
			return true;
		}
		at = stop + 1;
	}
	return false;
}

struct span http_header_get(const struct http_header headers[], size_t count, struct span name)
{
	for (size_t i = 0; i < count; i++) {
		if (http_text_equal(headers[i].name, name)) {
			return headers[i].value;
		}
	}
	return SPAN_NONE;
}

size_t http_head_end(struct span bytes, size_t *scanned, bool *out_bare_lf)
{
	*out_bare_lf = false;
	size_t at = *scanned;
	while (at < bytes.len) {
		const char *found = memchr(bytes.ptr + at, '\n', bytes.len - at);
		if (!found) {
			break;
		}
		size_t lf = (size_t)(found - bytes.ptr);
		if (lf == 0 || bytes.ptr[lf - 1] != '\r') {
			*out_bare_lf = true;
			return 0;
		}
		if (lf == 1 || bytes.ptr[lf - 2] == '\n') {
			return lf + 1;
		}
		at = lf + 1;
	}
	*scanned = bytes.len;
	return 0;
}

static bool refuse(struct http_fault *fault, int status, const char *code, const char *text)
{
	*fault = (struct http_fault){status, code, text};
	return false;
}

static bool refuse_head(struct http_fault *fault, const char *text)
{
	return refuse(fault, 400, "bad_request", text);
}

static bool take_host(struct http_head *out, struct span value, struct http_fault *fault)
{
	if (out->host.ptr) {
		return refuse_head(fault, "The request has two Host fields.");
	}
	if (value.len == 0 || !all_in(value, &host_set)) {
		return refuse_head(fault, "The Host field is no host.");
	}
	out->host = value;
	return true;
}

static bool take_length(struct http_head *out, struct span value, struct http_fault *fault)
{
	uint64_t length = 0;
	if (out->has_length) {
		return refuse_head(fault, "There are two Content-Length fields.");
	}
	if (!id_parse_uint(value, &length)) {
		return refuse_head(fault, "Content-Length is not a whole number.");
	}
	out->has_length = true;
	out->length = length;
	return true;
}

static bool take_coding(struct http_head *out, struct span value, struct http_fault *fault)
{
	if (out->is_chunked) {
		return refuse_head(fault, "There are two Transfer-Encoding fields.");
	}
	if (!http_text_equal(value, SPAN("chunked"))) {
		return refuse(fault, 501, "transfer_encoding_not_supported",
		              "Only the Transfer-Encoding 'chunked' is understood.");
	}
	out->is_chunked = true;
	return true;
}

static bool take_connection(struct http_head *out, struct span value, struct http_fault *fault)
{
	(void)fault;
	out->connection_close |= http_value_has(value, SPAN("close"));
	out->connection_keep |= http_value_has(value, SPAN("keep-alive"));
	out->connection_upgrade |= http_value_has(value, SPAN("upgrade"));
	return true;
}

static bool take_upgrade(struct http_head *out, struct span value, struct http_fault *fault)
{
	(void)fault;
	out->upgrade_websocket |= http_value_has(value, SPAN("websocket"));
	return true;
}

static bool take_expect(struct http_head *out, struct span value, struct http_fault *fault)
{
	if (!http_text_equal(value, SPAN("100-continue"))) {
		return refuse(fault, 417, "expectation_failed",
		              "Only 'Expect: 100-continue' is understood.");
	}
	out->expects_continue = true;
	return true;
}

static bool take_key(struct http_head *out, struct span value, struct http_fault *fault)
{
	if (out->websocket_key.ptr) {
		return refuse_head(fault, "There are two Sec-WebSocket-Key fields.");
	}
	out->websocket_key = value;
	return true;
}

static bool take_version(struct http_head *out, struct span value, struct http_fault *fault)
{
	(void)fault;
	out->websocket_version = value;
	return true;
}

/* The fields that say how to read the message. */
static const struct {
	struct span name;
	bool (*take)(struct http_head *out, struct span value, struct http_fault *fault);
} fields[] = {
        {{"host", 4}, take_host},
        {{"expect", 6}, take_expect},
        {{"upgrade", 7}, take_upgrade},
        {{"connection", 10}, take_connection},
        {{"content-length", 14}, take_length},
        {{"transfer-encoding", 17}, take_coding},
        {{"sec-websocket-key", 17}, take_key},
        {{"sec-websocket-version", 21}, take_version},
};

static bool take_field(struct http_head *out, const struct http_header *header,
                       struct http_fault *fault)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (http_text_equal(header->name, fields[i].name)) {
			return fields[i].take(out, header->value, fault);
		}
	}
	return true;
}

static bool take_line(struct http_head *out, struct span line, struct http_fault *fault)
{
	if (is_space(line.ptr[0])) {
		return refuse_head(fault, "A header field goes on in a second line (obs-fold).");
	}
	const char *colon = memchr(line.ptr, ':', line.len);
	if (!colon) {
		return refuse_head(fault, "A header line has no colon.");
	}
	struct span name = {line.ptr, (size_t)(colon - line.ptr)};
	if (name.len == 0 || !all_in(name, &token_set)) {
		return refuse_head(fault, "The name of a header field is no token.");
	}
	struct span value = {colon + 1, line.len - name.len - 1};
	if (!is_text(value)) {
		return refuse_head(fault, "A header field holds a control character.");
	}
	if (out->count == HTTP_HEADERS_MAX) {
		return refuse(fault, 431, "too_many_headers", "There are over 64 header fields.");
	}
	struct http_header *header = &out->headers[out->count++];
	*header = (struct http_header){name, trim(value)};
	return take_field(out, header, fault);
}

static void clear(struct http_head *out)
{
	/* Not the table: most of its rows are never used. */
	memset((char *)out + offsetof(struct http_head, count), 0,
	       sizeof(*out) - offsetof(struct http_head, count));
	out->first_line = SPAN_NONE;
}

bool http_head_parse(struct span head, struct http_head *out, struct http_fault *fault)
{
	clear(out);
	const char *end = head.ptr + head.len - 2;
	for (const char *at = head.ptr; at < end;) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		struct span line = {at, (size_t)(lf - at) - 1};
		if (!out->first_line.ptr) {
			if (!is_text(line)) {
				return refuse_head(fault,
				                   "The first line holds a control character.");
			}
			out->first_line = line;
		} else if (!take_line(out, line, fault)) {
			return false;
		}
		at = lf + 1;
	}
	if (out->has_length && out->is_chunked) {
		return refuse_head(fault,
		                   "Content-Length and Transfer-Encoding exclude each other.");
	}
	return true;
}
