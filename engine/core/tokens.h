/* This file knows the tokens: who a text belongs to, what it may do, and who is connected by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_TOKENS_H
#define ENGINE_CORE_TOKENS_H

#include "base/err.h"
#include "base/list.h"
#include "base/map.h"
#include "base/sha256.h"
#include "engine/core/rights.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * DESIGN. Tokens come from the config, from records (`pawl token create`), and from the engine
 * itself for a process that it starts. All are in memory, found by their hash; of the texts
 * themselves nothing is kept.
 *
 * A token is needed as soon as there is one in the config or in a record, expired ones included, or
 * when the config says so. Who was let in without one before that is told to go, and so is who came
 * by a token that ends: those who stay connected hold what they came by (token_hold).
 */
struct alarms;
struct store;
struct tokens;

enum token_origin { TOKEN_CONFIG, TOKEN_RECORD, TOKEN_RUNTIME };
enum { TOKEN_NAME_MAX = 128 };

struct token {
	struct map_node by_hash;
	struct list link;
	struct list holds; /* token_hold.link */
	char *name;
	uint8_t hash[SHA256_LEN];
	struct rights rights;
	enum token_origin origin;
	uint32_t round;       /* of the config that named it last */
	int64_t created_ms;   /* wall clock; 0: not known */
	int64_t expires_ms;   /* likewise; 0: never */
	int64_t last_used_ms; /* in memory only; 0: not since the start */
};

/* Embedded in who stays connected. All zero holds nothing. */
struct token_hold {
	struct list link;
	/* The token has ended, or one is needed now: what was held is gone. Once, and not from
	 * inside of token_hold. */
	void (*ended)(struct token_hold *hold);
};

/* What a token is made of; the rights are taken over. */
struct token_spec {
	struct span name;
	const uint8_t *hash;
	struct rights *rights;
	enum token_origin origin;
	int64_t created_ms;
	int64_t expires_ms;
};

struct tokens *tokens_new(struct alarms *alarms);
void tokens_free(struct tokens *tokens); /* nobody holds one any more */

/* Letters, digits, '.', '-', '_', ':' and '/', at most TOKEN_NAME_MAX: E_INVALID
 * "invalid_token_name". */
int token_check_name(struct span name, struct err *err);

/* "2030-01-31T12:00:00Z", after `now_ms`. */
bool token_read_expiry(struct span text, int64_t now_ms, int64_t *out_ms);

struct token *tokens_add(struct tokens *tokens, const struct token_spec *spec);
void tokens_remove(struct tokens *tokens, struct token *token);
struct token *tokens_named(const struct tokens *tokens, struct span name); /* not runtime ones */
bool tokens_has_hash(const struct tokens *tokens, const uint8_t hash[SHA256_LEN]);

/* The config's are said anew between begin and end: end takes away those that were not. One that is
 * as it was goes on; another with the same name takes its place. */
void tokens_begin_config(struct tokens *tokens, bool always_required);
void tokens_config(struct tokens *tokens, const struct token_spec *spec);
void tokens_end_config(struct tokens *tokens);

bool tokens_required(const struct tokens *tokens);
bool tokens_always_required(const struct tokens *tokens); /* the config says so */
/* How many there are in the config and in records. */
size_t tokens_count(const struct tokens *tokens);
/* Whose text this is: NULL if nobody's, or if it has expired. */
struct token *tokens_find(struct tokens *tokens, struct span text);
struct list *tokens_all(struct tokens *tokens); /* token.link, in the order of their coming */

/* NULL: let in without one. */
void token_hold(struct tokens *tokens, struct token *token, struct token_hold *hold);
void token_drop(struct token_hold *hold); /* harmless when it holds nothing */

#endif
