/* This file proves how HTTP requests become calls of functions, and results become replies. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/route.h"
#include "server_world.h"

#define HOST "Host: localhost\r\n"
#define JSON "Content-Type: application/json\r\n"

/* Sends a request and expects the status and, behind it, the text. */
static void exchange(struct client *client, const char *line, const char *headers, const char *body,
                     const char *status, const char *text)
{
	struct buf out = {0};
	buf_format(&out, "%s HTTP/1.1\r\n" HOST "%s", line, headers);
	if (body) {
		buf_format(&out, JSON "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
	} else {
		buf_format(&out, "\r\n");
	}
	client_send_bytes(client, buf_view(&out));
	buf_clear(&out);
	buf_format(&out, "HTTP/1.1 %s ", status);
	buf_byte(&out, '\0');
	client_expect(client, out.ptr);
	client_expect(client, text);
	buf_free(&out);
}

static int open_world(void **state)
{
	int failed = world_set_up(state);
	world_open(*state);
	return failed;
}

static void path_query_and_body_become_data(void **state)
{
	struct client client;
	client_open(&client, *state);
	exchange(&client, "PUT /v1/state/users/a%2Fb%20c", "", "{\"big\": 12345678901234567890}",
	         "200",
	         "{\"f\":\"state::set\",\"data\":{\"value\":{\"big\": 12345678901234567890},"
	         "\"scope\":\"users\",\"key\":\"a/b c\"}}");
	exchange(&client, "PUT /v1/state/s/k?ttl_ms=5000&expires_at=x", "", " null ", "200",
	         "{\"value\":null,\"ttl_ms\":5000,\"expires_at\":\"x\",\"scope\":\"s\",\"key\":"
	         "\"k\"}");
	exchange(&client, "DELETE /v1/state/s/k", "", NULL, "200",
	         "\"state::delete\",\"data\":{\"scope\":\"s\",\"key\":\"k\"}");
	exchange(&client, "POST /v1/state/s/k/update", "", "{\"ops\":[1], \"scope\":\"other\" }",
	         "200", "{\"ops\":[1], \"scope\":\"other\",\"scope\":\"s\",\"key\":\"k\"}");
	exchange(&client, "POST /v1/state/s/k/update", "", "{ \n}", "200",
	         "\"data\":{\"scope\":\"s\",\"key\":\"k\"}");
	exchange(&client, "GET /v1/state/s?prefix=a%2Bb+c&limit=10&reverse", "", NULL, "200",
	         "\"data\":{\"with_keys\":true,\"prefix\":\"a+b c\",\"limit\":10,\"reverse\":true,"
	         "\"scope\":\"s\"}");
	exchange(&client, "GET /v1/state/s?with_keys=false", "", NULL, "200",
	         "{\"with_keys\":true,\"with_keys\":false,\"scope\":\"s\"}");
	client_close(&client);
}

static void an_object_is_a_scope(void **state)
{
	struct client client;
	client_open(&client, *state);
	exchange(&client,
	         "GET /v1/services/default/state/namespaces/a%2Fb/objects/c%25/keys?limit=2", "",
	         NULL, "200",
	         "\"data\":{\"limit\":1000,\"keys_only\":true,\"limit\":2,"
	         "\"scope\":\"a%2Fb/c%25\"}");
	exchange(&client, "PUT /v1/services/default/state/namespaces/a/objects/b/values/k?raw", "",
	         "{\"value\":7}", "200",
	         "\"data\":{\"value\":{\"value\":7},\"scope\":\"a/b\",\"key\":\"k\"}");
	exchange(&client, "PUT /v1/services/default/state/namespaces/a/objects/b/values/k", "",
	         "{\"encoding\":\"text\",\"value\":\"7\"}", "200",
	         "\"data\":{\"value\":\"7\",\"encoding\":\"text\",\"scope\":\"a/b\",");
	exchange(&client, "GET /v1/services/other/state/namespaces/a/objects/b/keys", "", NULL,
	         "404", "this engine serves \\\"default\\\", not \\\"other\\\"");
	client_close(&client);
}

static void a_value_has_its_rev_as_etag(void **state)
{
	struct client client;
	client_open(&client, *state);
	exchange(&client, "GET /v1/state/s/k", "", NULL, "200", "ETag: \"7\"\r\n");
	client_expect(&client, "\r\n\r\n{\"n\":1}");
	exchange(&client, "GET /v1/state/s/k", "If-None-Match: \"7\"\r\n", NULL, "304",
	         "ETag: \"7\"\r\n");
	exchange(&client, "GET /v1/state/s/k", "If-None-Match: \"6\"\r\n", NULL, "200",
	         "{\"n\":1}");
	exchange(&client, "GET /v1/state/s/k", "If-None-Match: \"6\", W/\"7\"\r\n", NULL, "304",
	         "ETag: \"7\"\r\n");
	exchange(&client, "GET /v1/state/s/k", "If-None-Match: *\r\n", NULL, "304",
	         "ETag: \"7\"\r\n");
	exchange(&client, "GET /v1/state/s/k", "If-None-Match: \"17\", \"70\"\r\n", NULL, "200",
	         "{\"n\":1}");
	exchange(&client, "GET /v1/state/s/missing", "If-None-Match: *\r\n", NULL, "404",
	         "not_found");
	exchange(&client, "GET /v1/state/s/missing", "", NULL, "404", "\"code\":\"not_found\"");
	exchange(&client, "PUT /v1/state/s/k", "If-Match: \"7\"\r\n", "1", "200",
	         "\"if_rev\":\"7\"");
	exchange(&client, "PUT /v1/state/s/k", "If-None-Match: *\r\n", "1", "200",
	         "\"if_rev\":\"0\"");
	exchange(&client, "PUT /v1/state/s/k", "If-Match: *\r\n", "1", "400", "invalid_request");
	exchange(&client, "PUT /v1/state/s/k", "If-Match: 7\r\n", "1", "400", "invalid_request");
	client_close(&client);
}

static void wrong_requests_are_explained(void **state)
{
	struct client client;
	client_open(&client, *state);
	exchange(&client, "PUT /v1/state/s/k", "", "{\"a\":", "400", "\"code\":\"invalid_json\"");
	exchange(&client, "PUT /v1/state/s/k", "", "", "400", "\"code\":\"value_required\"");
	exchange(&client, "POST /v1/state/s/k/update", "", "[]", "400", "must be a JSON object");
	exchange(&client, "GET /v1/state/s?limit=ten", "", NULL, "400",
	         "not a whole number: limit");
	exchange(&client, "GET /v1/state/s?limti=1", "", NULL, "400", "unknown_parameter");
	exchange(&client, "GET /v1/state/s?prefix=%zz", "", NULL, "400", "percent-encoding");
	exchange(&client, "GET /v1/state/s%ff/k", "", NULL, "400", "\"code\":\"invalid_path\"");
	exchange(&client, "GET /v1/state/s/%00", "", NULL, "400", "\"code\":\"invalid_path\"");
	exchange(&client, "GET /v1/stat/s/k", "", NULL, "404",
	         "the nearest is GET /v1/state/{scope}/{key}");
	exchange(&client, "GET /v1/state/s/", "", NULL, "404", "route_not_found");
	exchange(&client, "POST /v1/state/s/k", "", "1", "405",
	         "Allow: GET, HEAD, PUT, DELETE\r\n");
	exchange(&client, "GET /v1/workers", "", NULL, "404", "\"code\":\"function_not_found\"");
	client_close(&client);
}

static void functions_are_called_with_the_body(void **state)
{
	struct client client;
	client_open(&client, *state);
	exchange(&client, "POST /v1/functions/echo/invoke", "", "[1, 2]", "200",
	         "{\"f\":\"echo\",\"data\":[1, 2]}");
	exchange(&client, "POST /v1/functions/state%3A%3Aset/invoke", "", "{}", "200",
	         "\"f\":\"state::set\"");
	exchange(&client, "POST /v1/functions/echo/invoke", "", NULL, "200", "\"data\":null");
	exchange(&client, "POST /v1/functions/echo/invoke?namespace=here", "", "1", "404",
	         "it exists in \\\"default\\\"");
	exchange(&client, "POST /v1/functions/echo/invoke?timeout_ms=0", "", "1", "400",
	         "timeout_ms must be");
	exchange(&client, "POST /v1/functions/echo/invoke", "", "{]", "400", "invalid_json");
	client_close(&client);
}

static void nobody_need_wait_for_a_result(void **state)
{
	struct world *world = *state;
	struct client client;
	client_open(&client, world);
	exchange(&client, "POST /v1/functions/slow/invoke?void=true", "", "1", "202", "\r\n\r\n");
	exchange(&client, "POST /v1/functions/slow/invoke", "Prefer: respond-async\r\n", "1", "202",
	         "\r\n\r\n");
	exchange(&client, "POST /v1/functions/gone/invoke?void=true", "", "1", "404",
	         "function_not_found");
	assert_int_equal(world->started, 2);
	world_release(world);
	client_close(&client);
}

static void ends_of_calls_have_a_status(void **state)
{
	struct client client;
	client_open(&client, *state);
#define INVOKE(function) "POST /v1/functions/" function "/invoke"
	exchange(&client, INVOKE("fail"), "", "{\"code\":\"my_code\"}", "502",
	         "\"detail\":\"as was asked for\",\"code\":\"my_code\"");
	exchange(&client, INVOKE("refuse"), "", "{\"code\":\"my_code\"}", "400", "my_code");
	exchange(&client, INVOKE("refuse"), "", "{\"code\":\"rev_conflict\"}", "409",
	         "rev_conflict");
	exchange(&client, INVOKE("time"), "", "{\"code\":\"TIMEOUT\"}", "504", "TIMEOUT");
	exchange(&client, INVOKE("stop"), "", "{\"code\":\"invocation_stopped\"}", "503",
	         "Retry-After: 1\r\n");
	client_close(&client);
}

static void health_follows_the_status(void **state)
{
	struct client client;
	client_open(&client, *state);
	exchange(&client, "GET /v1/status", "", NULL, "200", "engine::status");
	exchange(&client, "GET /healthz", "", NULL, "200", "engine::status");
	exchange(&client, "GET /readyz", "", NULL, "503", "engine::status"); /* says no "ok" */
	client_close(&client);
}

static void who_stops_answers_what_waits(void **state)
{
	struct world *world = *state;
	struct client client;
	client_open(&client, world);
	client_send(&client, "POST /v1/functions/slow/invoke HTTP/1.1\r\n" HOST "\r\n");
	while (world->started == 0) {
		world_turn(world);
	}
	rest_free(world->rest);
	world->rest = NULL;
	client_expect(&client, "HTTP/1.1 503 ");
	client_expect(&client, "shutting_down");
	client_close(&client);
}

static void every_route_is_sound(void **state)
{
	(void)state;
	size_t count;
	const struct route *routes = route_table(&count);
	for (size_t i = 0; i < count; i++) {
		const struct route *route = &routes[i];
		struct route_match match;
		struct buf path = {0};
		for (const char *at = route->path; *at; at++) {
			if (*at == '{') {
				at = strchr(at, '}');
				buf_byte(&path, 'x');
			} else {
				buf_byte(&path, *at);
			}
		}
		assert_int_equal(route_find(span_of(route->method), buf_view(&path), &match),
		                 ROUTE_FOUND);
		assert_ptr_equal(match.route, route); /* no earlier row hides it */
		assert_true((route->function == NULL) ==
		            ((route->flags & (ROUTE_INVOKE | ROUTE_HELLO | ROUTE_DOCUMENT |
		                              ROUTE_FILE | ROUTE_WATCH)) != 0));
		assert_int_equal(route->summary[strlen(route->summary) - 1], '.');
		buf_free(&path);
	}
}

int main(void)
{
	log_open(LOG_ERROR, false);
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, world_tear_down)
	const struct CMUnitTest tests[] = {
	        TEST(path_query_and_body_become_data),    TEST(an_object_is_a_scope),
	        TEST(a_value_has_its_rev_as_etag),        TEST(wrong_requests_are_explained),
	        TEST(functions_are_called_with_the_body), TEST(nobody_need_wait_for_a_result),
	        TEST(ends_of_calls_have_a_status),        TEST(health_follows_the_status),
	        TEST(who_stops_answers_what_waits),       cmocka_unit_test(every_route_is_sound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
