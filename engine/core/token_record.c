/* This file keeps tokens as records, and brings them into memory at the start. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/token_record.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/token_text.h"
#include "engine/durable/space.h"
#include "engine/durable/store.h"

enum { TOKEN_FORMAT = 1 };

/* A format byte, then {"name","hash","rights","created_ms","expires_ms"}. */
void token_record_put(struct store *store, const struct token *token)
{
	char hash[TOKEN_HASH_LEN + 1];
	struct buf value = {0};
	token_hash_write(token->hash, hash);
	buf_byte(&value, TOKEN_FORMAT);
	buf_byte(&value, '{');
	json_write_member_string(&value, "name", span_of(token->name));
	json_write_member_string(&value, "hash", span_of(hash));
	json_write_name(&value, "rights");
	rights_write(&token->rights, &value);
	json_write_member_int(&value, "created_ms", token->created_ms);
	json_write_member_int(&value, "expires_ms", token->expires_ms);
	buf_byte(&value, '}');
	struct record record = {.value = buf_view(&value)};
	store_put(store, space_token(span_of(token->name)), &record);
	buf_free(&value);
}

void token_record_delete(struct store *store, const struct token *token)
{
	store_delete(store, space_token(span_of(token->name)), 0);
}

/* ---- loading ---- */

struct token_load {
	struct store_scan scan;
	struct tokens *tokens;
	void (*done)(void *ctx, int status, const struct err *err);
	void *ctx;
	int status;
	struct err err;
};

static int take_record(struct tokens *tokens, struct span value, struct err *err)
{
	enum { NAME, HASH, RIGHTS, CREATED, EXPIRES, COUNT };
	static const struct span names[COUNT] = {
	        {"name", 4}, {"hash", 4}, {"rights", 6}, {"created_ms", 10}, {"expires_ms", 10}};
	struct span found[COUNT];
	struct span json;
	struct rights rights = {0};
	uint8_t hash[SHA256_LEN];
	struct buf texts = {0};
	int status =
	        space_json(value, TOKEN_FORMAT, "a token's record", "token_format", &json, err);
	if (status == 0) {
		status = json_check_object(json, names, COUNT, found, err);
	}
	if (status == 0) {
		(void)buf_reserve(&texts, value.len); /* the texts must not move */
		struct token_spec spec = {.name = json_copy_text(found[NAME], &texts),
		                          .hash = hash,
		                          .rights = &rights,
		                          .origin = TOKEN_RECORD};
		bool good = spec.name.len != 0 && found[RIGHTS].ptr != NULL &&
		            json_kind(found[RIGHTS]) == JSON_OBJECT &&
		            token_hash_read(json_copy_text(found[HASH], &texts), hash) &&
		            json_int64(found[CREATED], &spec.created_ms) &&
		            json_int64(found[EXPIRES], &spec.expires_ms) &&
		            rights_read(&rights, found[RIGHTS], NULL) == 0;
		if (!good) {
			status = err_set(err, E_DAMAGED, "token_damaged",
			                 "a token's record lacks a member, or one of them is "
			                 "damaged");
		} else if (!tokens_has_hash(tokens, hash)) {
			(void)tokens_add(tokens, &spec);
		}
	}
	rights_free(&rights);
	buf_free(&texts);
	return status;
}

static bool take_row(void *ctx, struct span key, const struct record *record)
{
	(void)key;
	struct token_load *load = ctx;
	load->status = take_record(load->tokens, record->value, &load->err);
	return load->status == 0;
}

static void all_taken(struct store_scan *scan, int status, bool more, uint64_t group,
                      const struct err *err)
{
	(void)more;
	(void)group;
	struct token_load *load = MEM_CONTAINER(scan, struct token_load, scan);
	if (status == 0) {
		status = load->status;
		err = &load->err;
	}
	load->done(load->ctx, status, err);
	mem_free(load);
}

void token_records_load(struct tokens *tokens, struct store *store,
                        void (*done)(void *ctx, int status, const struct err *err), void *ctx)
{
	struct token_load *load = MEM_NEW(struct token_load);
	load->tokens = tokens;
	load->done = done;
	load->ctx = ctx;
	load->scan = (struct store_scan){
	        .range = space_tokens(), .row = take_row, .ctx = load, .done = all_taken};
	store_scan_start(store, &load->scan);
}
