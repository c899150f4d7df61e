/* This file reads the tokens that a configuration names. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_tokens.h"

#include "base/field_print.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/token_text.h"
#include "base/yaml_json.h"
#include "engine/core/tokens.h"

enum { TOKENS_MAX = 1000 };

static const char *const required_words[] = {"auto", "always", NULL};

const struct field config_auth_fields[] = {
        {.name = "required",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct config, access.required),
         .otherwise = "auto",
         .words = required_words,
         .change = FIELD_LIVE,
         .help = "When a token is needed: as soon as there is one, or always. Tokens of the config "
                 "stand in auth.tokens, see the end of this file."},
        {.name = "tokens", .kind = FIELD_OTHER, .change = FIELD_LIVE, .help = "tokens"},
        {.name = NULL},
};

static const struct field token_fields[] = {
        {.name = "name",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_token, name),
         .min = 1,
         .max = TOKEN_NAME_MAX,
         .required = true,
         .help = "Who it is for; nothing depends on it."},
        {.name = "hash",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_token, hash_text),
         .min = TOKEN_HASH_LEN,
         .max = TOKEN_HASH_LEN,
         .required = true,
         .help = "sha256: and 64 digits, as `pawl token create NAME --offline` prints it; never "
                 "the token itself."},
        {.name = "expires_at",
         .kind = FIELD_STRING,
         .offset = offsetof(struct config_token, expires_at),
         .min = 1,
         .max = 64,
         .help = "When it ends: 2030-01-31T12:00:00Z; without it never."},
        {.name = "rights",
         .kind = FIELD_SECTION,
         .offset = offsetof(struct config_token, rights),
         .fields = rights_fields,
         .help = "What it may do; nothing without it."},
        {.name = NULL},
};

static void complain(const struct config_token *token, struct report *report, const char *code,
                     const char *text)
{
	report_add(report, token->line, 0, code, "token '%s': %s", token->name ? token->name : "",
	           text);
}

static bool is_said_before(const struct config *config, const struct config_token *token)
{
	for (const struct config_token *at = config->access.tokens; at != token; at++) {
		bool same_name = at->name && token->name && strcmp(at->name, token->name) == 0;
		if (same_name || token_hash_equal(at->hash, token->hash)) {
			return true;
		}
	}
	return false;
}

static void check_token(const struct config *config, struct config_token *token,
                        struct report *report)
{
	struct err err;
	if (token->name != NULL && token_check_name(span_of(token->name), &err) != 0) {
		complain(token, report, err.code, err.text);
	}
	if (token->hash_text != NULL && !token_hash_read(span_of(token->hash_text), token->hash)) {
		complain(token, report, "invalid_value",
		         "'hash' must be sha256: and 64 digits of 0-9a-f");
	} else if (is_said_before(config, token)) {
		complain(token, report, "duplicate", "its name or its hash stands there twice");
	}
	if (token->expires_at != NULL &&
	    !token_read_expiry(span_of(token->expires_at), 0, &token->expires_ms)) {
		complain(token, report, "invalid_value",
		         "'expires_at' must be a time such as 2030-01-31T12:00:00Z");
	}
	if (rights_finish(&token->rights, &err) != 0) {
		complain(token, report, err.code, err.text);
	}
}

static void read_token(const struct yaml_node *node, struct config *config, struct report *report)
{
	struct config_token *token = &config->access.tokens[config->access.count];
	if (node->kind != YAML_MAPPING) {
		report_add(report, node->line, node->column, "invalid_value",
		           "an item of 'auth.tokens' must be a mapping, not %s",
		           yaml_kind_name(node));
		return;
	}
	token->line = node->line;
	field_read(token_fields, node, token, report);
	check_token(config, token, report);
	config->access.count++;
}

void config_read_tokens(const struct yaml_node *root, struct config *config, struct report *report)
{
	const struct yaml_entry *section = yaml_find(root, SPAN("auth"));
	if (section == NULL || section->value->kind != YAML_MAPPING) {
		return;
	}
	const struct yaml_entry *entry = yaml_find(section->value, SPAN("tokens"));
	if (entry == NULL || yaml_is_null(entry->value)) {
		return;
	}
	const struct yaml_node *list = entry->value;
	if (list->kind != YAML_SEQUENCE || list->count > TOKENS_MAX) {
		report_add(report, entry->line, entry->column, "invalid_value",
		           "'auth.tokens' must be a list of at most %d items", TOKENS_MAX);
		return;
	}
	config->access.tokens = MEM_ARRAY(struct config_token, list->count + 1);
	for (size_t i = 0; i < list->count; i++) {
		read_token(list->items[i], config, report);
	}
}

void config_free_tokens(struct config *config)
{
	for (size_t i = 0; i < config->access.count; i++) {
		field_free(token_fields, &config->access.tokens[i]);
	}
	mem_free(config->access.tokens);
}

void config_write_tokens(const struct config *config, struct buf *out)
{
	buf_byte(out, '[');
	for (size_t i = 0; i < config->access.count; i++) {
		json_write_comma(out);
		field_write_json(token_fields, &config->access.tokens[i], out);
	}
	buf_byte(out, ']');
}

void config_print_token_table(struct buf *out)
{
	field_print_text(token_fields, "auth.tokens[].", out);
}

bool config_needs_token(const struct config *config)
{
	return config->access.count != 0 || config->access.required == CONFIG_REQUIRED_ALWAYS;
}

void config_take_tokens(const struct config *config, struct tokens *tokens)
{
	tokens_begin_config(tokens, config->access.required == CONFIG_REQUIRED_ALWAYS);
	for (size_t i = 0; i < config->access.count; i++) {
		const struct config_token *from = &config->access.tokens[i];
		struct rights rights;
		rights_copy(&from->rights, &rights);
		const struct token_spec spec = {
		        .name = span_of(from->name),
		        .hash = from->hash,
		        .rights = &rights,
		        .origin = TOKEN_CONFIG,
		        .expires_ms = from->expires_ms,
		};
		tokens_config(tokens, &spec);
	}
	tokens_end_config(tokens);
}

int config_judge_token(struct span name, struct span rights, struct buf *out_rights,
                       struct err *err)
{
	struct rights read = {0};
	int status = token_check_name(name, err);
	if (status == 0) {
		status = rights_read(&read, rights, err);
	}
	if (status == 0) {
		rights_write(&read, out_rights);
	}
	rights_free(&read);
	return status;
}
