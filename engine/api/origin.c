/* This file decides whether a web page may talk to us: the rule for Origin and Host. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/origin.h"
#include "base/id.h"
#include <arpa/inet.h>
#include <stdbool.h>
#include <strings.h>

/* A host and a port as they stand in Host or behind "scheme://". */
struct place {
	struct span host; /* without brackets */
	uint16_t port;    /* 0: none was named */
};

static bool text_equal(struct span a, struct span b)
{
	return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

static bool parse_port(struct span text, uint16_t *out)
{
	uint64_t port = 0;
	if (!id_parse_uint(text, &port) || port == 0 || port > UINT16_MAX) {
		return false;
	}
	*out = (uint16_t)port;
	return true;
}

/* "host", "host:port", "[v6]", "[v6]:port". */
static bool parse_place(struct span text, struct place *out)
{
	struct place place = {0};
	const char *end = text.ptr + text.len;
	const char *behind = NULL;
	if (text.len > 0 && text.ptr[0] == '[') {
		const char *close = memchr(text.ptr, ']', text.len);
		if (close == NULL) {
			return false;
		}
		place.host = span_make(text.ptr + 1, (size_t)(close - text.ptr - 1));
		behind = close + 1;
	} else {
		const char *colon = memchr(text.ptr, ':', text.len);
		behind = colon ? colon : end;
		place.host = span_make(text.ptr, (size_t)(behind - text.ptr));
	}
	if (place.host.len == 0) {
		return false;
	}
	if (behind < end) {
		struct span port = span_make(behind + 1, (size_t)(end - behind - 1));
		if (*behind != ':' || !parse_port(port, &place.port)) {
			return false;
		}
	}
	*out = place;
	return true;
}

/* "localhost", a name below it (RFC 6761), 127.0.0.0/8, ::1. */
static bool is_loopback(struct span host)
{
	struct span local = SPAN("localhost");
	if (text_equal(host, local)) {
		return true;
	}
	if (host.len > local.len + 1 && host.ptr[host.len - local.len - 1] == '.' &&
	    text_equal(span_make(host.ptr + host.len - local.len, local.len), local)) {
		return true;
	}
	char text[INET6_ADDRSTRLEN];
	if (host.len >= sizeof(text)) {
		return false;
	}
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	struct in_addr four;
	struct in6_addr six;
	if (inet_pton(AF_INET, text, &four) == 1) {
		return ntohl(four.s_addr) >> 24 == 127;
	}
	return inet_pton(AF_INET6, text, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static bool is_listed(const char *const *list, struct span name)
{
	for (; list && *list; list++) {
		if (strcmp(*list, "*") == 0 || text_equal(span_of(*list), name)) {
			return true;
		}
	}
	return false;
}

static bool host_is_ours(const struct origin_rule *rule, struct span host)
{
	return is_loopback(host) || text_equal(host, rule->listen_host) ||
	       is_listed(rule->allowed_hosts, host);
}

/* The page came from this very listener: http://host:port with a host that is ours. */
static bool origin_is_ours(const struct origin_rule *rule, struct span origin)
{
	const char *const schemes[] = {"http://", "https://"};
	for (size_t i = rule->kind == ORIGIN_SECURE ? 1 : 0; i < 2; i++) {
		struct span scheme = span_of(schemes[i]);
		if (!span_starts_with(origin, scheme)) {
			continue;
		}
		struct place place;
		if (!parse_place(span_make(origin.ptr + scheme.len, origin.len - scheme.len),
		                 &place)) {
			return false;
		}
		uint16_t usual = i == 0 ? 80 : 443;
		bool same_port = (place.port ? place.port : usual) == rule->port;
		/* A host that is allowed may stand for us behind a proxy, on the usual port. */
		bool is_proxy = place.port == 0 && is_listed(rule->allowed_hosts, place.host);
		return is_proxy || (same_port && host_is_ours(rule, place.host));
	}
	return false;
}

int origin_check(const struct origin_rule *rule, struct span origin, struct span host,
                 struct err *err)
{
	struct place place;
	bool judges_host = host.ptr && rule->kind != ORIGIN_LOCAL;
	if (judges_host && (!parse_place(host, &place) || !host_is_ours(rule, place.host))) {
		return err_set(err, E_DENIED, "host_not_allowed",
		               "the Host %.*s is not one of ours: add it to allowed_hosts if it is",
		               SPAN_ARG(host));
	}
	if (origin.ptr && !is_listed(rule->allowed_origins, origin) &&
	    !origin_is_ours(rule, origin)) {
		return err_set(err, E_DENIED, "origin_not_allowed",
		               "pages from %.*s may not use this engine: add it to allowed_origins "
		               "if they may",
		               SPAN_ARG(origin));
	}
	return 0;
}
