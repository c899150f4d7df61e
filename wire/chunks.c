/* This file takes the chunked transfer coding apart, strictly. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/chunks.h"

enum { OVERHEAD_MAX = 16384, SIZE_DIGITS_MAX = 15 };

/*
 * size --';'--> extension --CR--> size LF --(size 0)--> trailer start --CR--> end LF --> over
 *   |                                |                    |      ^
 *   +--------------CR----------------+                    v      |
 *                                    v                 trailer --CR LF--
 *                                  data --> data CR --> data LF --> size
 */
enum chunks_state {
	AT_SIZE,
	AT_EXTENSION,
	AT_SIZE_LF,
	AT_DATA,
	AT_DATA_CR,
	AT_DATA_LF,
	AT_TRAILER_START,
	AT_TRAILER,
	AT_TRAILER_LF,
	AT_END_LF,
	AT_OVER
};

static int hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_size(struct chunks *chunks, unsigned char c)
{
	int value = hex_value(c);
	if (value >= 0) {
		chunks->left = chunks->left << 4 | (unsigned)value;
		return ++chunks->digits <= SIZE_DIGITS_MAX;
	}
	chunks->state = c == '\r' ? AT_SIZE_LF : AT_EXTENSION;
	return chunks->digits > 0 && (c == '\r' || c == ';' || c == ' ' || c == '\t');
}

/* A byte of text that is dropped: an extension or a trailer. */
static bool take_text(struct chunks *chunks, unsigned char c, enum chunks_state after_cr)
{
	if (c == '\r') {
		chunks->state = (uint8_t)after_cr;
		return true;
	}
	return ++chunks->overhead <= OVERHEAD_MAX && (c >= 0x20 || c == '\t') && c != 0x7f;
}

static bool take_exactly(struct chunks *chunks, unsigned char c, unsigned char wanted,
                         enum chunks_state next)
{
	chunks->state = (uint8_t)next;
	return c == wanted;
}

static void end_size(struct chunks *chunks)
{
	if (chunks->state == AT_DATA && chunks->left == 0) {
		chunks->state = AT_TRAILER_START;
	}
	chunks->digits = 0;
}

static bool take_byte(struct chunks *chunks, unsigned char c)
{
	bool good = false;
	switch ((enum chunks_state)chunks->state) {
	case AT_SIZE:
		return take_size(chunks, c);
	case AT_EXTENSION:
		return take_text(chunks, c, AT_SIZE_LF);
	case AT_SIZE_LF:
		good = take_exactly(chunks, c, '\n', AT_DATA);
		end_size(chunks);
		return good;
	case AT_DATA_CR:
		return take_exactly(chunks, c, '\r', AT_DATA_LF);
	case AT_DATA_LF:
		return take_exactly(chunks, c, '\n', AT_SIZE);
	case AT_TRAILER_START:
		chunks->state = AT_TRAILER;
		return take_text(chunks, c, AT_END_LF);
	case AT_TRAILER:
		return take_text(chunks, c, AT_TRAILER_LF);
	case AT_TRAILER_LF:
		return take_exactly(chunks, c, '\n', AT_TRAILER_START);
	case AT_END_LF:
		return take_exactly(chunks, c, '\n', AT_OVER);
	case AT_DATA:
	case AT_OVER:
		return false;
	}
	return false;
}

enum chunks_step chunks_feed(struct chunks *chunks, struct span bytes, size_t *out_used,
                             struct span *out_piece)
{
	size_t at = 0;
	enum chunks_step step = CHUNKS_MORE;
	while (at < bytes.len && step == CHUNKS_MORE) {
		if (chunks->state == AT_DATA) {
			size_t rest = bytes.len - at;
			size_t len = chunks->left < rest ? (size_t)chunks->left : rest;
			*out_piece = span_make(bytes.ptr + at, len);
			at += len;
			chunks->left -= len;
			chunks->state = chunks->left == 0 ? AT_DATA_CR : AT_DATA;
			step = CHUNKS_PIECE;
		} else if (!take_byte(chunks, (unsigned char)bytes.ptr[at++])) {
			step = CHUNKS_BAD;
		} else if (chunks->state == AT_OVER) {
			step = CHUNKS_DONE;
		}
	}
	*out_used = at;
	return step;
}
