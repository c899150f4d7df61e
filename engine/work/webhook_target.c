/* This file reads where and how a function is called over HTTP, and writes the request's fields. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/webhook_target.h"
#include "base/base64.h"
#include "base/id.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include <stdlib.h>

enum { URL_MAX = 4096, TIMEOUT_MAX_MS = 15 * 60 * 1000 };

static int refuse(struct err *err, const char *what)
{
	return err_set(err, E_INVALID, "invalid_invocation", "invocation: %s", what);
}

/* A string member as a C string: NULL when it is absent. */
static int take_text(struct span value, const char *complaint, char **out, struct err *err)
{
	if (json_is_null(value)) {
		return 0;
	}
	struct buf text = {0};
	if (json_kind(value) == JSON_STRING) {
		json_string(value, &text);
	}
	bool is_clean = text.len > 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		is_clean = is_clean && byte >= 0x20 && byte != 0x7f;
	}
	if (!is_clean) {
		buf_free(&text);
		return refuse(err, complaint);
	}
	mem_free(*out);
	*out = mem_copy(text.ptr, text.len);
	buf_free(&text);
	return 0;
}

static bool is_token(const char *text)
{
	static const char letters[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
	                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	return text[0] != '\0' && text[strspn(text, letters)] == '\0';
}

static int read_headers(struct span headers, struct webhook_target *target, struct err *err)
{
	if (json_is_null(headers)) {
		return 0;
	}
	if (json_kind(headers) != JSON_OBJECT) {
		return refuse(err, "headers must be an object of strings");
	}
	struct json_iter iter = json_iter(headers);
	struct span name;
	struct span value;
	int status = 0;
	while (status == 0 && json_next_member(&iter, &name, &value)) {
		char *plain_name = mem_copy(name.ptr, name.len);
		char *plain = NULL;
		status = is_token(plain_name)
		                 ? take_text(value, "a header's value must be text", &plain, err)
		                 : refuse(err, "a header's name is no token");
		if (status == 0 && plain) {
			buf_format(&target->headers, "%s: %s", plain_name, plain);
			buf_byte(&target->headers, '\0');
		}
		mem_free(plain_name);
		mem_free(plain);
	}
	return status;
}

static int read_auth(struct span auth, struct webhook_target *target, struct err *err)
{
	static const struct span names[] = {
	        {"type", 4}, {"secret_key", 10}, {"token_key", 9}, {"header", 6}, {"value_key", 9}};
	static const struct {
		const char *type;
		enum webhook_auth auth;
		int key;
	} kinds[] = {{"hmac", WEBHOOK_HMAC, 1},
	             {"bearer", WEBHOOK_BEARER, 2},
	             {"api_key", WEBHOOK_API_KEY, 4}};
	if (json_is_null(auth)) {
		return 0;
	}
	if (json_kind(auth) != JSON_OBJECT) {
		return refuse(err, "auth must be an object");
	}
	struct span found[5];
	json_get_many(auth, names, 5, found);
	for (size_t i = 0; found[0].ptr && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (json_kind(found[0]) != JSON_STRING ||
		    !json_string_is(found[0], span_of(kinds[i].type))) {
			continue;
		}
		target->auth = kinds[i].auth;
		int status = take_text(found[kinds[i].key], "auth: the key must be a name",
		                       &target->auth_key, err);
		if (status == 0 && target->auth == WEBHOOK_API_KEY) {
			status = take_text(found[3], "auth: header must be a name",
			                   &target->auth_header, err);
		}
		if (status != 0) {
			return status;
		}
		if (!target->auth_key ||
		    (target->auth == WEBHOOK_API_KEY &&
		     (!target->auth_header || !is_token(target->auth_header)))) {
			return refuse(err, "auth: hmac needs secret_key, bearer token_key, "
			                   "api_key header and value_key");
		}
		return 0;
	}
	return refuse(err, "auth.type must be hmac, bearer or api_key");
}

static int read_basics(const struct span found[], struct webhook_target *target, struct err *err)
{
	int status = take_text(found[0], "url must be a text", &target->url, err);
	if (status == 0) {
		status = take_text(found[1], "method must be a text", &target->method, err);
	}
	if (status != 0) {
		return status;
	}
	if (!target->url ||
	    (strncmp(target->url, "http://", 7) != 0 && strncmp(target->url, "https://", 8) != 0) ||
	    strchr(target->url, ' ') || strlen(target->url) > URL_MAX) {
		return refuse(err, "url must be an http:// or https:// address");
	}
	if (!target->method) {
		target->method = mem_text("POST");
	}
	if (!is_token(target->method)) {
		return refuse(err, "method must be one word");
	}
	if (!json_is_null(found[2]) &&
	    (json_kind(found[2]) != JSON_NUMBER || !json_int64(found[2], &target->timeout_ms) ||
	     target->timeout_ms < 1 || target->timeout_ms > TIMEOUT_MAX_MS)) {
		return refuse(err, "timeout_ms must be 1 to 900000");
	}
	return 0;
}

int webhook_target_parse(struct span invocation, struct webhook_target *out, struct err *err)
{
	static const struct span names[] = {
	        {"url", 3}, {"method", 6}, {"timeout_ms", 10}, {"headers", 7}, {"auth", 4}};
	struct span found[5];
	struct webhook_target target = {0};
	if (json_kind(invocation) != JSON_OBJECT) {
		return refuse(err, "it must be an object with a url");
	}
	json_get_many(invocation, names, 5, found);
	int status = read_basics(found, &target, err);
	if (status == 0) {
		status = read_headers(found[3], &target, err);
	}
	if (status == 0) {
		status = read_auth(found[4], &target, err);
	}
	if (status != 0) {
		webhook_target_close(&target);
		return status;
	}
	*out = target;
	return 0;
}

void webhook_target_close(struct webhook_target *target)
{
	mem_free(target->url);
	mem_free(target->method);
	mem_free(target->auth_header);
	mem_free(target->auth_key);
	buf_free(&target->headers);
	*target = (struct webhook_target){0};
}

static void write_signature(const char *secret, struct span body, int64_t now_ms, struct buf *out)
{
	struct buf text = {0};
	uint8_t mac[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];
	buf_format(&text, "%lld:", (long long)(now_ms / 1000));
	base64_encode(body, &text);
	struct span parts[] = {buf_view(&text)};
	sha256_hmac(span_of(secret), parts, 1, mac);
	id_hex(mac, sizeof(mac), hex);
	buf_format(out, "x-iii-Timestamp: %lld", (long long)(now_ms / 1000));
	buf_byte(out, '\0');
	buf_format(out, "x-iii-Signature: sha256=%s", hex);
	buf_free(&text);
}

int webhook_target_sign(const struct webhook_target *target, struct span body, int64_t now_ms,
                        struct buf *out, struct err *err)
{
	buf_span(out, buf_view(&target->headers));
	if (target->auth == WEBHOOK_OPEN) {
		return 0;
	}
	const char *secret = getenv(target->auth_key);
	if (secret == NULL || secret[0] == '\0' || strpbrk(secret, "\r\n")) {
		return err_set(err, E_NOT_FOUND, "secret_missing",
		               "the environment variable %s that %s needs is %s", target->auth_key,
		               target->url, secret ? "empty or has a line break" : "not set");
	}
	if (target->auth == WEBHOOK_HMAC) {
		write_signature(secret, body, now_ms, out);
	} else if (target->auth == WEBHOOK_BEARER) {
		buf_format(out, "Authorization: Bearer %s", secret);
	} else {
		buf_format(out, "%s: %s", target->auth_header, secret);
	}
	buf_byte(out, '\0');
	return 0;
}
