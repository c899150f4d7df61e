/* This file makes tokens: by asking an engine, or by itself for a config. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/token.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/token_text.h"
#include "cli/command.h"
#include "cli/remote.h"
#include "engine/config_tokens.h"
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const char *all; /* what --all makes of it */
} lists[] = {{"read", "*"},   {"write", "*"}, {"admin", "*"},
             {"invoke", "*"}, {"work", "*"},  {"manage", "all"}};

/* "users,cache-*" as an array. */
static void write_list(const char *name, const char *words, struct buf *out)
{
	json_write_name(out, name);
	buf_byte(out, '[');
	for (const char *at = words; *at != '\0';) {
		size_t len = strcspn(at, ",");
		if (len != 0) {
			json_write_comma(out);
			json_write_string(out, span_make(at, len));
		}
		at += len + (at[len] == ',');
	}
	buf_byte(out, ']');
}

static void write_rights(const struct invocation *invocation, struct buf *out)
{
	bool all = command_option(invocation, "all") != NULL;
	buf_byte(out, '{');
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		const char *said = command_option(invocation, lists[i].name);
		if (said != NULL || all) {
			write_list(lists[i].name, said ? said : lists[i].all, out);
		}
	}
	buf_byte(out, '}');
}

static int refuse(const struct err *err)
{
	(void)fprintf(stderr, "pawl: %s\n", err->text);
	return EXIT_USAGE;
}

static void print_offline(const struct invocation *invocation, const char *text, const char *hash,
                          struct span rights)
{
	const char *until = command_option(invocation, "expires-at");
	if (invocation->json) {
		struct buf out = {0};
		buf_byte(&out, '{');
		json_write_member_string(&out, "name", span_of(invocation->args[0]));
		json_write_member_string(&out, "token", span_of(text));
		json_write_member_string(&out, "hash", span_of(hash));
		json_write_member_raw(&out, "rights", rights);
		if (until != NULL) {
			json_write_member_string(&out, "expires_at", span_of(until));
		}
		printf("%.*s}\n", SPAN_ARG(buf_view(&out)));
		buf_free(&out);
		return;
	}
	(void)fprintf(stderr, "the token, which is shown this once: %s\n", text);
	printf("auth:\n  tokens:\n    - name: %s\n      hash: %s\n      rights: %.*s\n",
	       invocation->args[0], hash, SPAN_ARG(rights));
	if (until != NULL) {
		printf("      expires_at: %s\n", until);
	}
}

/* For a config: nobody is asked, only the hash need reach the engine. */
static int create_offline(const struct invocation *invocation, struct span said)
{
	char text[TOKEN_TEXT_LEN + 1];
	char hash_text[TOKEN_HASH_LEN + 1];
	uint8_t hash[SHA256_LEN];
	struct buf whole = {0};
	struct err err;
	int code = EXIT_DONE;
	if (command_option(invocation, "ttl") != NULL) {
		return command_wrong(invocation, "with --offline say --expires-at, not --ttl",
		                     NULL);
	}
	if (config_judge_token(span_of(invocation->args[0]), said, &whole, &err) != 0) {
		code = refuse(&err);
	} else {
		token_text_make(text);
		token_text_hash(span_of(text), hash);
		token_hash_write(hash, hash_text);
		print_offline(invocation, text, hash_text, buf_view(&whole));
	}
	buf_free(&whole);
	return code;
}

int token_create(const struct invocation *invocation)
{
	struct buf rights = {0};
	struct buf body = {0};
	write_rights(invocation, &rights);
	int code;
	if (command_option(invocation, "offline") != NULL) {
		code = create_offline(invocation, buf_view(&rights));
	} else {
		buf_byte(&body, '{');
		json_write_member_string(&body, "name", span_of(invocation->args[0]));
		json_write_member_raw(&body, "rights", buf_view(&rights));
		const char *ttl = command_option(invocation, "ttl");
		const char *until = command_option(invocation, "expires-at");
		if (ttl != NULL) {
			json_write_member_string(&body, "ttl", span_of(ttl));
		}
		if (until != NULL) {
			json_write_member_string(&body, "expires_at", span_of(until));
		}
		buf_byte(&body, '}');
		code = remote_ask(invocation, "POST", SPAN("/v1/tokens"), buf_view(&body));
	}
	buf_free(&rights);
	buf_free(&body);
	return code;
}

void token_show(struct span answer)
{
	struct span value;
	struct buf text = {0};
	if (json_get(answer, SPAN("token"), &value)) {
		json_string(value, &text);
	}
	printf("%.*s\n", SPAN_ARG(buf_view(&text)));
	buf_free(&text);
}
