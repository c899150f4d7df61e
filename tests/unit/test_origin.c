/* This file proves which Origin and Host headers are let in. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "engine/api/origin.h"

static const char *const origins[] = {"https://app.example.com", NULL};
static const char *const hosts[] = {"pawl.example.com", NULL};

static struct origin_rule make_rule(void)
{
	return (struct origin_rule){
	        .listen_host = SPAN("10.1.2.3"),
	        .port = 49134,
	        .allowed_origins = origins,
	        .allowed_hosts = hosts,
	};
}

static int check(const char *origin, const char *host)
{
	struct origin_rule rule = make_rule();
	return origin_check(&rule, span_of(origin), span_of(host), NULL);
}

static void programs_send_no_origin(void **state)
{
	(void)state;
	static const char *const good[] = {"127.0.0.1:49134",
	                                   "127.0.0.1",
	                                   "127.9.9.9:1",
	                                   "localhost:49134",
	                                   "LOCALHOST",
	                                   "dev.localhost:8080",
	                                   "[::1]:49134",
	                                   "[::1]",
	                                   "10.1.2.3:49134",
	                                   "pawl.example.com",
	                                   "pawl.example.com:443",
	                                   "Pawl.Example.Com"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(check(NULL, good[i]), 0);
	}
	assert_int_equal(check(NULL, NULL), 0); /* HTTP/1.0 */
}

static void a_name_that_was_made_to_point_at_us_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"evil.example.com",
	                                  "evil.example.com:49134",
	                                  "127.0.0.1.evil.com",
	                                  "localhost.evil.com",
	                                  "notlocalhost",
	                                  "10.1.2.4:49134",
	                                  "[::2]:49134",
	                                  "pawl.example.com.evil.com",
	                                  "",
	                                  ":49134",
	                                  "[::1",
	                                  "[::1]x",
	                                  "localhost:",
	                                  "localhost:99999",
	                                  "localhost:1:2"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = {0};
		struct origin_rule rule = make_rule();
		assert_int_equal(origin_check(&rule, SPAN_NONE, span_of(bad[i]), &err), E_DENIED);
		assert_string_equal(err.code, "host_not_allowed");
	}
}

static void pages_of_the_listener_are_let_in(void **state)
{
	(void)state;
	static const char *const good[] = {"http://127.0.0.1:49134",  "http://localhost:49134",
	                                   "http://[::1]:49134",      "https://localhost:49134",
	                                   "http://10.1.2.3:49134",   "https://app.example.com",
	                                   "https://pawl.example.com"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(check(good[i], "127.0.0.1:49134"), 0);
	}
}

static void other_pages_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"http://evil.com",
	                                  "http://localhost:3000",
	                                  "http://127.0.0.1",
	                                  "null",
	                                  "",
	                                  "file://",
	                                  "http://app.example.com",
	                                  "https://app.example.com:8443",
	                                  "https://app.example.com.evil.com",
	                                  "http://localhost:49134.evil.com",
	                                  "http://evil.com:49134",
	                                  "ftp://localhost:49134"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = {0};
		struct origin_rule rule = make_rule();
		assert_int_equal(
		        origin_check(&rule, span_of(bad[i]), SPAN("localhost:49134"), &err),
		        E_DENIED);
		assert_string_equal(err.code, "origin_not_allowed");
	}
}

static void a_page_of_a_tls_listener_is_https(void **state)
{
	(void)state;
	struct origin_rule rule = make_rule();
	rule.kind = ORIGIN_SECURE;
	struct span host = SPAN("localhost:49134");
	assert_int_equal(origin_check(&rule, SPAN("https://localhost:49134"), host, NULL), 0);
	assert_int_equal(origin_check(&rule, SPAN("http://localhost:49134"), host, NULL), E_DENIED);
	assert_int_equal(origin_check(&rule, SPAN_NONE, SPAN("evil.com"), NULL), E_DENIED);
}

static void a_unix_socket_has_no_origin_of_its_own(void **state)
{
	(void)state;
	struct origin_rule rule = {
	        .kind = ORIGIN_LOCAL, .allowed_origins = origins, .allowed_hosts = hosts};
	static const char *const bad[] = {"http://localhost", "http://localhost:0", "http://",
	                                  "https://evil.com", "null"};
	assert_int_equal(origin_check(&rule, SPAN_NONE, SPAN("anything"), NULL), 0);
	assert_int_equal(origin_check(&rule, SPAN_NONE, SPAN(":::"), NULL), 0);
	assert_int_equal(origin_check(&rule, SPAN("https://app.example.com"), SPAN("x"), NULL), 0);
	assert_int_equal(origin_check(&rule, SPAN("https://pawl.example.com"), SPAN("x"), NULL), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(origin_check(&rule, span_of(bad[i]), SPAN("localhost"), NULL),
		                 E_DENIED);
	}
}

static void a_star_lets_everybody_in(void **state)
{
	(void)state;
	static const char *const all[] = {"*", NULL};
	struct origin_rule rule = {.listen_host = SPAN("0.0.0.0"),
	                           .port = 80,
	                           .allowed_origins = all,
	                           .allowed_hosts = all};
	assert_int_equal(origin_check(&rule, SPAN("http://a.b"), SPAN("c.d:7"), NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(programs_send_no_origin),
	        cmocka_unit_test(a_name_that_was_made_to_point_at_us_is_refused),
	        cmocka_unit_test(pages_of_the_listener_are_let_in),
	        cmocka_unit_test(other_pages_are_refused),
	        cmocka_unit_test(a_page_of_a_tls_listener_is_https),
	        cmocka_unit_test(a_unix_socket_has_no_origin_of_its_own),
	        cmocka_unit_test(a_star_lets_everybody_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
