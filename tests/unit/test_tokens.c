/* This file proves whom a token's text belongs to, and who is told when it ends. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/token_text.h"
#include "engine/api/login.h"
#include "engine/core/tokens.h"
#include "engine/durable/alarm.h"
#include "wire/http.h"
#include <netinet/in.h>
#include <uv.h>

enum { NOW = 1000000 };

static uv_loop_t loop;
static struct alarms *alarms;
static struct tokens *tokens;
static struct login *login;

static int set_up(void **state)
{
	(void)state;
	log_open((enum log_level)(LOG_ERROR + 1), false);
	clock_set_manual(NOW);
	assert_int_equal(uv_loop_init(&loop), 0);
	alarms = alarms_new(&loop);
	tokens = tokens_new(alarms);
	login = login_new(tokens);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	login_free(login);
	tokens_free(tokens);
	alarms_close(alarms, NULL, NULL);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	return 0;
}

static struct token_spec spec_of(const char *name, const char *text, uint8_t hash[SHA256_LEN],
                                 struct rights *rights)
{
	*rights = (struct rights){0};
	assert_int_equal(rights_read(rights, SPAN("{\"read\":[\"users\"]}"), NULL), 0);
	token_text_hash(span_of(text), hash);
	return (struct token_spec){
	        .name = span_of(name), .hash = hash, .rights = rights, .origin = TOKEN_RECORD};
}

static struct token *add(const char *name, char text[TOKEN_TEXT_LEN + 1], int64_t expires_ms)
{
	struct rights rights;
	uint8_t hash[SHA256_LEN];
	token_text_make(text);
	struct token_spec spec = spec_of(name, text, hash, &rights);
	spec.expires_ms = expires_ms;
	return tokens_add(tokens, &spec);
}

static void a_text_is_unlike_any_other(void **state)
{
	(void)state;
	char one[TOKEN_TEXT_LEN + 1];
	char other[TOKEN_TEXT_LEN + 1];
	char written[TOKEN_HASH_LEN + 1];
	uint8_t hash[SHA256_LEN];
	uint8_t back[SHA256_LEN];
	token_text_make(one);
	token_text_make(other);
	assert_string_not_equal(one, other);
	assert_true(token_text_is_whole(span_of(one)));
	one[20] = '\r';
	assert_false(token_text_is_whole(span_of(one)));
	assert_false(token_text_is_whole(SPAN("pawl_short")));
	token_text_hash(span_of(other), hash);
	token_hash_write(hash, written);
	assert_true(token_hash_read(span_of(written), back));
	assert_true(token_hash_equal(hash, back));
	back[31] ^= 1;
	assert_false(token_hash_equal(hash, back));
	written[10] = 'G';
	assert_false(token_hash_read(span_of(written), back));
	assert_false(token_hash_read(SPAN("sha256:00"), back));
}

static void a_token_is_found_until_it_goes(void **state)
{
	(void)state;
	char one[TOKEN_TEXT_LEN + 1];
	char other[TOKEN_TEXT_LEN + 1];
	assert_false(tokens_required(tokens));
	struct token *token = add("one", one, 0);
	(void)add("other", other, NOW + 5000);
	assert_true(tokens_required(tokens));
	assert_ptr_equal(tokens_find(tokens, span_of(one)), token);
	assert_int_equal(token->last_used_ms, NOW);
	assert_ptr_equal(tokens_named(tokens, SPAN("one")), token);
	one[TOKEN_TEXT_LEN - 1] ^= 1;
	assert_null(tokens_find(tokens, span_of(one)));
	one[TOKEN_TEXT_LEN - 1] ^= 1;
	assert_non_null(tokens_find(tokens, span_of(other)));
	clock_advance(5000);
	assert_null(tokens_find(tokens, span_of(other)));
	tokens_remove(tokens, token);
	assert_null(tokens_find(tokens, span_of(one)));
	assert_true(tokens_required(tokens)); /* an expired one opens nothing */
}

static unsigned ended;

static void has_ended(struct token_hold *hold)
{
	(void)hold;
	ended++;
}

static void who_is_connected_is_told(void **state)
{
	(void)state;
	char text[TOKEN_TEXT_LEN + 1];
	struct token_hold holds[4] = {{.ended = has_ended},
	                              {.ended = has_ended},
	                              {.ended = has_ended},
	                              {.ended = has_ended}};
	ended = 0;
	token_hold(tokens, NULL, &holds[0]);
	struct token *token = add("one", text, 0);
	assert_int_equal(ended, 1); /* one is needed now */
	token_hold(tokens, token, &holds[1]);
	token_hold(tokens, token, &holds[2]);
	token_drop(&holds[2]);
	tokens_remove(tokens, token);
	assert_int_equal(ended, 2);
	token = add("short", text, NOW + 1000);
	token_hold(tokens, token, &holds[3]);
	clock_advance(999);
	(void)alarms_run_due(alarms);
	assert_int_equal(ended, 2);
	clock_advance(1);
	(void)alarms_run_due(alarms);
	assert_int_equal(ended, 3);
	token_drop(&holds[3]);
}

static void take_config(const char *name, const char *text, bool always)
{
	struct rights rights;
	uint8_t hash[SHA256_LEN];
	tokens_begin_config(tokens, always);
	if (name != NULL) {
		struct token_spec spec = spec_of(name, text, hash, &rights);
		spec.origin = TOKEN_CONFIG;
		tokens_config(tokens, &spec);
	}
	tokens_end_config(tokens);
}

static void the_config_says_them_anew(void **state)
{
	(void)state;
	char text[TOKEN_TEXT_LEN + 1];
	struct token_hold hold = {.ended = has_ended};
	ended = 0;
	token_text_make(text);
	take_config("one", text, false);
	struct token *token = tokens_find(tokens, span_of(text));
	assert_non_null(token);
	token_hold(tokens, token, &hold);
	take_config("one", text, false);
	assert_ptr_equal(tokens_find(tokens, span_of(text)), token);
	assert_int_equal(ended, 0);
	take_config("renamed", text, false);
	assert_int_equal(ended, 1);
	assert_string_equal(tokens_find(tokens, span_of(text))->name, "renamed");
	take_config(NULL, NULL, true);
	assert_null(tokens_find(tokens, span_of(text)));
	assert_true(tokens_required(tokens));
	take_config(NULL, NULL, false);
	assert_false(tokens_required(tokens));
}

static int try_login(const char *header, const char *query, bool is_websocket, uint32_t from)
{
	struct http_header headers[] = {{SPAN("authorization"), span_of(header)}};
	const struct http_request request = {
	        .method = SPAN("GET"),
	        .headers = headers,
	        .header_count = header != NULL,
	        .query = query ? span_of(query) : SPAN_NONE,
	        .is_websocket = is_websocket,
	};
	struct sockaddr_storage address = {.ss_family = AF_INET};
	((struct sockaddr_in *)(void *)&address)->sin_addr.s_addr = htonl(from);
	struct token *token;
	struct err err;
	return login_check(login, &request, &address, &token, &err);
}

static void the_token_stands_in_a_header(void **state)
{
	(void)state;
	char text[TOKEN_TEXT_LEN + 1];
	struct buf out = {0};
	assert_int_equal(try_login(NULL, NULL, false, 1), 0);
	(void)add("one", text, 0);
	assert_int_equal(try_login(NULL, NULL, false, 1), E_DENIED);
	buf_format(&out, "Bearer %s", text);
	buf_byte(&out, '\0');
	assert_int_equal(try_login(out.ptr, NULL, false, 1), 0);
	memcpy(out.ptr, "bEARER", 6);
	assert_int_equal(try_login(out.ptr, NULL, false, 1), 0);
	memcpy(out.ptr, "Basic ", 6);
	assert_int_equal(try_login(out.ptr, NULL, false, 1), E_DENIED);
	buf_clear(&out);
	buf_format(&out, "token=%s", text);
	buf_byte(&out, '\0');
	assert_int_equal(try_login(NULL, out.ptr, false, 1), E_DENIED);
	assert_int_equal(try_login(NULL, out.ptr, true, 1), 0);
	buf_free(&out);
}

static void wrong_tokens_are_counted_by_address(void **state)
{
	(void)state;
	char text[TOKEN_TEXT_LEN + 1];
	struct buf right = {0};
	static const char wrong[] = "Bearer pawl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	(void)add("one", text, 0);
	buf_format(&right, "Bearer %s", text);
	buf_byte(&right, '\0');
	for (int i = 0; i < 10; i++) {
		assert_int_equal(try_login(wrong, NULL, false, 1), E_DENIED);
	}
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(try_login(wrong, NULL, false, 1), E_LIMIT);
	}
	assert_int_equal(try_login(right.ptr, NULL, false, 1), 0);
	assert_int_equal(try_login(wrong, NULL, false, 2), E_DENIED);
	clock_advance(6000);
	assert_int_equal(try_login(wrong, NULL, false, 1), E_DENIED);
	assert_int_equal(try_login(wrong, NULL, false, 1), E_LIMIT);
	clock_advance(60000);
	assert_int_equal(try_login(wrong, NULL, false, 1), E_DENIED);
	/* Far more addresses than are watched. */
	for (uint32_t from = 10; from < 100000; from++) {
		assert_int_equal(try_login(wrong, NULL, false, from), E_DENIED);
	}
	buf_free(&right);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_text_is_unlike_any_other),
	        TEST(a_token_is_found_until_it_goes),
	        TEST(who_is_connected_is_told),
	        TEST(the_config_says_them_anew),
	        TEST(the_token_stands_in_a_header),
	        TEST(wrong_tokens_are_counted_by_address),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
