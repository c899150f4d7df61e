/* This file sends one HTTP request at a time over a blocking socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"

#include "base/mem.h"
#include "wire/http_answer.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { TIMEOUT_S = 120, CHUNK = 64 * 1024 };

struct client {
	char *host;
	char *port;
	char *prefix; /* path of the URL, "" for none */
	int fd;       /* -1: not connected */
	struct http_answer *reader;
};

int client_new(const char *url, struct client **out, struct err *err)
{
	static const char scheme[] = "http://";
	if (strncmp(url, scheme, sizeof scheme - 1) != 0) {
		return err_set(
		        err, E_INVALID, "invalid_url",
		        "\"%s\" is no address of an engine: it must be like http://127.0.0.1:49134",
		        url);
	}
	const char *host = url + sizeof scheme - 1;
	size_t authority = strcspn(host, "/");
	const char *colon = NULL;
	for (size_t i = 0; i < authority; i++) {
		colon = host[i] == ':' ? host + i : host[i] == ']' ? NULL : colon;
	}
	size_t host_len = colon ? (size_t)(colon - host) : authority;
	bool in_brackets = host_len > 2 && host[0] == '[' && host[host_len - 1] == ']';
	struct client *client = MEM_NEW(struct client);
	client->host = in_brackets ? mem_copy(host + 1, host_len - 2) : mem_copy(host, host_len);
	client->port = colon ? mem_copy(colon + 1, authority - host_len - 1) : mem_text("80");
	size_t prefix_len = strlen(host + authority);
	while (prefix_len > 0 && host[authority + prefix_len - 1] == '/') {
		prefix_len--;
	}
	client->prefix = mem_copy(host + authority, prefix_len);
	client->fd = -1;
	client->reader = http_answer_new();
	*out = client;
	return 0;
}

static void disconnect(struct client *client)
{
	if (client->fd >= 0) {
		(void)close(client->fd);
		client->fd = -1;
	}
	http_answer_free(client->reader);
	client->reader = http_answer_new();
}

void client_free(struct client *client)
{
	if (client != NULL) {
		disconnect(client);
		http_answer_free(client->reader);
		mem_free(client->host);
		mem_free(client->port);
		mem_free(client->prefix);
		mem_free(client);
	}
}

static int unreachable(const struct client *client, const char *why, struct err *err)
{
	return err_set(err, E_IO, "unreachable",
	               "no engine answers at http://%s:%s (%s); start one with `pawl run`, or name "
	               "another with PAWL_URL or --url",
	               client->host, client->port, why);
}

static int connect_to(struct client *client, struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	int failed = getaddrinfo(client->host, client->port, &hints, &found);
	if (failed != 0) {
		return unreachable(client, gai_strerror(failed), err);
	}
	int why = 0;
	for (const struct addrinfo *at = found; at != NULL && client->fd < 0; at = at->ai_next) {
		int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
		if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0) {
			client->fd = fd;
		} else {
			why = errno;
			if (fd >= 0) {
				(void)close(fd);
			}
		}
	}
	freeaddrinfo(found);
	if (client->fd < 0) {
		return unreachable(client, strerror(why), err);
	}
	const struct timeval limit = {.tv_sec = TIMEOUT_S};
	const int on = 1;
	(void)setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	(void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return 0;
}

static bool send_all(int fd, struct span bytes)
{
	while (bytes.len != 0) {
		ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR) {
			return false;
		}
		if (sent > 0) {
			bytes.ptr += sent;
			bytes.len -= (size_t)sent;
		}
	}
	return true;
}

static void take_etag(const struct client *client, struct client_answer *out)
{
	struct span etag = http_answer_header(client->reader, SPAN("etag"));
	if (etag.len >= 2 && etag.len < sizeof out->etag + 2 && etag.ptr[0] == '"') {
		memcpy(out->etag, etag.ptr + 1, etag.len - 2);
		out->etag[etag.len - 2] = '\0';
	}
}

/* Shows the reader what came. True when the answer is whole, or cannot be one (*failed). */
static bool take(struct client *client, struct span bytes, struct client_answer *out, bool *failed)
{
	for (;;) {
		size_t used;
		struct span piece;
		struct http_fault fault;
		enum http_answer_step step =
		        http_answer_feed(client->reader, bytes, &used, &piece, &fault);
		bytes.ptr += used;
		bytes.len -= used;
		switch (step) {
		case HTTP_ANSWER_HEAD:
			out->status = http_answer_status(client->reader);
			take_etag(client, out);
			break;
		case HTTP_ANSWER_BODY:
			buf_span(&out->body, piece);
			break;
		case HTTP_ANSWER_MORE:
			return false;
		case HTTP_ANSWER_DONE:
			return true;
		case HTTP_ANSWER_FAILED:
			*failed = true;
			return true;
		}
	}
}

/* False when the connection ended before a whole answer came. */
static bool receive(struct client *client, struct client_answer *out)
{
	static char chunk[CHUNK];
	bool failed = false;
	bool whole = false;
	while (!whole) {
		ssize_t got = recv(client->fd, chunk, sizeof chunk, 0);
		if (got == 0) {
			return http_answer_end(client->reader);
		}
		if (got < 0 && errno != EINTR) {
			return false;
		}
		whole = got > 0 && take(client, span_make(chunk, (size_t)got), out, &failed);
	}
	return !failed;
}

int client_ask(struct client *client, const char *method, struct span path, struct span body,
               struct client_answer *out, struct err *err)
{
	bool reused = client->fd >= 0;
	if (!reused && connect_to(client, err) != 0) {
		return err->number;
	}
	struct buf request = {0};
	buf_format(&request, "%s %s%.*s HTTP/1.1\r\nHost: %s:%s\r\n", method, client->prefix,
	           SPAN_ARG(path), client->host, client->port);
	if (body.ptr != NULL) {
		buf_format(&request, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
		           body.len);
	}
	BUF_LITERAL(&request, "\r\n");
	buf_span(&request, body);
	*out = (struct client_answer){0};
	if (strcmp(method, "HEAD") == 0) {
		http_answer_expect_no_body(client->reader);
	}
	bool whole = send_all(client->fd, buf_view(&request)) && receive(client, out);
	buf_free(&request);
	if (!whole) {
		buf_free(&out->body);
		disconnect(client);
		/* A kept connection may have ended while nobody looked; a request that was not
		 * answered on it is only asked again when it changes nothing. */
		if (reused && strcmp(method, "GET") == 0) {
			return client_ask(client, method, path, body, out, err);
		}
		return unreachable(client, "the connection ended before the answer", err);
	}
	if (!http_answer_keeps_alive(client->reader)) {
		disconnect(client);
	}
	return 0;
}
