/* This file gives a program that the engine starts a token, and says where the engine is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/runtime_env.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/token_text.h"
#include "engine/core/tokens.h"
#include <string.h>

enum { NAME_LEN_MAX = 64, OWN_VARIABLES = 2 };

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

int runtime_env_check_name(struct span name, struct err *err)
{
	bool good = name.len != 0 && name.len <= NAME_LEN_MAX && is_letter(name.ptr[0]);
	for (size_t i = 0; good && i < name.len; i++) {
		char byte = name.ptr[i];
		good = is_letter(byte) || is_digit(byte) || byte == '_' || byte == '-';
	}
	return good ? 0
	            : err_set(err, E_INVALID, "invalid_value",
	                      "'state' holds names of namespaces: a letter, then letters, digits, "
	                      "'_' and '-', at most %d; not \"%.*s\"",
	                      NAME_LEN_MAX, (int)(name.len < 100 ? name.len : 100), name.ptr);
}

/* ---- the token ---- */

/* What the config says, and to write into the objects of the namespaces. */
static void make_rights(const struct config_exec *exec, struct rights *out)
{
	struct rights all = exec->rights;
	size_t count = exec->rights.write.count + exec->state.count;
	all.write.items = MEM_ARRAY(char *, count + 1);
	all.write.count = count;
	for (size_t i = 0; i < exec->rights.write.count; i++) {
		all.write.items[i] = exec->rights.write.items[i];
	}
	char **own = all.write.items + exec->rights.write.count;
	for (size_t i = 0; i < exec->state.count; i++) {
		struct buf pattern = {0};
		buf_format(&pattern, "%s/*", exec->state.items[i]);
		buf_byte(&pattern, '\0');
		own[i] = pattern.ptr;
	}
	rights_copy(&all, out);
	for (size_t i = 0; i < exec->state.count; i++) {
		mem_free(own[i]);
	}
	mem_free(all.write.items);
}

static struct token *make_token(const struct core *core, const struct config_exec *exec,
                                struct span function_id, char text[TOKEN_TEXT_LEN + 1])
{
	struct rights rights;
	uint8_t hash[SHA256_LEN];
	make_rights(exec, &rights);
	token_text_make(text);
	token_text_hash(span_of(text), hash);
	const struct token_spec spec = {
	        .name = function_id,
	        .hash = hash,
	        .rights = &rights,
	        .origin = TOKEN_RUNTIME,
	        .created_ms = clock_wall_ms(),
	};
	return tokens_add(core->tokens, &spec);
}

/* ---- the variables ---- */

static char *text_of(struct buf *text)
{
	buf_byte(text, '\0');
	return text->ptr;
}

static char *variable(const char *name, const char *value)
{
	struct buf text = {0};
	buf_format(&text, "%s=%s", name, value);
	return text_of(&text);
}

static void write_url(const struct core *core, struct buf *out)
{
	if (core->address[0] != '\0') {
		buf_format(out, "http://%s", core->address);
	} else if (core->tls_address[0] != '\0') {
		buf_format(out, "https://%s", core->tls_address);
	} else {
		buf_format(out, "unix:%s", core->socket_path);
	}
	buf_byte(out, '\0');
}

/* "PAWL_STATE_MY_ROOM" for "my-room". */
static char *state_variable(const char *name, const char *url, const char *service)
{
	struct buf text = {0};
	BUF_LITERAL(&text, "PAWL_STATE_");
	for (const char *at = name; *at != '\0'; at++) {
		bool is_small = *at >= 'a' && *at <= 'z';
		buf_byte(&text, is_small ? (char)(*at - 'a' + 'A') : *at == '-' ? '_' : *at);
	}
	buf_format(&text, "=%s/v1/services/%s/state/namespaces/%s", url, service, name);
	return text_of(&text);
}

char **runtime_env_make(const struct core *core, const struct config_exec *exec,
                        struct span function_id, struct token **out_token)
{
	size_t count = 0;
	char text[TOKEN_TEXT_LEN + 1];
	struct buf url = {0};
	char **list = MEM_ARRAY(char *, exec->env.count + exec->state.count + OWN_VARIABLES + 1);
	*out_token = make_token(core, exec, function_id, text);
	write_url(core, &url);
	for (size_t i = 0; i < exec->env.count; i++) {
		list[count++] = variable(exec->env.pairs[i].name, exec->env.pairs[i].value);
	}
	list[count++] = variable("PAWL_URL", url.ptr);
	list[count++] = variable("PAWL_RUNTIME_TOKEN", text);
	for (size_t i = 0; url.ptr[0] == 'h' && i < exec->state.count; i++) {
		list[count++] = state_variable(exec->state.items[i], url.ptr, core->service_name);
	}
	explicit_bzero(text, sizeof text);
	buf_free(&url);
	return list;
}

void runtime_env_free(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
		explicit_bzero(list[i], strlen(list[i]));
		mem_free(list[i]);
	}
	mem_free(list);
}
