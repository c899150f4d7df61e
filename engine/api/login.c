/* This file finds out who a peer is, by the token that it brings, and turns others away. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/login.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "wire/http.h"
#include "wire/url.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

enum {
	FAILURES_MAX = 10, /* in a row */
	FAILURE_MS = 6000, /* one is forgotten in so long */
	SLOTS = 1024,      /* addresses that are watched at a time */
	WAYS = 4,          /* slots that one address may have */
	LOG_MS = 1000,     /* a line in the log at most every so often */
	ADDRESS_TEXT = 64
};

/* How far an address has used up its failures: when the last of them is forgotten. */
struct failures {
	uint64_t address; /* a hash; 0: nobody's */
	int64_t until_ms; /* clock_real_ms */
};

struct login {
	struct tokens *tokens;
	int64_t quiet_until_ms;
	unsigned unsaid; /* failures that no line tells of yet */
	struct failures slots[SLOTS];
};

/* ---- where the token stands ---- */

static bool is_stream(const struct http_request *request)
{
	struct span accept = http_request_header(request, SPAN("accept"));
	return request->is_websocket ||
	       (accept.ptr != NULL &&
	        memmem(accept.ptr, accept.len, "text/event-stream", 17) != NULL);
}

static struct span token_text(const struct http_request *request)
{
	static const struct span scheme = {"Bearer ", 7};
	struct span text = http_request_header(request, SPAN("authorization"));
	if (text.len > scheme.len && strncasecmp(text.ptr, scheme.ptr, scheme.len) == 0) {
		text = span_make(text.ptr + scheme.len, text.len - scheme.len);
		while (text.len != 0 && text.ptr[0] == ' ') {
			text = span_make(text.ptr + 1, text.len - 1);
		}
		return text;
	}
	if (text.ptr == NULL && is_stream(request) &&
	    url_param(request->query, SPAN("token"), &text)) {
		return text;
	}
	return SPAN_NONE;
}

/* ---- addresses ---- */

static uint64_t address_key(const struct sockaddr_storage *address)
{
	struct span bytes = SPAN("local");
	if (address != NULL && address->ss_family == AF_INET) {
		const struct sockaddr_in *four = (const void *)address;
		bytes = span_make((const char *)&four->sin_addr, 4);
	} else if (address != NULL && address->ss_family == AF_INET6) {
		const struct sockaddr_in6 *six = (const void *)address;
		bytes = span_make((const char *)&six->sin6_addr, 8);
	}
	return hash_bytes(bytes, 0) | 1;
}

static void address_text(const struct sockaddr_storage *address, char out[ADDRESS_TEXT])
{
	(void)snprintf(out, ADDRESS_TEXT, "this machine");
	if (address != NULL && address->ss_family == AF_INET) {
		const struct sockaddr_in *four = (const void *)address;
		(void)inet_ntop(AF_INET, &four->sin_addr, out, ADDRESS_TEXT);
	} else if (address != NULL && address->ss_family == AF_INET6) {
		const struct sockaddr_in6 *six = (const void *)address;
		(void)inet_ntop(AF_INET6, &six->sin6_addr, out, ADDRESS_TEXT);
	}
}

/* The slot of the address; else the one of its slots that is over first, made its own. */
static struct failures *failures_of(struct login *login, uint64_t address, int64_t now_ms)
{
	struct failures *best = NULL;
	for (size_t i = 0; i < WAYS; i++) {
		struct failures *slot = &login->slots[((address >> 16) + i) % SLOTS];
		if (slot->address == address) {
			return slot;
		}
		if (best == NULL || slot->until_ms < best->until_ms) {
			best = slot;
		}
	}
	*best = (struct failures){.address = address, .until_ms = now_ms};
	return best;
}

/* ---- failing ---- */

static void say(struct login *login, const struct sockaddr_storage *address, int64_t now_ms)
{
	char text[ADDRESS_TEXT];
	login->unsaid++;
	if (now_ms >= login->quiet_until_ms) {
		address_text(address, text);
		log_warn("login", "a wrong token came from %s (%u since the last such line)", text,
		         login->unsaid);
		login->unsaid = 0;
		login->quiet_until_ms = now_ms + LOG_MS;
	}
}

static int fail(struct login *login, const struct sockaddr_storage *address, struct err *err)
{
	int64_t now_ms = clock_real_ms();
	struct failures *failures = failures_of(login, address_key(address), now_ms);
	if (failures->until_ms < now_ms) {
		failures->until_ms = now_ms;
	}
	int64_t after_ms = failures->until_ms + FAILURE_MS;
	if (after_ms > now_ms + (int64_t)FAILURES_MAX * FAILURE_MS) {
		return err_set(err, E_LIMIT, "too_many_failures",
		               "too many wrong tokens came from this address");
	}
	failures->until_ms = after_ms;
	say(login, address, now_ms);
	return err_set(err, E_DENIED, "unauthorized",
	               "the token is not known here, or it has expired or been revoked");
}

int login_check(struct login *login, const struct http_request *request,
                const struct sockaddr_storage *address, struct token **out, struct err *err)
{
	*out = NULL;
	if (!tokens_required(login->tokens)) {
		return 0;
	}
	struct span text = token_text(request);
	if (text.ptr == NULL) {
		return err_set(err, E_DENIED, "unauthorized",
		               "this engine wants a token: Authorization: Bearer pawl_...");
	}
	*out = tokens_find(login->tokens, text);
	return *out != NULL ? 0 : fail(login, address, err);
}

/* ---- a life ---- */

struct tokens *login_tokens(struct login *login)
{
	return login->tokens;
}

struct login *login_new(struct tokens *tokens)
{
	struct login *login = MEM_NEW(struct login);
	login->tokens = tokens;
	return login;
}

void login_free(struct login *login)
{
	mem_free(login);
}
