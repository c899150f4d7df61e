/* This file keeps secrets by their names, for those who sign and authenticate with them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/secrets.h"

#include "base/mem.h"
#include <string.h>

struct secret {
	struct span name;
	struct span value;
};

struct secrets {
	struct secret *items;
	size_t count;
};

struct secrets *secrets_new(void)
{
	return MEM_NEW(struct secrets);
}

static void wipe(struct span value)
{
	if (value.len != 0) {
		explicit_bzero((char *)value.ptr, value.len);
	}
	mem_free((char *)value.ptr);
}

void secrets_free(struct secrets *secrets)
{
	if (secrets == NULL) {
		return;
	}
	for (size_t i = 0; i < secrets->count; i++) {
		mem_free((char *)secrets->items[i].name.ptr);
		wipe(secrets->items[i].value);
	}
	mem_free(secrets->items);
	mem_free(secrets);
}

static struct secret *find(const struct secrets *secrets, struct span name)
{
	for (size_t i = 0; i < secrets->count; i++) {
		if (span_equal(secrets->items[i].name, name)) {
			return &secrets->items[i];
		}
	}
	return NULL;
}

void secrets_put(struct secrets *secrets, struct span name, struct span value)
{
	struct secret *secret = find(secrets, name);
	if (secret == NULL) {
		secrets->items =
		        mem_grow(secrets->items, (secrets->count + 1) * sizeof *secrets->items);
		secret = &secrets->items[secrets->count++];
		*secret = (struct secret){.name = mem_span(name)};
	}
	wipe(secret->value);
	secret->value = mem_span(value);
}

struct span secrets_get(const struct secrets *secrets, struct span name)
{
	const struct secret *secret = find(secrets, name);
	return secret != NULL ? secret->value : SPAN_NONE;
}

size_t secrets_count(const struct secrets *secrets)
{
	return secrets->count;
}

static void add_text(struct sha256 *sha, struct span text)
{
	uint64_t len = text.len;
	sha256_add(sha, &len, sizeof len);
	sha256_add(sha, text.ptr, text.len);
}

void secrets_digest(const struct secrets *secrets, uint8_t out[SHA256_LEN])
{
	struct sha256 sha;
	sha256_init(&sha);
	for (size_t i = 0; i < secrets->count; i++) {
		add_text(&sha, secrets->items[i].name);
		add_text(&sha, secrets->items[i].value);
	}
	sha256_end(&sha, out);
}
