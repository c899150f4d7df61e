/* This file listens: it accepts connections, limits them, and lets them finish at the end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/server.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include <netdb.h>
#include <netinet/in.h>
#include <uv.h>

enum {
	BACKLOG = 1024,
	REFUSED_MAX = 64, /* connections that are being told 503; over this they are just closed */
	COMPLAIN_MS = 10 * 1000
};

struct server {
	uv_tcp_t listener;
	struct conn_group *group;
	struct exchange_host *host;
	struct conn_upgrade upgrade;
	struct origin_rule rule;
	char **origins; /* copies that the rule points to */
	char **hosts;
	char *listen_host;
	struct buf address;
	int64_t complained_ms;
	unsigned to_close; /* the listener and the group */
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* ---- where to listen ---- */

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

/* ---- accepting ---- */

static void on_stray_closed(uv_handle_t *handle)
{
	mem_free(handle);
}

/* Takes a connection off the queue only to close it. */
static void turn_away(struct server *server)
{
	uv_tcp_t *stray = MEM_NEW(uv_tcp_t);
	(void)uv_tcp_init(server->listener.loop, stray);
	(void)uv_accept((uv_stream_t *)&server->listener, (uv_stream_t *)stray);
	uv_close((uv_handle_t *)stray, on_stray_closed);
}

/* At most one line in COMPLAIN_MS: what is logged here comes in floods. */
static void complain(struct server *server, const char *what)
{
	int64_t now = clock_real_ms();
	if (server->complained_ms == 0 || now - server->complained_ms >= COMPLAIN_MS) {
		server->complained_ms = now;
		log_warn("server", "%s with %u connections open", what,
		         conn_group_count(server->group));
	}
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct server *server = listener->data;
	if (status < 0) {
		/* EMFILE: libuv has accepted and closed it by its spare descriptor. */
		complain(server, uv_strerror(status));
		return;
	}
	uint32_t count = conn_group_count(server->group);
	uint32_t most = conn_group_limits(server->group)->max_connections;
	if (count < most) {
		exchange_accept(server->host, listener, false);
		return;
	}
	complain(server, "refusing connections (max_connections)");
	if (count - most < REFUSED_MAX) {
		exchange_accept(server->host, listener, true);
	} else {
		turn_away(server);
	}
}

/* ---- a life ---- */

static char **copy_list(const char *const *list)
{
	size_t count = 0;
	while (list && list[count]) {
		count++;
	}
	char **copy = MEM_ARRAY(char *, count + 1);
	for (size_t i = 0; i < count; i++) {
		copy[i] = mem_text(list[i]);
	}
	return copy;
}

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++) {
		mem_free(list[i]);
	}
	mem_free(list);
}

static void server_free(struct server *server)
{
	free_list(server->origins);
	free_list(server->hosts);
	mem_free(server->listen_host);
	buf_free(&server->address);
	mem_free(server);
}

static void set_rule(struct server *server, const struct server_options *options)
{
	free_list(server->origins);
	free_list(server->hosts);
	server->origins = copy_list(options->allowed_origins);
	server->hosts = copy_list(options->allowed_hosts);
	server->rule.allowed_origins = (const char *const *)server->origins;
	server->rule.allowed_hosts = (const char *const *)server->hosts;
}

/* Reads back the port that the system chose. */
static void learn_port(struct server *server)
{
	struct sockaddr_storage name;
	int len = sizeof(name);
	(void)uv_tcp_getsockname(&server->listener, (struct sockaddr *)&name, &len);
	bool is_six = name.ss_family == AF_INET6;
	server->rule.port = ntohs(is_six ? ((struct sockaddr_in6 *)(void *)&name)->sin6_port
	                                 : ((struct sockaddr_in *)(void *)&name)->sin_port);
	bool needs_brackets = strchr(server->listen_host, ':') != NULL;
	buf_format(&server->address, needs_brackets ? "[%s]:%u" : "%s:%u", server->listen_host,
	           server->rule.port);
	buf_byte(&server->address, '\0');
}

static int start_listening(struct server *server, const struct sockaddr_storage *where,
                           const char *listen, struct err *err)
{
	int status = uv_tcp_bind(&server->listener, (const struct sockaddr *)where, 0);
	if (status == 0) {
		status = uv_listen((uv_stream_t *)&server->listener, BACKLOG, on_connection);
	}
	if (status == UV_EADDRINUSE) {
		return err_set(err, E_BUSY, "address_in_use",
		               "listen: another process listens on %s", listen);
	}
	if (status != 0) {
		return err_set(err, E_IO, "listen_failed", "listen: %s: %s", listen,
		               uv_strerror(status));
	}
	learn_port(server);
	return 0;
}

static void on_failed_closed(uv_handle_t *handle)
{
	server_free(handle->data);
}

int server_open(uv_loop_t *loop, struct alarms *alarms, const struct server_options *options,
                struct server **out, struct err *err)
{
	struct server *server = MEM_NEW(struct server);
	struct sockaddr_storage where;
	uint16_t port = 0;
	int status = parse_listen(options->listen, &server->listen_host, &port, err);
	if (status == 0) {
		status = resolve(server->listen_host, port, &where, err);
	}
	if (status != 0) {
		server_free(server);
		return status;
	}
	(void)uv_tcp_init(loop, &server->listener); /* without a socket yet it cannot fail */
	server->listener.data = server;
	status = start_listening(server, &where, options->listen, err);
	if (status != 0) {
		uv_close((uv_handle_t *)&server->listener, on_failed_closed);
		return status;
	}
	set_rule(server, options);
	server->rule.listen_host = span_of(server->listen_host);
	server->upgrade = options->upgrade;
	server->group = conn_group_new(loop, alarms, &options->limits);
	server->host = exchange_host_new(server->group, &server->rule, &options->handler,
	                                 &server->upgrade);
	*out = server;
	return 0;
}

uint16_t server_port(const struct server *server)
{
	return server->rule.port;
}

const char *server_address(const struct server *server)
{
	return server->address.ptr;
}

uint32_t server_connections(const struct server *server)
{
	return conn_group_count(server->group);
}

void server_configure(struct server *server, const struct server_options *options)
{
	set_rule(server, options);
	conn_group_set_limits(server->group, &options->limits);
}

void server_flush(struct server *server)
{
	conn_group_flush(server->group);
}

void server_pause_reading(struct server *server, bool pause)
{
	conn_group_pause_reading(server->group, pause);
}

/* ---- the end ---- */

static void one_closed(struct server *server)
{
	if (--server->to_close > 0) {
		return;
	}
	exchange_host_free(server->host);
	void (*closed)(void *ctx) = server->closed;
	void *ctx = server->closed_ctx;
	server_free(server);
	closed(ctx);
}

static void on_listener_closed(uv_handle_t *handle)
{
	one_closed(handle->data);
}

static void on_group_freed(void *ctx)
{
	one_closed(ctx);
}

static void say_goodbye(void *ctx, struct conn *conn)
{
	(void)ctx;
	if (websocket_is(conn)) {
		websocket_close(conn, WS_CLOSE_AWAY, SPAN("shutting down"));
	}
}

void server_close(struct server *server, int64_t grace_ms, void (*closed)(void *ctx), void *ctx)
{
	server->closed = closed;
	server->closed_ctx = ctx;
	server->to_close = 2;
	uv_close((uv_handle_t *)&server->listener, on_listener_closed);
	exchange_host_drain(server->host);
	conn_group_each(server->group, say_goodbye, NULL);
	conn_group_free(server->group, grace_ms, on_group_freed, server);
}
