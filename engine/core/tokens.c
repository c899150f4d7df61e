/* This file knows the tokens: who a text belongs to, what it may do, and who is connected by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/tokens.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/token_text.h"
#include "engine/durable/alarm.h"
#include "triggers/expr/moment_read.h"
#include <string.h>

struct tokens {
	struct alarms *alarms;
	struct map by_hash;
	struct list all;       /* token.link */
	struct list anonymous; /* token_hold.link: let in while none was needed */
	size_t count;          /* of the config and of records */
	bool always_required;
	bool was_required; /* before the config at hand */
	uint32_t round;
	struct alarm expiry; /* the first of all that expire */
};

/* ---- names ---- */

static bool is_name_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || (byte != '\0' && strchr(".-_:/", byte) != NULL);
}

int token_check_name(struct span name, struct err *err)
{
	bool good = name.len != 0 && name.len <= TOKEN_NAME_MAX;
	for (size_t i = 0; good && i < name.len; i++) {
		good = is_name_byte(name.ptr[i]);
	}
	return good ? 0
	            : err_set(err, E_INVALID, "invalid_token_name",
	                      "the name of a token is 1 to %d letters, digits, '.', '-', '_', ':' "
	                      "and '/'",
	                      TOKEN_NAME_MAX);
}

bool token_read_expiry(struct span text, int64_t now_ms, int64_t *out_ms)
{
	int64_t seconds;
	uint32_t nanos;
	if (moment_read_timestamp(text, &seconds, &nanos) != 0 || seconds < 0 ||
	    seconds > CLOCK_MOST_MS / 1000 || seconds * 1000 + nanos / 1000000 <= now_ms) {
		return false;
	}
	*out_ms = seconds * 1000 + nanos / 1000000;
	return true;
}

/* ---- who holds them ---- */

static void end_holds(struct list *holds)
{
	struct list ended;
	list_init(&ended);
	list_move(holds, &ended);
	while (!list_is_empty(&ended)) {
		struct token_hold *hold = LIST_FIRST(&ended, struct token_hold, link);
		list_remove(&hold->link);
		hold->ended(hold);
	}
}

void token_hold(struct tokens *tokens, struct token *token, struct token_hold *hold)
{
	list_init(&hold->link);
	list_push(token != NULL ? &token->holds : &tokens->anonymous, &hold->link);
}

void token_drop(struct token_hold *hold)
{
	if (hold->link.next != NULL) {
		list_remove(&hold->link);
	}
}

/* ---- their end ---- */

static bool is_expired(const struct token *token, int64_t now_ms)
{
	return token->expires_ms != 0 && token->expires_ms <= now_ms;
}

static void watch_expiry(struct tokens *tokens)
{
	int64_t now_ms = clock_wall_ms();
	int64_t first_ms = 0;
	LIST_EACH(&tokens->all, link)
	{
		const struct token *token = MEM_CONTAINER(link, struct token, link);
		bool is_sooner = first_ms == 0 || token->expires_ms < first_ms;
		if (token->expires_ms > now_ms && is_sooner) {
			first_ms = token->expires_ms;
		}
	}
	if (first_ms == 0) {
		alarm_clear(tokens->alarms, &tokens->expiry);
	} else {
		alarm_set(tokens->alarms, &tokens->expiry, first_ms);
	}
}

static void some_expire(struct alarm *alarm)
{
	struct tokens *tokens = MEM_CONTAINER(alarm, struct tokens, expiry);
	int64_t now_ms = clock_wall_ms();
	LIST_EACH(&tokens->all, link)
	{
		struct token *token = MEM_CONTAINER(link, struct token, link);
		if (is_expired(token, now_ms)) {
			end_holds(&token->holds);
		}
	}
	watch_expiry(tokens);
}

static void require_if_needed(struct tokens *tokens)
{
	if (tokens_required(tokens)) {
		end_holds(&tokens->anonymous);
	}
}

/* ---- coming and going ---- */

static uint64_t slot_of(const uint8_t hash[SHA256_LEN])
{
	uint64_t slot;
	memcpy(&slot, hash, sizeof slot);
	return slot;
}

static bool has_hash(const struct map_node *node, const void *hash)
{
	return token_hash_equal(MEM_CONTAINER(node, const struct token, by_hash)->hash, hash);
}

struct token *tokens_add(struct tokens *tokens, const struct token_spec *spec)
{
	struct token *token = MEM_NEW(struct token);
	token->name = mem_copy(spec->name.ptr, spec->name.len);
	memcpy(token->hash, spec->hash, SHA256_LEN);
	token->rights = *spec->rights;
	*spec->rights = (struct rights){0};
	token->origin = spec->origin;
	token->created_ms = spec->created_ms;
	token->expires_ms = spec->expires_ms;
	token->round = tokens->round;
	list_init(&token->holds);
	list_push(&tokens->all, &token->link);
	map_add(&tokens->by_hash, &token->by_hash, slot_of(token->hash));
	tokens->count += token->origin != TOKEN_RUNTIME;
	watch_expiry(tokens);
	require_if_needed(tokens);
	return token;
}

void tokens_remove(struct tokens *tokens, struct token *token)
{
	map_remove(&tokens->by_hash, &token->by_hash);
	list_remove(&token->link);
	tokens->count -= token->origin != TOKEN_RUNTIME;
	end_holds(&token->holds);
	rights_free(&token->rights);
	mem_free(token->name);
	mem_free(token);
	watch_expiry(tokens);
}

struct token *tokens_named(const struct tokens *tokens, struct span name)
{
	LIST_EACH(&tokens->all, link)
	{
		struct token *token = MEM_CONTAINER(link, struct token, link);
		if (token->origin != TOKEN_RUNTIME && span_is(name, token->name)) {
			return token;
		}
	}
	return NULL;
}

bool tokens_has_hash(const struct tokens *tokens, const uint8_t hash[SHA256_LEN])
{
	return map_get(&tokens->by_hash, slot_of(hash), hash, has_hash) != NULL;
}

/* ---- the config's ---- */

void tokens_begin_config(struct tokens *tokens, bool always_required)
{
	tokens->was_required = tokens_required(tokens);
	tokens->round++;
	tokens->always_required = always_required;
}

static bool is_same(const struct token *token, const struct token_spec *spec)
{
	struct buf before = {0};
	struct buf after = {0};
	rights_write(&token->rights, &before);
	rights_write(spec->rights, &after);
	bool is = span_is(spec->name, token->name) && token->expires_ms == spec->expires_ms &&
	          span_equal(buf_view(&before), buf_view(&after));
	buf_free(&before);
	buf_free(&after);
	return is;
}

/* The new one comes before the old one goes, so that there is no moment without any. */
void tokens_config(struct tokens *tokens, const struct token_spec *spec)
{
	struct map_node *node =
	        map_get(&tokens->by_hash, slot_of(spec->hash), spec->hash, has_hash);
	struct token *token = node ? MEM_CONTAINER(node, struct token, by_hash) : NULL;
	if (token != NULL && is_same(token, spec)) {
		token->round = tokens->round;
		token->origin = TOKEN_CONFIG;
		rights_free(spec->rights);
		return;
	}
	(void)tokens_add(tokens, spec);
	if (token != NULL) {
		tokens_remove(tokens, token);
	}
}

void tokens_end_config(struct tokens *tokens)
{
	LIST_EACH(&tokens->all, link)
	{
		struct token *token = MEM_CONTAINER(link, struct token, link);
		if (token->origin == TOKEN_CONFIG && token->round != tokens->round) {
			tokens_remove(tokens, token);
		}
	}
	if (tokens->was_required && !tokens_required(tokens)) {
		log_warn("tokens", "the config has no token any more, and there is none else: "
		                   "whoever reaches this engine may do everything");
	}
	require_if_needed(tokens);
}

/* ---- asking ---- */

bool tokens_required(const struct tokens *tokens)
{
	return tokens->count != 0 || tokens->always_required;
}

bool tokens_always_required(const struct tokens *tokens)
{
	return tokens->always_required;
}

size_t tokens_count(const struct tokens *tokens)
{
	return tokens->count;
}

struct token *tokens_find(struct tokens *tokens, struct span text)
{
	uint8_t hash[SHA256_LEN];
	if (!token_text_is_whole(text)) {
		return NULL;
	}
	token_text_hash(text, hash);
	struct map_node *node = map_get(&tokens->by_hash, slot_of(hash), hash, has_hash);
	struct token *token = node ? MEM_CONTAINER(node, struct token, by_hash) : NULL;
	int64_t now_ms = clock_wall_ms();
	if (token == NULL || is_expired(token, now_ms)) {
		return NULL;
	}
	token->last_used_ms = now_ms;
	return token;
}

struct list *tokens_all(struct tokens *tokens)
{
	return &tokens->all;
}

/* ---- a life ---- */

struct tokens *tokens_new(struct alarms *alarms)
{
	struct tokens *tokens = MEM_NEW(struct tokens);
	tokens->alarms = alarms;
	tokens->expiry.fn = some_expire;
	list_init(&tokens->all);
	list_init(&tokens->anonymous);
	return tokens;
}

void tokens_free(struct tokens *tokens)
{
	if (tokens == NULL) {
		return;
	}
	LIST_EACH(&tokens->all, link)
	{
		tokens_remove(tokens, MEM_CONTAINER(link, struct token, link));
	}
	PRE(list_is_empty(&tokens->anonymous));
	alarm_clear(tokens->alarms, &tokens->expiry);
	map_close(&tokens->by_hash);
	mem_free(tokens);
}
