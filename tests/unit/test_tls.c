/* This file tests TLS with both of its ends in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/unit/certificates.h"
#include "wire/tls.h"
#include <time.h>

static struct certificates certificates;

/* What one end is, and what it has for the other and for us. */
struct end {
	struct tls *tls;
	struct buf wire;
	struct buf plain;
	struct err err;
};

static struct tls_context *serve(const char *name, const char *client_ca)
{
	char cert[64];
	char key[64];
	(void)snprintf(cert, sizeof cert, "%s.crt", name);
	(void)snprintf(key, sizeof key, "%s.key", name);
	const struct tls_files files = {
	        .cert = certificates_path(&certificates, cert),
	        .key = certificates_path(&certificates, key),
	        .client_ca = client_ca ? certificates_path(&certificates, client_ca) : NULL};
	struct tls_context *context;
	struct err err;
	if (tls_context_serve(&files, &context, &err) != 0) {
		fail_msg("%s", err.text);
	}
	return context;
}

static struct tls_context *trust(const char *file)
{
	const struct tls_trust trust = {.ca_file = file ? certificates_path(&certificates, file)
	                                                : NULL,
	                                .anyone = file == NULL};
	struct tls_context *context;
	struct err err;
	if (tls_context_ask(&trust, &context, &err) != 0) {
		fail_msg("%s", err.text);
	}
	return context;
}

static void open_ends(struct end *server, struct end *client, const char *ca, const char *host)
{
	struct tls_context *serving = serve("one", NULL);
	struct tls_context *asking = trust(ca);
	*server = (struct end){.tls = tls_new_server(serving)};
	*client = (struct end){.tls = tls_new_client(asking, host)};
	tls_context_drop(serving);
	tls_context_drop(asking);
}

static void close_end(struct end *end)
{
	tls_free(end->tls);
	buf_free(&end->wire);
	buf_free(&end->plain);
}

/* Gives `to` what `from` has sent, in pieces of `step` bytes. */
static int carry(struct end *from, struct end *to, size_t step)
{
	struct buf wire = from->wire;
	int status = 0;
	from->wire = (struct buf){0};
	for (size_t at = 0; at < wire.len && status == 0; at += step) {
		size_t len = wire.len - at < step ? wire.len - at : step;
		status = tls_receive(to->tls, span_make(wire.ptr + at, len), &to->plain, &to->wire,
		                     &to->err);
	}
	buf_free(&wire);
	return status;
}

/* Carries until neither has anything more to say, or one has failed. */
static int talk(struct end *server, struct end *client, size_t step)
{
	int status =
	        tls_receive(client->tls, SPAN_NONE, &client->plain, &client->wire, &client->err);
	while (status == 0 && (client->wire.len != 0 || server->wire.len != 0)) {
		status = carry(client, server, step);
		status = status == 0 ? carry(server, client, step) : status;
	}
	return status;
}

static void test_messages(void **state)
{
	(void)state;
	static const size_t steps[] = {1, 7, 1000, 100000};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct end server;
		struct end client;
		open_ends(&server, &client, "one.crt", "localhost");
		assert_int_equal(tls_state(server.tls), TLS_SHAKING);
		assert_int_equal(talk(&server, &client, steps[i]), 0);
		assert_int_equal(tls_state(server.tls), TLS_OPEN);
		assert_int_equal(tls_state(client.tls), TLS_OPEN);

		assert_int_equal(tls_send(client.tls, SPAN("question"), &client.wire, &client.err),
		                 0);
		assert_int_equal(talk(&server, &client, steps[i]), 0);
		assert_true(span_is(buf_view(&server.plain), "question"));
		assert_int_equal(tls_send(server.tls, SPAN("answer"), &server.wire, &server.err),
		                 0);
		assert_int_equal(talk(&server, &client, steps[i]), 0);
		assert_true(span_is(buf_view(&client.plain), "answer"));
		close_end(&server);
		close_end(&client);
	}
}

static void test_large(void **state)
{
	(void)state;
	enum { LARGE = 3 * 1000 * 1000 };
	struct end server;
	struct end client;
	open_ends(&server, &client, "one.crt", "127.0.0.1");
	assert_int_equal(talk(&server, &client, 4096), 0);
	struct buf large = {0};
	for (uint32_t i = 0; large.len < LARGE; i++) {
		buf_add(&large, &i, sizeof i);
	}
	assert_int_equal(tls_send(server.tls, buf_view(&large), &server.wire, &server.err), 0);
	assert_null(memmem(server.wire.ptr, server.wire.len, large.ptr, 4096));
	assert_int_equal(carry(&server, &client, 65536), 0);
	assert_true(span_equal(buf_view(&client.plain), buf_view(&large)));
	buf_free(&large);
	close_end(&server);
	close_end(&client);
}

static void test_goodbye(void **state)
{
	(void)state;
	struct end server;
	struct end client;
	open_ends(&server, &client, "one.crt", "localhost");
	tls_end(server.tls, &server.wire); /* too early: nothing to say goodbye to */
	assert_int_equal(server.wire.len, 0);
	assert_int_equal(talk(&server, &client, 1000), 0);
	assert_int_equal(tls_send(client.tls, SPAN("last"), &client.wire, &client.err), 0);
	tls_end(client.tls, &client.wire);
	size_t said = client.wire.len;
	tls_end(client.tls, &client.wire);
	assert_int_equal(client.wire.len, said);
	assert_int_equal(carry(&client, &server, 1000), 0);
	assert_true(span_is(buf_view(&server.plain), "last"));
	assert_int_equal(tls_state(server.tls), TLS_ENDED);

	assert_int_equal(tls_send(server.tls, SPAN("still"), &server.wire, &server.err), 0);
	tls_end(server.tls, &server.wire);
	assert_int_equal(carry(&server, &client, 1000), 0);
	assert_true(span_is(buf_view(&client.plain), "still"));
	close_end(&server);
	close_end(&client);
}

static void expect_failure(const char *ca, const char *host, const char *code, const char *text)
{
	struct end server;
	struct end client;
	open_ends(&server, &client, ca, host);
	assert_int_equal(talk(&server, &client, 1000), E_DENIED);
	assert_string_equal(client.err.code, code);
	assert_non_null(strstr(client.err.text, text));
	assert_int_equal(tls_state(client.tls), TLS_FAILED);
	assert_true(client.wire.len > 0); /* the alert */
	assert_int_equal(carry(&client, &server, 1000), E_INVALID);
	assert_string_equal(server.err.code, "tls_failed");
	close_end(&server);
	close_end(&client);
}

static void test_trust(void **state)
{
	(void)state;
	expect_failure("two.crt", "localhost", "untrusted", "self-signed");
	expect_failure("one.crt", "pawl.example.com", "untrusted", "hostname mismatch");
	expect_failure("one.crt", "127.0.0.2", "untrusted", "IP address mismatch");
	struct end server;
	struct end client;
	open_ends(&server, &client, NULL, "pawl.example.com");
	assert_int_equal(talk(&server, &client, 1000), 0);
	close_end(&server);
	close_end(&client);
}

static void test_client_certificate(void **state)
{
	(void)state;
	struct tls_context *serving = serve("one", "two.crt");
	struct tls_context *asking = trust("one.crt");
	struct end server = {.tls = tls_new_server(serving)};
	struct end client = {.tls = tls_new_client(asking, "localhost")};
	assert_int_equal(talk(&server, &client, 1000), E_INVALID);
	assert_non_null(strstr(server.err.text, "did not return a certificate"));
	tls_context_drop(serving);
	tls_context_drop(asking);
	close_end(&server);
	close_end(&client);
}

static void test_what_is_no_tls(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		const char *code;
	} rows[] = {
	        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "plain_http"},
	        {"POST /v1/invoke/f HTTP/1.1\r\n", "plain_http"},
	        {"\x16\x03\x01\xff\xff\x01\x02\x03", "tls_failed"},
	        {"\x80\x0b\x01\x03\x01garbage garbage", "tls_failed"},
	        {"SSH-2.0-OpenSSH_9.2p1\r\n", "tls_failed"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct tls_context *serving = serve("one", NULL);
		struct end server = {.tls = tls_new_server(serving)};
		assert_true(tls_receive(server.tls, span_of(rows[i].bytes), &server.plain,
		                        &server.wire, &server.err) != 0);
		assert_string_equal(server.err.code, rows[i].code);
		assert_int_equal(server.plain.len, 0);
		size_t said = server.wire.len;
		assert_int_equal(tls_receive(server.tls, SPAN("more"), &server.plain, &server.wire,
		                             &server.err),
		                 0);
		tls_end(server.tls, &server.wire);
		assert_int_equal(server.wire.len, said);
		tls_context_drop(serving);
		close_end(&server);
	}
}

static void test_damage(void **state)
{
	(void)state;
	struct end server;
	struct end client;
	open_ends(&server, &client, "one.crt", "localhost");
	assert_int_equal(talk(&server, &client, 1000), 0);
	assert_int_equal(tls_send(client.tls, SPAN("question"), &client.wire, &client.err), 0);
	client.wire.ptr[client.wire.len - 1] ^= 1;
	assert_int_equal(carry(&client, &server, 1000), E_INVALID);
	assert_int_equal(server.plain.len, 0);
	close_end(&server);
	close_end(&client);
}

static void test_files(void **state)
{
	(void)state;
	static const struct {
		const char *cert;
		const char *key;
		const char *client_ca;
		const char *what;
	} rows[] = {
	        {"none.crt", "one.key", NULL, "none.crt: No such file"},
	        {"one.crt", "none.key", NULL, "none.key: No such file"},
	        {"one.crt", "two.key", NULL, "two.key: key values mismatch"},
	        {"one.key", "one.key", NULL, "one.key: no start line"},
	        {"one.crt", "one.key", "none.crt", "none.crt"},
	        {"one.crt", "locked.key", NULL, "locked.key: "},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *ca = rows[i].client_ca;
		const struct tls_files files = {
		        .cert = certificates_path(&certificates, rows[i].cert),
		        .key = certificates_path(&certificates, rows[i].key),
		        .client_ca = ca ? certificates_path(&certificates, ca) : NULL};
		struct tls_context *context = NULL;
		struct err err;
		assert_int_equal(tls_context_serve(&files, &context, &err), E_INVALID);
		assert_string_equal(err.code, "invalid_certificate");
		if (strstr(err.text, rows[i].what) == NULL) {
			fail_msg("%s: %s", rows[i].what, err.text);
		}
		assert_null(context);
	}
}

static void test_until(void **state)
{
	(void)state;
	struct tls_context *serving = serve("one", NULL);
	int64_t days = (tls_context_until_ms(serving) / 1000 - (int64_t)time(NULL)) / 86400;
	assert_in_range(days, 29, 30);
	tls_context_drop(serving);
}

static int make(void **state)
{
	(void)state;
	certificates_open(&certificates);
	return certificates_make(&certificates, "one") || certificates_make(&certificates, "two") ||
	       certificates_shell(&certificates,
	                          "openssl ec -in one.key -aes128 -passout pass:x -out locked.key");
}

static int drop(void **state)
{
	(void)state;
	certificates_close(&certificates);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_messages),
	        cmocka_unit_test(test_large),
	        cmocka_unit_test(test_goodbye),
	        cmocka_unit_test(test_trust),
	        cmocka_unit_test(test_client_certificate),
	        cmocka_unit_test(test_what_is_no_tls),
	        cmocka_unit_test(test_damage),
	        cmocka_unit_test(test_files),
	        cmocka_unit_test(test_until),
	};
	return cmocka_run_group_tests(tests, make, drop);
}
