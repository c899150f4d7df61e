/* This file lets callers make tokens, list them, and revoke them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/field_row.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/token_text.h"
#include "engine/core/rights.h"
#include "engine/core/token_record.h"
#include "engine/core/tokens.h"
#include "engine/work/builtin.h"
#include <stdio.h>

static const struct field ttl_field = {
        .name = "ttl", .kind = FIELD_DURATION, .min = 1000, .max = 3650LL * 24 * 3600 * 1000};

static void write_time(struct buf *out, const char *name, int64_t ms)
{
	char text[CLOCK_TEXT_LEN + 1];
	if (ms != 0) {
		clock_format(ms, text);
		json_write_member_string(out, name, span_of(text));
	}
}

static void write_token(const struct token *token, const char *text, struct buf *out)
{
	static const char *const origins[] = {"config", "record", "runtime"};
	buf_byte(out, '{');
	json_write_member_string(out, "name", span_of(token->name));
	if (text != NULL) {
		json_write_member_string(out, "token", span_of(text));
	}
	json_write_member_string(out, "origin", span_of(origins[token->origin]));
	json_write_name(out, "rights");
	rights_write(&token->rights, out);
	write_time(out, "created_at", token->created_ms);
	write_time(out, "expires_at", token->expires_ms);
	json_write_member_bool(out, "expired",
	                       token->expires_ms != 0 && token->expires_ms <= clock_wall_ms());
	write_time(out, "last_used_at", token->last_used_ms);
	buf_byte(out, '}');
}

static void list_tokens(struct work *work, struct span data)
{
	(void)data;
	struct tokens *tokens = work->core->tokens;
	buf_byte(&work->out, '{');
	json_write_member_bool(&work->out, "required", tokens_required(tokens));
	json_write_name(&work->out, "tokens");
	buf_byte(&work->out, '[');
	LIST_EACH(tokens_all(tokens), link)
	{
		json_write_comma(&work->out);
		write_token(MEM_CONTAINER(link, struct token, link), NULL, &work->out);
	}
	BUF_LITERAL(&work->out, "]}");
	work_reply_out(work);
}

/* ---- making one ---- */

/* A new token while its record is on its way to the disk. */
struct creation {
	struct store_waiter waiter;
	struct work *work;
	struct tokens *tokens;
	uint8_t hash[SHA256_LEN];
	char text[TOKEN_TEXT_LEN + 1];
};

static struct token *token_of(struct tokens *tokens, const uint8_t hash[SHA256_LEN])
{
	LIST_EACH(tokens_all(tokens), link)
	{
		struct token *token = MEM_CONTAINER(link, struct token, link);
		if (token_hash_equal(token->hash, hash)) {
			return token;
		}
	}
	return NULL;
}

/* One that could not be written is not to work either: nobody has been given it. */
static void is_written(struct store_waiter *waiter, int status, const struct err *err)
{
	struct creation *creation = MEM_CONTAINER(waiter, struct creation, waiter);
	struct token *token = token_of(creation->tokens, creation->hash);
	struct err gone;
	if (status == 0 && token == NULL) {
		status = err_set(&gone, E_NOT_FOUND, "token_not_found",
		                 "the token was revoked while it was being written");
		err = &gone;
	}
	if (status == 0) {
		log_info("tokens", "token %s is made", token->name);
		write_token(token, creation->text, &creation->work->out);
		work_reply_out(creation->work);
	} else {
		if (token != NULL) {
			tokens_remove(creation->tokens, token);
		}
		work_fail(creation->work, err);
	}
	explicit_bzero(creation->text, sizeof creation->text);
	mem_free(creation);
}

static int read_expiry(struct span data, int64_t *out_ms, struct err *err)
{
	struct buf text = {0};
	(void)buf_reserve(&text, data.len);
	struct span at = work_text(data, "expires_at", &text);
	struct span ttl = work_text(data, "ttl", &text);
	int64_t now_ms = clock_wall_ms();
	int64_t ttl_ms = 0;
	bool good = at.ptr == NULL || ttl.ptr == NULL;
	if (good && at.ptr != NULL) {
		good = token_read_expiry(at, now_ms, out_ms);
	} else if (good && ttl.ptr != NULL) {
		good = field_parse(&ttl_field, ttl, &ttl_ms);
		*out_ms = now_ms + ttl_ms;
	}
	buf_free(&text);
	return good ? 0
	            : err_set(err, E_INVALID, "invalid_data",
	                      "say when it expires once: 'ttl', a duration such as 30d, or "
	                      "'expires_at', a time to come such as 2030-01-31T12:00:00Z");
}

/* Would nobody be left who may make another? */
static int check_first(const struct tokens *tokens, const struct rights *rights, struct err *err)
{
	if (tokens_required(tokens) || rights_manage(rights, RIGHTS_TOKENS)) {
		return 0;
	}
	return err_set(
	        err, E_INVALID, "first_token",
	        "from the first token on everybody needs one: the first must be able to make "
	        "others (manage: tokens, or all)");
}

static int read_rights(struct span data, struct rights *out, struct err *err)
{
	struct span object;
	bool has = json_get(data, SPAN("rights"), &object) && !json_is_null(object);
	if (has && json_kind(object) != JSON_OBJECT) {
		return err_set(
		        err, E_INVALID, "invalid_rights",
		        "'rights' must be an object of lists such as {\"read\":[\"users\"]}");
	}
	return rights_read(out, has ? object : SPAN("{}"), err);
}

static int judge_new(const struct work *work, struct span name, const struct rights *rights,
                     struct err *err)
{
	int status = token_check_name(name, err);
	if (status == 0 && tokens_named(work->core->tokens, name) != NULL) {
		status = err_set(err, E_CONFLICT, "exists",
		                 "there is a token \"%.*s\" already; revoke it first, or choose "
		                 "another name",
		                 SPAN_ARG(name));
	}
	if (status == 0) {
		status = check_first(work->core->tokens, rights, err);
	}
	return status == 0 ? store_refuses_records(work->core->store, err) : status;
}

static void create(struct work *work, struct span data)
{
	struct rights rights = {0};
	struct err err;
	struct token_spec spec = {.origin = TOKEN_RECORD,
	                          .rights = &rights,
	                          .name = work_text(data, "name", &work->data),
	                          .created_ms = clock_wall_ms()};
	int status = read_rights(data, &rights, &err);
	if (status == 0) {
		status = read_expiry(data, &spec.expires_ms, &err);
	}
	if (status == 0) {
		status = judge_new(work, spec.name, &rights, &err);
	}
	if (status != 0) {
		rights_free(&rights);
		work_fail(work, &err);
		return;
	}
	struct creation *creation = MEM_NEW(struct creation);
	creation->work = work;
	creation->tokens = work->core->tokens;
	creation->waiter.done = is_written;
	token_text_make(creation->text);
	token_text_hash(span_of(creation->text), creation->hash);
	spec.hash = creation->hash;
	token_record_put(work->core->store, tokens_add(work->core->tokens, &spec));
	store_commit(work->core->store, &creation->waiter);
}

/* ---- revoking ---- */

static int find_revocable(const struct work *work, struct span name, struct token **out,
                          struct err *err)
{
	const struct tokens *tokens = work->core->tokens;
	struct token *token = tokens_named(tokens, name);
	if (token == NULL) {
		return err_set(err, E_NOT_FOUND, "token_not_found",
		               "there is no token \"%.*s\"; `pawl token list` lists them",
		               SPAN_ARG(name));
	}
	if (token->origin == TOKEN_CONFIG) {
		return err_set(err, E_CONFLICT, "token_in_config",
		               "the token \"%s\" stands in the engine's config; take it out there "
		               "and reload",
		               token->name);
	}
	if (tokens_count(tokens) == 1 && !tokens_always_required(tokens)) {
		return err_set(err, E_CONFLICT, "last_token",
		               "\"%s\" is the last token; without any the engine would be open to "
		               "everybody who reaches it: make another one first, or set "
		               "auth.required: always",
		               token->name);
	}
	*out = token;
	return store_refuses_records(work->core->store, err);
}

static void revoke(struct work *work, struct span data)
{
	struct token *token = NULL;
	struct err err;
	struct span name = work_text(data, "name", &work->data);
	if (find_revocable(work, name, &token, &err) != 0) {
		work_fail(work, &err);
		return;
	}
	buf_byte(&work->out, '{');
	json_write_member_string(&work->out, "revoked", name);
	buf_byte(&work->out, '}');
	log_info("tokens", "token %s is revoked", token->name);
	token_record_delete(work->core->store, token);
	tokens_remove(work->core->tokens, token);
	store_commit(work->core->store, work_waiter(work));
}

const struct builtin_row builtin_token_rows[] = {
        {"engine::tokens::create", create, "Makes a token; its text is told once, here."},
        {"engine::tokens::list", list_tokens, "Lists the tokens, without their texts."},
        {"engine::tokens::revoke", revoke,
         "Takes a token away; who is connected by it is cut off."},
        {NULL, NULL, NULL},
};
