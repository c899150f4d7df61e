/* This file reads where and how a function is called over HTTP, and writes the request's fields. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/webhook_target.h"
#include "base/base64.h"
#include "base/id.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "engine/core/secrets.h"
#include <stdlib.h>

enum {
	URL_MAX = 4096,
	TIMEOUT_MAX_MS = 60 * 60 * 1000,
	REDIRECTS_MAX = 10,
	CONCURRENCY_MAX = 10000
};
/* The members of an invocation, in the order in which they are looked up. */
enum {
	URL,
	METHOD,
	TIMEOUT,
	HEADERS,
	AUTH,
	FORMAT,
	FOLLOW,
	CONCURRENCY,
	SIGN,
	CA_FILE,
	INSECURE,
	ALARM_PATH,
	MEMBERS
};

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
		     (!target->auth_header || !webhook_is_token(target->auth_header)))) {
			return refuse(err, "auth: hmac needs secret_key, bearer token_key, "
			                   "api_key header and value_key");
		}
		return 0;
	}
	return refuse(err, "auth.type must be hmac, bearer or api_key");
}

static int read_basics(const struct span found[], struct webhook_target *target, struct err *err)
{
	int status = take_text(found[URL], "url must be a text", &target->url, err);
	if (status == 0) {
		status = take_text(found[METHOD], "method must be a text", &target->method, err);
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
	if (!webhook_is_token(target->method)) {
		return refuse(err, "method must be one word");
	}
	if (!json_is_null(found[TIMEOUT]) &&
	    (json_kind(found[TIMEOUT]) != JSON_NUMBER ||
	     !json_int64(found[TIMEOUT], &target->timeout_ms) || target->timeout_ms < 1 ||
	     target->timeout_ms > TIMEOUT_MAX_MS)) {
		return refuse(err, "timeout_ms must be 1 to 3600000");
	}
	return 0;
}

static int read_count(struct span json, int64_t most, const char *complaint, int64_t *out,
                      struct err *err)
{
	if (json_is_null(json)) {
		return 0;
	}
	bool is_count = json_kind(json) == JSON_NUMBER && json_int64(json, out) && *out >= 0 &&
	                *out <= most;
	return is_count ? 0 : refuse(err, complaint);
}

static int read_format(struct span json, struct webhook_target *target, struct err *err)
{
	static const char *const words[] = {"json", "cloudevents", "cloudevents_binary"};
	if (json_is_null(json)) {
		return 0;
	}
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (json_kind(json) == JSON_STRING && json_string_is(json, span_of(words[i]))) {
			target->format = (enum webhook_format)i;
			return 0;
		}
	}
	return refuse(err, "format must be json, cloudevents or cloudevents_binary");
}

/* The scheme and the server of a good URL. */
static struct span origin_of(const char *url)
{
	const char *server = strstr(url, "://") + 3;
	return span_make(url, (size_t)(server - url) + strcspn(server, "/?#"));
}

static int read_alarm_path(struct span json, struct webhook_target *target, struct err *err)
{
	static const char complaint[] =
	        "alarm_path must be a path such as /internal/alarm, with at most a query";
	char *path = NULL;
	int status = take_text(json, complaint, &path, err);
	if (status != 0 || path == NULL) {
		return status;
	}
	struct span origin = origin_of(target->url);
	if (path[0] != '/' || strpbrk(path, " #") || origin.len + strlen(path) > URL_MAX) {
		status = refuse(err, complaint);
	} else {
		struct buf url = {0};
		buf_format(&url, "%.*s%s", SPAN_ARG(origin), path);
		target->alarm_url = mem_copy(url.ptr, url.len);
		buf_free(&url);
	}
	mem_free(path);
	return status;
}

static int read_keys(struct span json, const struct webhook_known *known,
                     struct webhook_target *target, struct err *err)
{
	if (json_is_null(json)) {
		return 0;
	}
	if (json_kind(json) != JSON_ARRAY) {
		return refuse(err, "sign must be a list of names of secrets");
	}
	struct json_iter iter = json_iter(json);
	struct span item;
	struct buf text = {0};
	int status = 0;
	while (status == 0 && json_next_item(&iter, &item)) {
		struct span name =
		        json_kind(item) == JSON_STRING ? json_plain(item, &text) : SPAN_NONE;
		struct span secret = secrets_get(known->secrets, name);
		status = secret.ptr != NULL
		                 ? webhook_keys_add(&target->keys, name, secret, err)
		                 : err_set(err, E_NOT_FOUND, "secret_missing",
		                           "invocation: sign: there is no secret \"%.*s\" in the "
		                           "section 'secrets'",
		                           SPAN_ARG(name));
		buf_clear(&text);
	}
	buf_free(&text);
	return status;
}

/* What reaches beyond the function's own request: not for those who come over the socket. */
static int read_ours(const struct span found[], const struct webhook_known *known,
                     struct webhook_target *target, struct err *err)
{
	if (known == NULL) {
		return json_is_null(found[SIGN]) && json_is_null(found[CA_FILE]) &&
		                       json_is_null(found[INSECURE])
		               ? 0
		               : refuse(err, "sign, ca_file and insecure are for functions of "
		                             "the engine's configuration");
	}
	int status = read_keys(found[SIGN], known, target, err);
	if (status == 0) {
		status = take_text(found[CA_FILE], "ca_file must be a text", &target->ca_file, err);
	}
	target->insecure = json_is_true(found[INSECURE]);
	return status;
}

/* A field that the format or the signature writes is not written twice. */
static int check_headers(const struct webhook_target *target, struct err *err)
{
	const struct webhook_headers *headers = &target->headers;
	if (target->keys.count != 0 && webhook_headers_find(headers, "webhook-") != NULL) {
		return refuse(err, "headers: what begins with webhook- is the signature's");
	}
	if (target->format != WEBHOOK_JSON &&
	    (webhook_headers_find(headers, "ce-") != NULL ||
	     webhook_headers_find(headers, "content-type") != NULL)) {
		return refuse(err, "headers: Content-Type and what begins with ce- are the "
		                   "format's");
	}
	return 0;
}

static int read_all(const struct span found[], const struct webhook_known *known,
                    struct webhook_target *target, struct err *err)
{
	int status = read_basics(found, target, err);
	if (status == 0) {
		status = webhook_headers_read(found[HEADERS], known, &target->headers, err);
	}
	if (status == 0) {
		status = read_auth(found[AUTH], target, err);
	}
	if (status == 0) {
		status = read_format(found[FORMAT], target, err);
	}
	if (status == 0) {
		status =
		        read_count(found[FOLLOW], REDIRECTS_MAX, "follow_redirects must be 0 to 10",
		                   &target->follow_redirects, err);
	}
	if (status == 0) {
		status = read_count(found[CONCURRENCY], CONCURRENCY_MAX,
		                    "concurrency must be up to 10000", &target->concurrency, err);
	}
	if (status == 0) {
		status = read_alarm_path(found[ALARM_PATH], target, err);
	}
	if (status == 0) {
		status = read_ours(found, known, target, err);
	}
	return status == 0 ? check_headers(target, err) : status;
}

int webhook_target_parse(struct span invocation, const struct webhook_known *known,
                         struct webhook_target *out, struct err *err)
{
	static const struct span names[MEMBERS] = {
	        {"url", 3},  {"method", 6},  {"timeout_ms", 10},       {"headers", 7},
	        {"auth", 4}, {"format", 6},  {"follow_redirects", 16}, {"concurrency", 11},
	        {"sign", 4}, {"ca_file", 7}, {"insecure", 8},          {"alarm_path", 10}};
	struct span found[MEMBERS];
	struct webhook_target target = {0};
	if (json_kind(invocation) != JSON_OBJECT) {
		return refuse(err, "it must be an object with a url");
	}
	json_get_many(invocation, names, MEMBERS, found);
	int status = read_all(found, known, &target, err);
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
	mem_free(target->ca_file);
	mem_free(target->alarm_url);
	webhook_headers_close(&target->headers);
	webhook_keys_close(&target->keys);
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

bool webhook_target_is_private(const struct webhook_target *target)
{
	return target->headers.has_secret || target->auth == WEBHOOK_BEARER ||
	       target->auth == WEBHOOK_API_KEY;
}

int webhook_target_prove(const struct webhook_target *target, struct span body, int64_t now_ms,
                         struct buf *out, struct err *err)
{
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
