/* This file listens: it accepts connections, limits them, and lets them finish at the end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/server.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "wire/tls.h"
#include <uv.h>

enum {
	REFUSED_MAX = 64, /* connections that are being told 503; over this they are just closed */
	COMPLAIN_MS = 10 * 1000
};

struct server {
	struct listener *listeners[LISTENER_KINDS]; /* NULL: none of that kind */
	struct conn_group *group;
	struct exchange_host *host;
	struct conn_upgrade upgrade;
	char **pages;   /* a copy: see exchange_host_set_cors */
	char **origins; /* copies that the listeners' rules point to */
	char **hosts;
	int64_t complained_ms;
	unsigned to_close; /* listeners and the group */
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* ---- accepting ---- */

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

static void on_connected(void *ctx, struct listener *listener, int status)
{
	struct server *server = ctx;
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
		listener_turn_away(listener);
	}
}

/* ---- a life ---- */

static size_t count_texts(const char *const *list)
{
	size_t count = 0;
	while (list && list[count]) {
		count++;
	}
	return count;
}

static char **join_lists(const char *const *list, const char *const *more)
{
	size_t count = count_texts(list);
	size_t all = count + count_texts(more);
	char **copy = MEM_ARRAY(char *, all + 1);
	for (size_t i = 0; i < all; i++) {
		copy[i] = mem_text(i < count ? list[i] : more[i - count]);
	}
	return copy;
}

static char **copy_list(const char *const *list)
{
	return join_lists(list, NULL);
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
	free_list(server->pages);
	free_list(server->origins);
	free_list(server->hosts);
	for (size_t i = 0; i < LISTENER_KINDS; i++) {
		listener_free(server->listeners[i]);
	}
	mem_free(server);
}

static void set_cors(struct server *server)
{
	bool has_pages = server->pages[0] != NULL;
	exchange_host_set_cors(server->host, has_pages ? (const char *const *)server->pages : NULL);
}

static void set_rules(struct server *server, const struct server_options *options)
{
	free_list(server->origins);
	free_list(server->hosts);
	free_list(server->pages);
	server->origins = join_lists(options->allowed_origins, options->cors_origins);
	server->pages = copy_list(options->cors_origins);
	if (server->host != NULL) {
		set_cors(server);
	}
	server->hosts = copy_list(options->allowed_hosts);
	for (size_t i = 0; i < LISTENER_KINDS; i++) {
		if (server->listeners[i] != NULL) {
			struct origin_rule *rule = listener_rule(server->listeners[i]);
			rule->allowed_origins = (const char *const *)server->origins;
			rule->allowed_hosts = (const char *const *)server->hosts;
		}
	}
}

static void one_closed(void *ctx)
{
	struct server *server = ctx;
	if (--server->to_close > 0) {
		return;
	}
	if (server->host != NULL) {
		exchange_host_free(server->host);
	}
	void (*closed)(void *ctx) = server->closed;
	void *closed_ctx = server->closed_ctx;
	server_free(server);
	if (closed != NULL) {
		closed(closed_ctx);
	}
}

static void stop_listening(struct server *server)
{
	server->to_close++; /* until all are counted */
	for (size_t i = 0; i < LISTENER_KINDS; i++) {
		if (server->listeners[i] != NULL) {
			server->to_close++;
			listener_close(server->listeners[i], one_closed, server);
		}
	}
	one_closed(server);
}

int server_open(uv_loop_t *loop, struct alarms *alarms, const struct server_options *options,
                struct server **out, struct err *err)
{
	struct server *server = MEM_NEW(struct server);
	const struct listener_owner owner = {loop, on_connected, server};
	int status = 0;
	for (size_t i = 0; i < LISTENER_KINDS && status == 0; i++) {
		if (options->listeners[i].place != NULL) {
			status = listener_open(&owner, (enum listener_kind)i,
			                       &options->listeners[i], &server->listeners[i], err);
		}
	}
	if (status != 0) {
		stop_listening(server);
		return status;
	}
	set_rules(server, options);
	server->upgrade = options->upgrade;
	server->group = conn_group_new(loop, alarms, &options->limits);
	server->host = exchange_host_new(server->group, &options->handler, &server->upgrade);
	set_cors(server);
	*out = server;
	return 0;
}

uint16_t server_port(const struct server *server, enum listener_kind kind)
{
	return listener_port(server->listeners[kind]);
}

const char *server_address(const struct server *server, enum listener_kind kind)
{
	const struct listener *listener = server->listeners[kind];
	return listener ? listener_address(listener) : NULL;
}

uint32_t server_connections(const struct server *server)
{
	return conn_group_count(server->group);
}

uint64_t server_handshake_failures(const struct server *server)
{
	return conn_group_handshake_failures(server->group);
}

int64_t server_certificate_until_ms(const struct server *server)
{
	const struct listener *secure = server->listeners[LISTENER_TLS];
	return secure != NULL ? tls_context_until_ms(listener_tls(secure)) : 0;
}

void server_configure(struct server *server, const struct server_options *options)
{
	struct listener *secure = server->listeners[LISTENER_TLS];
	set_rules(server, options);
	conn_group_set_limits(server->group, &options->limits);
	if (secure != NULL && options->listeners[LISTENER_TLS].tls != NULL) {
		listener_set_tls(secure, options->listeners[LISTENER_TLS].tls);
	}
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
	server->to_close = 1; /* the group */
	stop_listening(server);
	exchange_host_drain(server->host);
	conn_group_each(server->group, say_goodbye, NULL);
	conn_group_free(server->group, grace_ms, one_closed, server);
}
