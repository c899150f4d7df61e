/* This file reads HTTP/1.1 responses, as a client gets them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/http_answer.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "wire/chunks.h"

enum { HEAD_MOST = 65536 };

enum answer_state { ANSWER_HEAD, ANSWER_BODY, ANSWER_DONE };
enum answer_body { BODY_NONE, BODY_LENGTH, BODY_CHUNKS, BODY_TO_END };

struct http_answer {
	enum answer_state state;
	enum answer_body body;
	bool no_body; /* it answers HEAD */
	int status;
	int minor;
	struct buf held; /* the head */
	size_t scanned;
	uint64_t left;
	struct chunks chunks;
	struct http_head head;
};

struct http_answer *http_answer_new(void)
{
	return MEM_NEW(struct http_answer);
}

void http_answer_free(struct http_answer *answer)
{
	if (answer) {
		buf_free(&answer->held);
		mem_free(answer);
	}
}

void http_answer_expect_no_body(struct http_answer *answer)
{
	answer->no_body = true;
}

int http_answer_status(const struct http_answer *answer)
{
	return answer->status;
}

struct span http_answer_header(const struct http_answer *answer, struct span name)
{
	return http_header_get(answer->head.headers, answer->head.count, name);
}

bool http_answer_keeps_alive(const struct http_answer *answer)
{
	const struct http_head *head = &answer->head;
	bool asked = answer->minor == 1 ? !head->connection_close : head->connection_keep;
	return asked && answer->body != BODY_TO_END;
}

bool http_answer_end(const struct http_answer *answer)
{
	return (answer->state == ANSWER_HEAD && answer->held.len == 0) ||
	       (answer->state == ANSWER_BODY && answer->body == BODY_TO_END);
}

static enum http_answer_step fail(struct http_fault *fault, const char *text)
{
	*fault = (struct http_fault){502, "bad_answer", text};
	return HTTP_ANSWER_FAILED;
}

/* "HTTP/1.1 200 OK"; the reason may be missing. */
static bool read_status(struct http_answer *answer)
{
	struct span line = answer->head.first_line;
	if (line.len < 12 || !span_starts_with(line, SPAN("HTTP/1.")) || line.ptr[8] != ' ' ||
	    (line.ptr[7] != '0' && line.ptr[7] != '1') || (line.len > 12 && line.ptr[12] != ' ')) {
		return false;
	}
	int status = 0;
	for (size_t i = 9; i < 12; i++) {
		if (line.ptr[i] < '0' || line.ptr[i] > '9') {
			return false;
		}
		status = status * 10 + (line.ptr[i] - '0');
	}
	answer->status = status;
	answer->minor = line.ptr[7] - '0';
	return status >= 100;
}

static enum answer_body body_kind(const struct http_answer *answer)
{
	const struct http_head *head = &answer->head;
	if (answer->no_body || answer->status < 200 || answer->status == 204 ||
	    answer->status == 304) {
		return BODY_NONE;
	}
	if (head->is_chunked) {
		return BODY_CHUNKS;
	}
	return head->has_length ? BODY_LENGTH : BODY_TO_END;
}

/* HTTP_ANSWER_DONE when the whole head stands in `held`. */
static enum http_answer_step collect_head(struct http_answer *answer, struct span bytes,
                                          size_t *out_used, struct http_fault *fault)
{
	size_t before = answer->held.len;
	size_t room = HEAD_MOST + 1 - before;
	buf_add(&answer->held, bytes.ptr, bytes.len < room ? bytes.len : room);
	bool bare_lf = false;
	size_t end = http_head_end(buf_view(&answer->held), &answer->scanned, &bare_lf);
	if (bare_lf) {
		return fail(fault, "A line of the answer ends without a carriage return.");
	}
	if (end > HEAD_MOST || (end == 0 && answer->held.len > HEAD_MOST)) {
		return fail(fault, "The header fields of the answer are over 64 KiB.");
	}
	*out_used = end > 0 ? end - before : bytes.len;
	answer->held.len = end > 0 ? end : answer->held.len;
	return end > 0 ? HTTP_ANSWER_DONE : HTTP_ANSWER_MORE;
}

static void begin_head(struct http_answer *answer)
{
	answer->state = ANSWER_HEAD;
	answer->scanned = 0;
	buf_clear(&answer->held);
}

static enum http_answer_step feed_head(struct http_answer *answer, struct span bytes,
                                       size_t *out_used, struct http_fault *fault)
{
	while (*out_used < bytes.len) {
		size_t used = 0;
		struct span rest = {bytes.ptr + *out_used, bytes.len - *out_used};
		enum http_answer_step step = collect_head(answer, rest, &used, fault);
		*out_used += used;
		if (step != HTTP_ANSWER_DONE) {
			return step;
		}
		if (!http_head_parse(buf_view(&answer->held), &answer->head, fault)) {
			return HTTP_ANSWER_FAILED;
		}
		if (!read_status(answer)) {
			return fail(fault, "The answer has no status line of HTTP/1.");
		}
		if (answer->status >= 200 || answer->status == 101) {
			answer->body = body_kind(answer);
			answer->left = answer->head.length;
			answer->chunks = (struct chunks){0};
			answer->state = ANSWER_BODY;
			return HTTP_ANSWER_HEAD;
		}
		begin_head(answer);
	}
	return HTTP_ANSWER_MORE;
}

static enum http_answer_step finish(struct http_answer *answer)
{
	answer->state = ANSWER_DONE;
	answer->no_body = false;
	return HTTP_ANSWER_DONE;
}

static enum http_answer_step feed_chunks(struct http_answer *answer, struct span bytes,
                                         size_t *out_used, struct span *out_piece,
                                         struct http_fault *fault)
{
	switch (chunks_feed(&answer->chunks, bytes, out_used, out_piece)) {
	case CHUNKS_MORE:
		return HTTP_ANSWER_MORE;
	case CHUNKS_PIECE:
		return HTTP_ANSWER_BODY;
	case CHUNKS_DONE:
		return finish(answer);
	case CHUNKS_BAD:
		break;
	}
	return fail(fault, "The chunks of the answer are malformed.");
}

static enum http_answer_step feed_length(struct http_answer *answer, struct span bytes,
                                         size_t *out_used, struct span *out_piece)
{
	if (answer->left == 0) {
		return finish(answer);
	}
	size_t len = answer->left < bytes.len ? (size_t)answer->left : bytes.len;
	answer->left -= len;
	*out_used = len;
	*out_piece = span_make(bytes.ptr, len);
	return len > 0 ? HTTP_ANSWER_BODY : HTTP_ANSWER_MORE;
}

enum http_answer_step http_answer_feed(struct http_answer *answer, struct span bytes,
                                       size_t *out_used, struct span *out_piece,
                                       struct http_fault *fault)
{
	*out_used = 0;
	if (answer->state == ANSWER_DONE && bytes.len > 0) {
		begin_head(answer);
	}
	if (answer->state == ANSWER_HEAD) {
		return feed_head(answer, bytes, out_used, fault);
	}
	if (answer->state == ANSWER_DONE) {
		return HTTP_ANSWER_MORE;
	}
	switch (answer->body) {
	case BODY_NONE:
		return finish(answer);
	case BODY_LENGTH:
		return feed_length(answer, bytes, out_used, out_piece);
	case BODY_CHUNKS:
		return feed_chunks(answer, bytes, out_used, out_piece, fault);
	case BODY_TO_END:
		break;
	}
	*out_used = bytes.len;
	*out_piece = bytes;
	return bytes.len > 0 ? HTTP_ANSWER_BODY : HTTP_ANSWER_MORE;
}
