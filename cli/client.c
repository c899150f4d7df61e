/* This file asks a running engine over HTTP and waits for the answer, or for its pieces. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"

#include "base/mem.h"
#include "base/token_text.h"
#include "cli/files.h"
#include "wire/http_answer.h"

enum { CHUNK = 64 * 1024 };

struct client {
	struct link *link;
	char *token;
	struct http_answer *reader;
};

/* How far an answer has come. */
enum progress { PART, WHOLE, BROKEN, ABANDONED };

/* Only what is a token goes into a header. */
static int take_token(const struct client_options *options, char **out, struct err *err)
{
	struct buf text = {0};
	int status = 0;
	if (options->token_file != NULL) {
		status = files_read(options->token_file, &text, err);
	} else if (options->token != NULL) {
		buf_span(&text, span_of(options->token));
	}
	while (text.len != 0 && strchr(" \t\r\n", text.ptr[text.len - 1]) != NULL) {
		text.len--;
	}
	if (status == 0 && text.len != 0) {
		if (token_text_is_whole(buf_view(&text))) {
			*out = mem_copy(text.ptr, text.len);
		} else {
			status = err_set(err, E_INVALID, "invalid_token",
			                 "what stands in %s is no token: it must be pawl_ and 43 "
			                 "characters",
			                 options->token_file ? options->token_file : "PAWL_TOKEN");
		}
	}
	buf_free(&text);
	return status;
}

int client_new(const struct client_options *options, struct client **out, struct err *err)
{
	struct link *link = NULL;
	char *token = NULL;
	int status = take_token(options, &token, err);
	if (status == 0) {
		status = link_new(&options->link, &link, err);
	}
	if (status != 0) {
		mem_free(token);
		return status;
	}
	struct client *client = MEM_NEW(struct client);
	client->link = link;
	client->token = token;
	client->reader = http_answer_new();
	*out = client;
	return 0;
}

static void disconnect(struct client *client)
{
	link_disconnect(client->link);
	http_answer_free(client->reader);
	client->reader = http_answer_new();
}

void client_free(struct client *client)
{
	if (client != NULL) {
		link_free(client->link);
		http_answer_free(client->reader);
		mem_free(client->token);
		mem_free(client);
	}
}

/* ---- the request ---- */

static void compose(const struct client *client, const struct client_request *request,
                    struct buf *out)
{
	buf_format(out, "%s %s%.*s HTTP/1.1\r\nHost: %s\r\n", request->method,
	           link_prefix(client->link), SPAN_ARG(request->path), link_host(client->link));
	if (client->token != NULL) {
		buf_format(out, "Authorization: Bearer %s\r\n", client->token);
	}
	buf_span(out, request->headers);
	if (request->body.ptr != NULL) {
		buf_format(out, "Content-Type: %s\r\nContent-Length: %zu\r\n",
		           request->body_type ? request->body_type : "application/json",
		           request->body.len);
	}
	BUF_LITERAL(out, "\r\n");
	buf_span(out, request->body);
}

/* ---- the answer ---- */

static void take_etag(const struct client *client, struct client_answer *out)
{
	struct span etag = http_answer_header(client->reader, SPAN("etag"));
	if (etag.len >= 2 && etag.len < sizeof out->etag + 2 && etag.ptr[0] == '"') {
		memcpy(out->etag, etag.ptr + 1, etag.len - 2);
		out->etag[etag.len - 2] = '\0';
	}
}

/* Shows the reader what came. */
static enum progress take(struct client *client, const struct client_request *request,
                          struct span bytes, struct client_answer *out)
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
			if (request->piece == NULL || out->status >= 400) {
				buf_span(&out->body, piece);
			} else if (!request->piece(request->piece_ctx, piece)) {
				return ABANDONED;
			}
			break;
		case HTTP_ANSWER_MORE:
			return PART;
		case HTTP_ANSWER_DONE:
			return WHOLE;
		case HTTP_ANSWER_FAILED:
			return BROKEN;
		}
	}
}

static enum progress receive(struct client *client, const struct client_request *request,
                             struct client_answer *out)
{
	static char chunk[CHUNK];
	enum progress progress = PART;
	while (progress == PART) {
		long got = link_receive(client->link, chunk, sizeof chunk);
		if (got <= 0) {
			bool is_whole =
			        got == 0 && out->status != 0 && http_answer_end(client->reader);
			return is_whole ? WHOLE : BROKEN;
		}
		progress = take(client, request, span_make(chunk, (size_t)got), out);
	}
	return progress;
}

/* ---- both ---- */

int client_send(struct client *client, const struct client_request *request,
                struct client_answer *out, struct err *err)
{
	bool reused = link_is_connected(client->link);
	if (!reused && link_connect(client->link, err) != 0) {
		return err->number;
	}
	struct buf bytes = {0};
	compose(client, request, &bytes);
	*out = (struct client_answer){0};
	if (strcmp(request->method, "HEAD") == 0) {
		http_answer_expect_no_body(client->reader);
	}
	bool sent = link_send(client->link, buf_view(&bytes));
	enum progress progress = sent ? receive(client, request, out) : BROKEN;
	buf_free(&bytes);
	out->is_abandoned = progress == ABANDONED;
	if (progress == BROKEN) {
		bool is_silent = out->status == 0;
		buf_free(&out->body);
		disconnect(client);
		/* A kept connection may have ended while nobody looked; a request that was not
		 * answered on it is only asked again when it changes nothing. */
		if (reused && is_silent && strcmp(request->method, "GET") == 0) {
			return client_send(client, request, out, err);
		}
		return link_unreachable(client->link, "the connection ended before the answer",
		                        err);
	}
	if (progress == ABANDONED || !http_answer_keeps_alive(client->reader)) {
		disconnect(client);
	}
	return 0;
}

int client_ask(struct client *client, const char *method, struct span path, struct span body,
               struct client_answer *out, struct err *err)
{
	const struct client_request request = {.method = method, .path = path, .body = body};
	return client_send(client, &request, out, err);
}
