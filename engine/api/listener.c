/* This file binds one place where peers connect: TCP, TCP for TLS, or a Unix socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/listener.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/api/socket_file.h"
#include "wire/tls.h"
#include <netdb.h>
#include <netinet/in.h>
#include <uv.h>

enum { BACKLOG = 1024 };
#define WARN_MS (14 * 24 * 3600 * 1000LL) /* a certificate that ends so soon is told of */

struct listener {
	union {
		uv_handle_t any;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} handle;
	struct listener_owner owner;
	enum listener_kind kind;
	struct tls_context *tls;
	struct origin_rule rule;
	char *host;
	struct buf address;
	struct socket_file *file; /* LISTENER_UNIX */
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* ---- addresses ---- */

/* "host:port" or "[v6]:port" taken apart; the host is the caller's to free. */
static int parse_listen(const char *listen, char **out_host, uint16_t *out_port, struct err *err)
{
	const char *colon = strrchr(listen, ':');
	uint64_t port = 0;
	if (colon == NULL || colon == listen || !id_parse_uint(span_of(colon + 1), &port) ||
	    port > UINT16_MAX) {
		return err_set(err, E_INVALID, "invalid_listen",
		               "listen: %s is not host:port or [address]:port", listen);
	}
	struct span host = span_make(listen, (size_t)(colon - listen));
	bool is_bracketed = host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
	if (is_bracketed) {
		host = span_make(host.ptr + 1, host.len - 2);
	} else if (memchr(host.ptr, ':', host.len)) {
		return err_set(err, E_INVALID, "invalid_listen",
		               "listen: an IPv6 address needs brackets: [%.*s]:%s", SPAN_ARG(host),
		               colon + 1);
	}
	*out_host = mem_copy(host.ptr, host.len);
	*out_port = (uint16_t)port;
	return 0;
}

/* Blocks for a name that is not an address: the daemon is starting. */
static int resolve(const char *host, uint16_t port, struct sockaddr_storage *out, struct err *err)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
	                         .ai_socktype = SOCK_STREAM,
	                         .ai_flags = AI_PASSIVE | AI_ADDRCONFIG};
	if (strcmp(host, "localhost") == 0) {
		hints.ai_family = AF_INET; /* one listener: the address that clients try for sure */
	}
	struct addrinfo *found = NULL;
	int status = getaddrinfo(host, NULL, &hints, &found);
	if (status == EAI_ADDRFAMILY || status == EAI_NONAME) {
		hints.ai_flags = AI_PASSIVE; /* ::1 on a machine without other IPv6 addresses */
		status = getaddrinfo(host, NULL, &hints, &found);
	}
	if (status != 0) {
		return err_set(err, E_INVALID, "invalid_listen", "listen: %s: %s", host,
		               gai_strerror(status));
	}
	memcpy(out, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	if (out->ss_family == AF_INET6) {
		((struct sockaddr_in6 *)(void *)out)->sin6_port = htons(port);
	} else {
		((struct sockaddr_in *)(void *)out)->sin_port = htons(port);
	}
	return 0;
}

/* ---- a life ---- */

static void on_connection(uv_stream_t *stream, int status)
{
	struct listener *listener = stream->data;
	listener->owner.connected(listener->owner.ctx, listener, status);
}

/* Reads back the port that the system chose. */
static void learn_port(struct listener *listener)
{
	struct sockaddr_storage name;
	int len = sizeof(name);
	(void)uv_tcp_getsockname(&listener->handle.tcp, (struct sockaddr *)&name, &len);
	bool is_six = name.ss_family == AF_INET6;
	listener->rule.port = ntohs(is_six ? ((struct sockaddr_in6 *)(void *)&name)->sin6_port
	                                   : ((struct sockaddr_in *)(void *)&name)->sin_port);
	bool needs_brackets = strchr(listener->host, ':') != NULL;
	buf_format(&listener->address, needs_brackets ? "[%s]:%u" : "%s:%u", listener->host,
	           listener->rule.port);
	buf_byte(&listener->address, '\0');
}

static int listen_failed(int status, const char *place, struct err *err)
{
	if (status == UV_EADDRINUSE) {
		return err_set(err, E_BUSY, "address_in_use",
		               "listen: another process listens on %s", place);
	}
	return err_set(err, E_IO, "listen_failed", "listen: %s: %s", place, uv_strerror(status));
}

static int bind_tcp(struct listener *listener, const char *place, struct err *err)
{
	struct sockaddr_storage where;
	uint16_t port = 0;
	int status = parse_listen(place, &listener->host, &port, err);
	if (status == 0) {
		status = resolve(listener->host, port, &where, err);
	}
	if (status != 0) {
		return status;
	}
	status = uv_tcp_bind(&listener->handle.tcp, (const struct sockaddr *)&where, 0);
	if (status == 0) {
		status = uv_listen(&listener->handle.stream, BACKLOG, on_connection);
	}
	if (status != 0) {
		return listen_failed(status, place, err);
	}
	listener->rule.listen_host = span_of(listener->host);
	learn_port(listener);
	return 0;
}

static int bind_unix(struct listener *listener, const struct listener_options *options,
                     struct err *err)
{
	int fd;
	const struct socket_file_options file = {
	        .path = options->place, .mode = options->mode, .group = options->group};
	int status = socket_file_open(&file, &listener->file, &fd, err);
	if (status != 0) {
		return status;
	}
	status = uv_pipe_open(&listener->handle.pipe, fd);
	POST(status == 0); /* it is a socket of ours */
	status = uv_listen(&listener->handle.stream, BACKLOG, on_connection);
	socket_file_unlock(listener->file);
	if (status != 0) {
		return listen_failed(status, options->place, err);
	}
	buf_span(&listener->address, span_of(options->place));
	buf_byte(&listener->address, '\0');
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct listener *listener = handle->data;
	listener->closed(listener->closed_ctx);
}

static void free_failed(void *ctx)
{
	listener_free(ctx);
}

int listener_open(const struct listener_owner *owner, enum listener_kind kind,
                  const struct listener_options *options, struct listener **out, struct err *err)
{
	struct listener *listener = MEM_NEW(struct listener);
	listener->owner = *owner;
	listener->kind = kind;
	listener->rule.kind = kind == LISTENER_UNIX  ? ORIGIN_LOCAL
	                      : kind == LISTENER_TLS ? ORIGIN_SECURE
	                                             : ORIGIN_PLAIN;
	listener_set_tls(listener, options->tls);
	int status;
	if (kind == LISTENER_UNIX) {
		(void)uv_pipe_init(owner->loop, &listener->handle.pipe, 0); /* cannot fail */
		listener->handle.any.data = listener;
		status = bind_unix(listener, options, err);
	} else {
		(void)uv_tcp_init(owner->loop, &listener->handle.tcp); /* likewise */
		listener->handle.any.data = listener;
		status = bind_tcp(listener, options->place, err);
	}
	if (status != 0) {
		listener_close(listener, free_failed, listener);
		return status;
	}
	*out = listener;
	return 0;
}

void listener_close(struct listener *listener, void (*closed)(void *ctx), void *ctx)
{
	listener->closed = closed;
	listener->closed_ctx = ctx;
	socket_file_close(listener->file);
	listener->file = NULL;
	uv_close(&listener->handle.any, on_closed);
}

void listener_free(struct listener *listener)
{
	if (listener != NULL) {
		tls_context_drop(listener->tls);
		mem_free(listener->host);
		buf_free(&listener->address);
		mem_free(listener);
	}
}

/* ---- questions ---- */

enum listener_kind listener_kind(const struct listener *listener)
{
	return listener->kind;
}

uint16_t listener_port(const struct listener *listener)
{
	return listener->rule.port;
}

const char *listener_address(const struct listener *listener)
{
	return listener->address.ptr;
}

struct uv_stream_s *listener_stream(struct listener *listener)
{
	return &listener->handle.stream;
}

struct tls_context *listener_tls(const struct listener *listener)
{
	return listener->tls;
}

static void say_certificate(const struct tls_context *tls)
{
	char until[CLOCK_TEXT_LEN + 1];
	int64_t until_ms = tls_context_until_ms(tls);
	clock_format(until_ms, until);
	int64_t left_ms = until_ms - clock_wall_ms();
	if (left_ms < 0) {
		log_warn("tls", "the certificate has ended on %s: clients will not trust it",
		         until);
	} else if (left_ms < WARN_MS) {
		log_warn("tls", "the certificate ends soon, on %s", until);
	} else {
		log_info("tls", "the certificate is good until %s", until);
	}
}

void listener_set_tls(struct listener *listener, struct tls_context *tls)
{
	struct tls_context *old = listener->tls;
	listener->tls = tls ? tls_context_take(tls) : NULL;
	tls_context_drop(old);
	if (tls != NULL && tls != old) {
		say_certificate(tls);
	}
}

struct origin_rule *listener_rule(struct listener *listener)
{
	return &listener->rule;
}

/* ---- refusing ---- */

static void on_stray_closed(uv_handle_t *handle)
{
	mem_free(handle);
}

void listener_turn_away(struct listener *listener)
{
	uv_stream_t *stray;
	if (listener->kind == LISTENER_UNIX) {
		uv_pipe_t *pipe = MEM_NEW(uv_pipe_t);
		(void)uv_pipe_init(listener->owner.loop, pipe, 0);
		stray = (uv_stream_t *)pipe;
	} else {
		uv_tcp_t *tcp = MEM_NEW(uv_tcp_t);
		(void)uv_tcp_init(listener->owner.loop, tcp);
		stray = (uv_stream_t *)tcp;
	}
	(void)uv_accept(&listener->handle.stream, stray);
	uv_close((uv_handle_t *)stray, on_stray_closed);
}
