/* This file signs requests as Standard Webhooks asks for it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/webhook_sign.h"

#include "base/base64.h"
#include "base/mem.h"
#include "base/sha256.h"
#include <string.h>

enum { KEY_MIN = 24, KEY_MAX = 64 };

static const struct span PREFIX = {"whsec_", 6};

int webhook_keys_add(struct webhook_keys *keys, struct span name, struct span secret,
                     struct err *err)
{
	struct buf key = {0};
	if (keys->count == WEBHOOK_KEYS_MAX) {
		return err_set(err, E_LIMIT, "invalid_secret", "at most %d keys sign a request",
		               WEBHOOK_KEYS_MAX);
	}
	bool is_key = span_starts_with(secret, PREFIX) &&
	              base64_decode_bare(
	                      span_make(secret.ptr + PREFIX.len, secret.len - PREFIX.len), &key) &&
	              key.len >= KEY_MIN && key.len <= KEY_MAX;
	if (is_key) {
		keys->items[keys->count++] = mem_span(buf_view(&key));
	}
	if (key.len != 0) {
		explicit_bzero(key.ptr, key.len);
	}
	buf_free(&key);
	return is_key ? 0
	              : err_set(err, E_INVALID, "invalid_secret",
	                        "the secret \"%.*s\" must be whsec_ and then 24 to 64 bytes in "
	                        "base64 to sign with it",
	                        SPAN_ARG(name));
}

void webhook_keys_close(struct webhook_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++) {
		explicit_bzero((char *)keys->items[i].ptr, keys->items[i].len);
		mem_free((char *)keys->items[i].ptr);
	}
	*keys = (struct webhook_keys){0};
}

void webhook_keys_sign(const struct webhook_keys *keys, struct span id, int64_t seconds,
                       struct span body, struct buf *out)
{
	struct buf head = {0};
	uint8_t mac[SHA256_LEN];
	buf_format(&head, "%.*s.%lld.", SPAN_ARG(id), (long long)seconds);
	struct span parts[] = {buf_view(&head), body};
	for (size_t i = 0; i < keys->count; i++) {
		sha256_hmac(keys->items[i], parts, 2, mac);
		buf_format(out, "%sv1,", i == 0 ? "" : " ");
		base64_encode(span_make((const char *)mac, sizeof mac), out);
	}
	buf_free(&head);
}
