/* This file carries bytes to and from an engine over a blocking socket: TCP, TLS or Unix. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/link.h"

#include "base/buf.h"
#include "base/mem.h"
#include "wire/tls.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { TIMEOUT_S = 120, CHUNK = 32 * 1024 };

struct link {
	char *url;
	char *path; /* of a Unix socket; NULL: TCP */
	char *host;
	char *port;
	char *authority; /* both, as they stand in the URL */
	char *prefix;
	int fd; /* -1: not connected */

	bool is_secure;
	bool insecure_tls;
	char *ca_file;
	struct tls_context *context; /* from the first connection on */
	struct tls *tls;             /* NULL: the bytes go as they are */
	struct buf plain;            /* what came and was not asked for yet */
	struct buf wire;             /* what must go out */
};

/* ---- where the engine is ---- */

/* "host:port/prefix" with what is usual where something is left out. */
static void read_place(struct link *link, const char *place, const char *usual_port)
{
	size_t authority = strcspn(place, "/");
	const char *colon = NULL;
	for (size_t i = 0; i < authority; i++) {
		colon = place[i] == ':' ? place + i : place[i] == ']' ? NULL : colon;
	}
	size_t host = colon ? (size_t)(colon - place) : authority;
	bool in_brackets = host > 2 && place[0] == '[' && place[host - 1] == ']';
	size_t prefix = strlen(place + authority);
	while (prefix > 0 && place[authority + prefix - 1] == '/') {
		prefix--;
	}
	link->host = in_brackets ? mem_copy(place + 1, host - 2) : mem_copy(place, host);
	link->port = colon ? mem_copy(colon + 1, authority - host - 1) : mem_text(usual_port);
	link->authority = mem_copy(place, authority);
	link->prefix = mem_copy(place + authority, prefix);
}

int link_new(const struct link_options *options, struct link **out, struct err *err)
{
	const char *url = options->url;
	struct span text = span_of(url);
	struct span unix_scheme = SPAN("unix:");
	struct span http_scheme = SPAN("http://");
	struct span tls_scheme = SPAN("https://");
	struct sockaddr_un longest;
	struct link *link = MEM_NEW(struct link);
	link->fd = -1;
	link->url = mem_text(url);
	link->ca_file = mem_text(options->ca_file);
	link->insecure_tls = options->insecure_tls;
	if (span_starts_with(text, http_scheme)) {
		read_place(link, url + http_scheme.len, "80");
	} else if (span_starts_with(text, tls_scheme)) {
		read_place(link, url + tls_scheme.len, "443");
		link->is_secure = true;
	} else if (span_starts_with(text, unix_scheme) && text.len > unix_scheme.len &&
	           text.len - unix_scheme.len < sizeof longest.sun_path) {
		link->path = mem_text(url + unix_scheme.len);
		read_place(link, "localhost", "");
	} else {
		link_free(link);
		return err_set(err, E_INVALID, "invalid_url",
		               "\"%s\" is no address of an engine: it must be like "
		               "http://127.0.0.1:49134, https://pawl.example.com:49135 or "
		               "unix:/run/pawl/pawl.sock",
		               url);
	}
	*out = link;
	return 0;
}

void link_free(struct link *link)
{
	if (link == NULL) {
		return;
	}
	link_disconnect(link);
	tls_context_drop(link->context);
	buf_free(&link->plain);
	buf_free(&link->wire);
	mem_free(link->url);
	mem_free(link->ca_file);
	mem_free(link->path);
	mem_free(link->host);
	mem_free(link->port);
	mem_free(link->authority);
	mem_free(link->prefix);
	mem_free(link);
}

const char *link_prefix(const struct link *link)
{
	return link->prefix;
}

const char *link_host(const struct link *link)
{
	return link->authority;
}

int link_unreachable(const struct link *link, const char *why, struct err *err)
{
	return err_set(err, E_IO, "unreachable",
	               "no engine answers at %s (%s); start one with `pawl run`, or name another "
	               "with PAWL_URL or --url",
	               link->url, why);
}

/* ---- connecting ---- */

/* A socket that is connected, or -1 with errno. */
static int dial(int family, int protocol, const struct sockaddr *address, socklen_t len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol);
	if (fd < 0 || connect(fd, address, len) == 0) {
		return fd;
	}
	int why = errno;
	(void)close(fd);
	errno = why;
	return -1;
}

static int connect_path(struct link *link, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, link->path, strlen(link->path) + 1); /* link_new has measured it */
	link->fd = dial(AF_UNIX, 0, (const struct sockaddr *)&address, sizeof address);
	return link->fd < 0 ? link_unreachable(link, strerror(errno), err) : 0;
}

static int connect_host(struct link *link, struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	int failed = getaddrinfo(link->host, link->port, &hints, &found);
	if (failed != 0) {
		return link_unreachable(link, gai_strerror(failed), err);
	}
	int why = 0;
	for (const struct addrinfo *at = found; at != NULL && link->fd < 0; at = at->ai_next) {
		link->fd = dial(at->ai_family, at->ai_protocol, at->ai_addr, at->ai_addrlen);
		why = errno;
	}
	freeaddrinfo(found);
	if (link->fd < 0) {
		return link_unreachable(link, strerror(why), err);
	}
	const int on = 1;
	(void)setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return 0;
}

/* ---- bytes as they are ---- */

static bool send_raw(struct link *link, struct span bytes)
{
	while (bytes.len != 0) {
		ssize_t sent = send(link->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
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

static long receive_raw(struct link *link, char *bytes, size_t room)
{
	for (;;) {
		ssize_t got = recv(link->fd, bytes, room, 0);
		if (got >= 0 || errno != EINTR) {
			return got;
		}
	}
}

/* ---- bytes of TLS ---- */

static bool send_wire(struct link *link)
{
	bool sent = send_raw(link, buf_view(&link->wire));
	buf_clear(&link->wire);
	return sent;
}

/* Waits for bytes of the peer and makes plain ones of them. 1; 0 at the end; -1 when the connection
 * broke (errno); or E_*. */
static int receive_wire(struct link *link, struct err *err)
{
	char bytes[CHUNK];
	long got = receive_raw(link, bytes, sizeof bytes);
	if (got <= 0) {
		return (int)got;
	}
	int status = tls_receive(link->tls, span_make(bytes, (size_t)got), &link->plain,
	                         &link->wire, err);
	bool sent = send_wire(link);
	if (status != 0) {
		return status;
	}
	return sent ? 1 : -1;
}

/* Why there is no TLS with this peer. */
static int explain(const struct link *link, int got, const struct err *why, struct err *err)
{
	if (got == E_DENIED) {
		return err_set(err, E_IO, "untrusted",
		               "the engine at %s is not trusted: %s; name who signed its "
		               "certificate with --ca FILE or PAWL_CA",
		               link->url, why->text);
	}
	if (got == E_INVALID) {
		return link_unreachable(link, why->text, err);
	}
	return link_unreachable(link, got == 0 ? "it hung up" : strerror(errno), err);
}

static int shake_hands(struct link *link, struct err *err)
{
	struct err why = {0};
	const struct tls_trust trust = {.ca_file = link->ca_file, .anyone = link->insecure_tls};
	if (link->context == NULL && tls_context_ask(&trust, &link->context, err) != 0) {
		return err->number;
	}
	link->tls = tls_new_client(link->context, link->host);
	(void)tls_receive(link->tls, SPAN_NONE, &link->plain, &link->wire, &why);
	int got = send_wire(link) ? 1 : -1;
	while (got == 1 && tls_state(link->tls) == TLS_SHAKING) {
		got = receive_wire(link, &why);
	}
	return got == 1 ? 0 : explain(link, got, &why, err);
}

/* ---- for all ---- */

int link_connect(struct link *link, struct err *err)
{
	int status = link->path ? connect_path(link, err) : connect_host(link, err);
	if (status == 0) {
		const struct timeval limit = {.tv_sec = TIMEOUT_S};
		(void)setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	}
	if (status == 0 && link->is_secure) {
		status = shake_hands(link, err);
	}
	if (status != 0) {
		link_disconnect(link);
	}
	return status;
}

bool link_is_connected(const struct link *link)
{
	return link->fd >= 0;
}

void link_disconnect(struct link *link)
{
	if (link->fd < 0) {
		return;
	}
	if (link->tls != NULL) {
		tls_end(link->tls, &link->wire);
		(void)send_wire(link); /* who has gone misses nothing */
		tls_free(link->tls);
		link->tls = NULL;
		buf_clear(&link->plain);
	}
	(void)close(link->fd);
	link->fd = -1;
}

bool link_send(struct link *link, struct span bytes)
{
	struct err err;
	if (link->tls == NULL) {
		return send_raw(link, bytes);
	}
	return tls_state(link->tls) == TLS_OPEN &&
	       tls_send(link->tls, bytes, &link->wire, &err) == 0 && send_wire(link);
}

long link_receive(struct link *link, char *bytes, size_t room)
{
	struct err err;
	if (link->tls == NULL) {
		return receive_raw(link, bytes, room);
	}
	while (link->plain.len == 0) {
		if (tls_state(link->tls) == TLS_ENDED) {
			return 0;
		}
		if (receive_wire(link, &err) != 1) {
			return -1; /* an end without goodbye may be somebody else's doing */
		}
	}
	size_t len = link->plain.len < room ? link->plain.len : room;
	memcpy(bytes, link->plain.ptr, len);
	buf_remove_front(&link->plain, len);
	return (long)len;
}
