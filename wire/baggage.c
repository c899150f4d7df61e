/* This file carries a delivery's name in a W3C Baggage header. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/baggage.h"
#include "base/id.h"
#include "wire/url.h"

/* baggage-octet of the recommendation, without '%' itself. */
static bool is_octet(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\' && c != '%';
}

bool baggage_is_ours(struct span text)
{
	return text.len != 0 && memmem(text.ptr, text.len, "pawl.", 5) != NULL;
}

void baggage_write(struct buf *out, const struct baggage *baggage)
{
	BUF_LITERAL(out, "pawl.delivery=");
	const char *end = baggage->delivery.ptr + baggage->delivery.len;
	for (const char *at = baggage->delivery.ptr; at < end;) {
		const char *from = at;
		while (at < end && is_octet((unsigned char)*at)) {
			at++;
		}
		buf_add(out, from, (size_t)(at - from));
		if (at < end) {
			url_encode(span_make(at++, 1), out);
		}
	}
	BUF_LITERAL(out, ",pawl.attempt=");
	buf_uint(out, baggage->attempt);
}

static struct span trim(struct span text)
{
	while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t')) {
		text = span_make(text.ptr + 1, text.len - 1);
	}
	while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t')) {
		text.len--;
	}
	return text;
}

/* What stands before `mark`; the rest, if there is a mark, goes to *out_rest. */
static struct span before(struct span text, char mark, struct span *out_rest)
{
	const char *found = text.len > 0 ? memchr(text.ptr, mark, text.len) : NULL;
	size_t len = found ? (size_t)(found - text.ptr) : text.len;
	*out_rest = found ? span_make(found + 1, text.len - len - 1) : SPAN_NONE;
	return trim(span_make(text.ptr, len));
}

static bool is_encoded(struct span value)
{
	for (size_t i = 0; i < value.len; i++) {
		if (!is_octet((unsigned char)value.ptr[i]) && value.ptr[i] != '%') {
			return false;
		}
	}
	return true;
}

static bool take_delivery(struct span value, struct buf *scratch, struct span *out)
{
	if (value.len == 0 || !is_encoded(value)) {
		return false;
	}
	if (!memchr(value.ptr, '%', value.len)) {
		*out = value;
		return true;
	}
	size_t at = scratch->len;
	if (!url_decode(value, scratch)) {
		return false;
	}
	*out = span_make(scratch->ptr + at, scratch->len - at);
	return true;
}

static bool take_attempt(struct span value, uint32_t *out)
{
	uint64_t attempt = 0;
	if (!id_parse_uint(value, &attempt) || attempt == 0 || attempt > UINT32_MAX) {
		return false;
	}
	*out = (uint32_t)attempt;
	return true;
}

bool baggage_parse(struct span text, struct buf *scratch, struct baggage *out)
{
	struct baggage baggage = {SPAN_NONE, 0};
	struct span rest = text;
	while (rest.ptr) {
		struct span properties;
		struct span value;
		struct span member = before(rest, ',', &rest);
		struct span pair = before(member, ';', &properties);
		struct span name = before(pair, '=', &value);
		if (!value.ptr) {
			continue;
		}
		value = trim(value);
		if (span_is(name, "pawl.delivery")) {
			if (!take_delivery(value, scratch, &baggage.delivery)) {
				return false;
			}
		} else if (span_is(name, "pawl.attempt")) {
			if (!take_attempt(value, &baggage.attempt)) {
				return false;
			}
		}
	}
	if (!baggage.delivery.ptr || baggage.attempt == 0) {
		return false;
	}
	*out = baggage;
	return true;
}
