/* This file connects to a worker socket and moves its frames over a plain TCP socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/peer.h"

#include "base/mem.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 256 * 1024, MESSAGE_MOST = 32 * 1024 * 1024, HEAD_MOST = 4096 };

static int write_all(int fd, struct span bytes, struct err *err)
{
	for (size_t at = 0; at < bytes.len;) {
		ssize_t done = write(fd, bytes.ptr + at, bytes.len - at);
		if (done < 0) {
			return err_errno(err, errno, "writing the handshake");
		}
		at += (size_t)done;
	}
	return 0;
}

/* Byte by byte, so that not one byte of the first frame is taken. */
static int read_head(int fd, char head[HEAD_MOST], struct err *err)
{
	for (size_t len = 0; len < HEAD_MOST - 1; len++) {
		ssize_t done = read(fd, head + len, 1);
		if (done <= 0) {
			return err_errno(err, done < 0 ? errno : ECONNRESET,
			                 "reading the handshake");
		}
		head[len + 1] = '\0';
		if (len >= 3 && memcmp(head + len - 3, "\r\n\r\n", 4) == 0) {
			return 0;
		}
	}
	return err_set(err, E_IO, "bad_handshake", "the answer's head is over %d bytes", HEAD_MOST);
}

static int shake_hands(int fd, uint16_t port, struct err *err)
{
	struct buf out = {0};
	char host[32];
	char key[WS_KEY_LEN + 1];
	char head[HEAD_MOST];
	(void)snprintf(host, sizeof host, "127.0.0.1:%u", port);
	ws_write_request(&out, span_of(host), SPAN("/"), key);
	int status = write_all(fd, buf_view(&out), err);
	buf_free(&out);
	if (status == 0) {
		status = read_head(fd, head, err);
	}
	if (status == 0 && strncmp(head, "HTTP/1.1 101", 12) != 0) {
		status = err_set(err, E_IO, "bad_handshake", "no WebSocket here: %.12s", head);
	}
	return status;
}

int peer_open(struct peer *peer, uint16_t port, struct err *err)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return err_errno(err, errno, "socket");
	}
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int status = 0;
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		status = err_errno(err, errno, "connecting to port %u", port);
	} else {
		const int on = 1;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		status = shake_hands(fd, port, err);
	}
	if (status == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		status = err_errno(err, errno, "fcntl");
	}
	if (status != 0) {
		(void)close(fd);
		return status;
	}
	*peer = (struct peer){.fd = fd};
	ws_init(&peer->ws, WS_CLIENT, MESSAGE_MOST);
	(void)buf_reserve(&peer->in, READ_BYTES);
	return 0;
}

void peer_close(struct peer *peer)
{
	(void)close(peer->fd);
	ws_close(&peer->ws);
	buf_free(&peer->out);
	buf_free(&peer->in);
	buf_free(&peer->scratch);
}

size_t peer_begin(struct peer *peer, const struct message *frame, enum message_field last)
{
	size_t mark = ws_frame_begin(&peer->ws, &peer->out);
	message_begin(&peer->out, frame, last);
	return mark;
}

void peer_end(struct peer *peer, size_t mark)
{
	message_end(&peer->out);
	ws_frame_end(&peer->ws, &peer->out, mark, WS_TEXT);
}

void peer_send(struct peer *peer, const struct message *frame)
{
	size_t mark = ws_frame_begin(&peer->ws, &peer->out);
	message_write(&peer->out, frame);
	ws_frame_end(&peer->ws, &peer->out, mark, WS_TEXT);
}

bool peer_wants_write(const struct peer *peer)
{
	return peer->out.len != 0;
}

int peer_flush(struct peer *peer, struct err *err)
{
	size_t at = 0;
	while (at < peer->out.len) {
		ssize_t done = write(peer->fd, peer->out.ptr + at, peer->out.len - at);
		if (done < 0 && errno == EAGAIN) {
			break;
		}
		if (done < 0) {
			return err_errno(err, errno, "writing to the socket");
		}
		at += (size_t)done;
	}
	if (at != 0) {
		buf_remove_front(&peer->out, at);
	}
	return 0;
}

static int on_bytes(struct peer *peer, enum ws_kind kind, const struct ws_event *event,
                    struct message *out, struct err *err)
{
	if (kind == WS_CLOSE || kind == WS_FAILED) {
		return err_set(err, E_IO, "closed", "the engine closed the connection: %u %.*s",
		               event->close_code, SPAN_ARG(event->data));
	}
	if (kind == WS_PING) {
		ws_write(&peer->ws, &peer->out, WS_PONG, event->data);
	}
	if (kind != WS_TEXT) {
		return E_AGAIN;
	}
	return message_parse(event->data, MESSAGE_FROM_ENGINE, &peer->scratch, out, err);
}

int peer_read(struct peer *peer, peer_frame_fn *fn, void *ctx, struct err *err)
{
	ssize_t got = read(peer->fd, peer->in.ptr, READ_BYTES);
	if (got < 0 && errno == EAGAIN) {
		return 0;
	}
	if (got <= 0) {
		return err_errno(err, got < 0 ? errno : ECONNRESET, "reading from the socket");
	}
	char *at = peer->in.ptr;
	for (size_t left = (size_t)got; left > 0;) {
		size_t used;
		struct ws_event event;
		struct message frame;
		enum ws_kind kind = ws_feed(&peer->ws, at, left, &used, &event);
		int status = on_bytes(peer, kind, &event, &frame, err);
		at += used;
		left -= used;
		if (status == 0) {
			fn(ctx, peer, &frame);
		} else if (status != E_AGAIN) {
			return status;
		}
	}
	return 0;
}
