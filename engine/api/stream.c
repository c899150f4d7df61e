/* This file keeps a reply open: its head first, then piece after piece, as they come to be. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/stream.h"

#include "engine/api/exchange_inside.h"
#include "wire/http_write.h"

bool stream_begin(struct exchange *exchange, const struct exchange_reply *head,
                  const struct exchange_keeper *keeper, void *ctx)
{
	struct talk *talk = exchange->talk;
	if (talk == NULL) {
		exchange_free(exchange);
		return false;
	}
	struct http_response response = {
	        .status = head->status,
	        .content_type = head->content_type,
	        .extra = exchange_extra(exchange, head->extra),
	};
	talk->last = true;
	if (exchange->takes_chunks) {
		http_write_chunked(exchange_out(exchange), &response);
	} else {
		http_write_endless(exchange_out(exchange), &response);
	}
	if (exchange->is_head) {
		exchange->ready = true;
		if (exchange_is_first(exchange)) {
			exchange_send_ready(talk);
		}
		return false;
	}
	if (talk->host->draining) {
		exchange_end(exchange);
		return false;
	}
	exchange->keeper = keeper;
	exchange->keeper_ctx = ctx;
	talk->open = exchange;
	conn_flush_later(talk->conn);
	return true;
}

void stream_piece_begin(struct stream_piece *piece)
{
	buf_clear(&piece->chunk);
	piece->at = http_chunk_begin(&piece->chunk);
}

void stream_piece_end(struct stream_piece *piece)
{
	http_chunk_end(&piece->chunk, piece->at);
}

void stream_piece_close(struct stream_piece *piece)
{
	buf_free(&piece->chunk);
}

void stream_send(struct exchange *exchange, const struct stream_piece *piece)
{
	struct talk *talk = exchange->talk;
	struct span bytes = buf_view(&piece->chunk);
	if (!conn_is_open(talk->conn) || bytes.len == 0) {
		return;
	}
	if (!exchange->takes_chunks) {
		bytes = span_make(bytes.ptr + piece->at, bytes.len - piece->at - strlen("\r\n"));
	}
	buf_span(exchange_out(exchange), bytes);
	conn_flush_later(talk->conn);
}

size_t stream_unsent(const struct exchange *exchange)
{
	return conn_unsent(exchange->talk->conn) + exchange->early.len;
}

bool stream_is_slow(const struct exchange *exchange)
{
	const struct talk *talk = exchange->talk;
	return conn_is_slow(talk->conn) ||
	       exchange->early.len > conn_group_limits(talk->host->group)->max_unsent;
}

void stream_await_relief(struct exchange *exchange)
{
	if (exchange_is_first(exchange)) {
		conn_await_relief(exchange->talk->conn);
	} /* else it comes when it is its turn */
}

void stream_set_most(struct exchange *exchange, size_t most)
{
	conn_set_max_unsent(exchange->talk->conn, most);
}

void stream_end(struct exchange *exchange)
{
	exchange_end(exchange);
}
