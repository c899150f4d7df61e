/* This file proves what the requests of HTTP functions look like: signature, format, headers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/core/secrets.h"
#include "engine/work/webhook_compose.h"
#include "wire/cloudevent.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KEY_A "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define KEY_B "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

static const char EVENT[] =
        "{\"type\":\"state\",\"event_type\":\"state:updated\",\"scope\":\"users\",\"key\":\"ann\","
        "\"old_value\":{\"plan\":\"free\"},\"new_value\":{\"plan\":\"pro\",\"seats\":3,"
        "\"note\":\"a\\nb\",\"none\":null},\"id\":\"lg-2-7\",\"seq\":7,\"rev\":\"7\","
        "\"time\":\"2026-01-02T03:04:05.678Z\",\"attempt\":1,\"delivery_id\":\"lg-2-7/t\"}";

struct world {
	struct condition_env *conditions;
	struct secrets *secrets;
	struct webhook_composer composer;
	struct webhook_message message;
	struct webhook_target target;
	struct err err;
};

static int set_up(void **state)
{
	struct world *world = MEM_NEW(struct world);
	clock_set_manual(1614265330000);
	world->conditions = condition_env_new();
	world->secrets = secrets_new();
	secrets_put(world->secrets, SPAN("a"), SPAN(KEY_A));
	secrets_put(world->secrets, SPAN("b"), SPAN("overwritten"));
	secrets_put(world->secrets, SPAN("b"), SPAN(KEY_B));
	secrets_put(world->secrets, SPAN("token"), SPAN("t0ken"));
	assert_int_equal(secrets_count(world->secrets), 3);
	webhook_composer_init(&world->composer, world->conditions, SPAN("my shop"));
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	webhook_target_close(&world->target);
	webhook_message_close(&world->message);
	webhook_composer_close(&world->composer);
	secrets_free(world->secrets);
	assert_int_equal(world->conditions->event_users, 0);
	condition_env_free(world->conditions);
	mem_free(world);
	return 0;
}

/* `more` are members of the invocation besides its url. */
static int parse(struct world *world, const char *more, bool is_ours)
{
	const struct webhook_known known = {world->conditions, world->secrets};
	struct buf json = {0};
	buf_format(&json, "{\"url\":\"http://a\"%s}", more);
	struct span whole = {0};
	assert_int_equal(json_check(buf_view(&json), &whole, NULL), 0);
	webhook_target_close(&world->target);
	world->err = (struct err){0};
	int status =
	        webhook_target_parse(whole, is_ours ? &known : NULL, &world->target, &world->err);
	buf_free(&json);
	return status;
}

static void expect_parsed(struct world *world, const char *more)
{
	int status = parse(world, more, true);
	assert_string_equal(world->err.text, "");
	assert_int_equal(status, 0);
}

static void write_whole_event(struct call *call, struct buf *out)
{
	(void)call;
	BUF_LITERAL(out, EVENT);
}

static int compose(struct world *world, const char *data, bool is_selected)
{
	struct call call = {
	        .data = span_of(data),
	        .write_event = is_selected ? write_whole_event : NULL,
	        .metadata = SPAN("{\"team\":\"blue\"}"),
	        .traceparent = SPAN("00-ab-cd-01"),
	        .baggage = SPAN("pawl.delivery=lg-2-7%2Ft,pawl.attempt=2"),
	};
	world->err = (struct err){0};
	return webhook_compose(&world->composer, &world->target, &call, &world->message,
	                       &world->err);
}

static void expect_composed(struct world *world)
{
	int status = compose(world, EVENT, false);
	assert_string_equal(world->err.text, "");
	assert_int_equal(status, 0);
}

/* The value of a field; fails when it is there more than once. */
static const char *field(const struct world *world, const char *name)
{
	const struct buf *headers = &world->message.headers;
	size_t len = strlen(name);
	const char *found = NULL;
	for (size_t at = 0; at < headers->len; at += strlen(headers->ptr + at) + 1) {
		if (strncasecmp(headers->ptr + at, name, len) == 0 &&
		    strncmp(headers->ptr + at + len, ": ", 2) == 0) {
			assert_null(found);
			found = headers->ptr + at + len + 2;
		}
	}
	return found;
}

static void expect_body(const struct world *world, const char *text)
{
	struct span body = buf_view(&world->message.body);
	if (!span_is(body, "") && body.len == strlen(text) &&
	    memcmp(body.ptr, text, body.len) == 0) {
		return;
	}
	fail_msg("%.*s", SPAN_ARG(body));
}

/* ---- signatures ---- */

static void a_signature_is_that_of_the_standard(void **state)
{
	(void)state;
	struct webhook_keys keys = {0};
	struct buf out = {0};
	assert_int_equal(webhook_keys_add(&keys, SPAN("a"), SPAN(KEY_A), NULL), 0);
	webhook_keys_sign(&keys, SPAN("msg_p5jXN8AQM9LWM0D4loKWxJek"), 1614265330,
	                  SPAN("{\"test\": 2432232314}"), &out);
	buf_byte(&out, '\0');
	assert_string_equal(out.ptr, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	webhook_keys_close(&keys);
	buf_free(&out);
}

static void each_key_signs(void **state)
{
	struct world *world = *state;
	struct buf expected = {0};
	struct webhook_keys keys = {0};
	expect_parsed(world, ",\"sign\":[\"a\",\"b\"]");
	expect_composed(world);
	assert_string_equal(field(world, "webhook-id"), "lg-2-7/t");
	assert_string_equal(field(world, "webhook-timestamp"), "1614265330");
	assert_int_equal(webhook_keys_add(&keys, SPAN("a"), SPAN(KEY_A), NULL), 0);
	assert_int_equal(webhook_keys_add(&keys, SPAN("b"), SPAN(KEY_B), NULL), 0);
	webhook_keys_sign(&keys, SPAN("lg-2-7/t"), 1614265330, span_of(EVENT), &expected);
	buf_byte(&expected, '\0');
	assert_string_equal(field(world, "webhook-signature"), expected.ptr);
	assert_non_null(strstr(expected.ptr, " v1,"));
	webhook_keys_close(&keys);
	buf_free(&expected);
}

static void a_key_that_is_none_is_refused_and_never_shown(void **state)
{
	struct world *world = *state;
	static const char *const bad[] = {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_",
	                                  "whsec_AAAA", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa!!",
	                                  ""};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		secrets_put(world->secrets, SPAN("bad"), span_of(bad[i]));
		assert_int_equal(parse(world, ",\"sign\":[\"a\",\"bad\"]", true), E_INVALID);
		assert_string_equal(world->err.code, "invalid_secret");
		assert_non_null(strstr(world->err.text, "\"bad\""));
		assert_null(strstr(world->err.text, "MfKQ"));
	}
	assert_int_equal(parse(world, ",\"sign\":[\"c\"]", true), E_NOT_FOUND);
	assert_string_equal(world->err.code, "secret_missing");
}

/* ---- CloudEvents ---- */

static void a_structured_event_holds_everything(void **state)
{
	struct world *world = *state;
	expect_parsed(world, ",\"format\":\"cloudevents\"");
	assert_int_equal(compose(world, "{\"n\":1}", true), 0);
	assert_string_equal(field(world, "Content-Type"), "application/cloudevents+json");
	expect_body(world,
	            "{\"specversion\":\"1.0\",\"id\":\"lg-2-7\",\"source\":\"/pawl/my%20shop\","
	            "\"type\":\"pawl.state.updated\",\"subject\":\"users/ann\","
	            "\"time\":\"2026-01-02T03:04:05.678Z\",\"traceparent\":\"00-ab-cd-01\","
	            "\"datacontenttype\":\"application/json\",\"data\":{\"n\":1}}");
}

static void a_binary_event_is_in_the_fields(void **state)
{
	struct world *world = *state;
	expect_parsed(world, ",\"format\":\"cloudevents_binary\"");
	expect_composed(world);
	expect_body(world, EVENT);
	assert_string_equal(field(world, "Content-Type"), "application/json");
	assert_string_equal(field(world, "ce-specversion"), "1.0");
	assert_string_equal(field(world, "ce-id"), "lg-2-7");
	assert_string_equal(field(world, "ce-source"), "/pawl/my%2520shop");
	assert_string_equal(field(world, "ce-type"), "pawl.state.updated");
	assert_string_equal(field(world, "ce-subject"), "users/ann");
	assert_string_equal(field(world, "ce-time"), "2026-01-02T03:04:05.678Z");
	assert_string_equal(field(world, "ce-traceparent"), "00-ab-cd-01");
}

static void what_a_field_may_not_hold_is_encoded(void **state)
{
	struct world *world = *state;
	struct buf event = {0};
	expect_parsed(world, ",\"format\":\"cloudevents_binary\"");
	buf_format(&event,
	           "{\"event_type\":\"state:created\",\"id\":\"lg-2-8\",\"scope\":\"caf\u00e9 x\","
	           "\"key\":\"a\\\"b%%\\r\\n\\u0085\"}");
	buf_byte(&event, '\0');
	assert_int_equal(compose(world, event.ptr, false), 0);
	assert_string_equal(field(world, "ce-subject"),
	                    "caf%C3%A9%20x/a%22b%25%250D%250A%25C2%2585");
	buf_free(&event);
	expect_parsed(world, ",\"format\":\"cloudevents\"");
	assert_int_equal(compose(world, "{\"scope\":\"\\u0001\",\"key\":\"\xc2\x85\"}", false), 0);
	assert_non_null(memmem(world->message.body.ptr, world->message.body.len,
	                       "\"subject\":\"%01/%C2%85\"", 22));
}

static void a_call_without_an_event_is_one_too(void **state)
{
	struct world *world = *state;
	static const char *const data[] = {"null", "7", "[1]", "{\"id\":\"x\"}"};
	expect_parsed(world, ",\"format\":\"cloudevents_binary\"");
	for (size_t i = 0; i < sizeof data / sizeof *data; i++) {
		assert_int_equal(compose(world, data[i], false), 0);
		assert_string_equal(field(world, "ce-type"), "pawl.call");
		assert_string_equal(field(world, "ce-id"), "lg-2-7/t");
		assert_null(field(world, "ce-subject"));
		assert_null(field(world, "ce-time"));
		expect_body(world, data[i]);
	}
}

/* ---- headers ---- */

static void headers_speak_of_the_event(void **state)
{
	struct world *world = *state;
	expect_parsed(world, ",\"headers\":{\"x-plan\":\"${{ new_value.plan }}\","
	                     "\"x-text\":\"${{scope}}/${{ key }}: ${{ new_value.seats + 1.0 }}\","
	                     "\"x-time\":\"${{ time }}\",\"x-id\":\"${{ event.id }}\","
	                     "\"x-team\":\"${{ metadata.team }}\",\"x-plain\":\"${ }}\","
	                     "\"x-none\":\"no ${{ new_value.none }}\","
	                     "\"x-gone\":\"${{ new_value.?gone }}\","
	                     "\"x-there\":\"${{ new_value.?plan }}\","
	                     "\"x-api-key\":\"k ${{ secrets.token }}.\"}");
	expect_composed(world);
	assert_string_equal(field(world, "x-plan"), "pro");
	assert_string_equal(field(world, "x-text"), "users/ann: 4");
	assert_string_equal(field(world, "x-time"), "2026-01-02T03:04:05.678Z");
	assert_string_equal(field(world, "x-id"), "lg-2-7");
	assert_string_equal(field(world, "x-team"), "blue");
	assert_string_equal(field(world, "x-plain"), "${ }}");
	assert_null(field(world, "x-none"));
	assert_null(field(world, "x-gone"));
	assert_string_equal(field(world, "x-there"), "pro");
	assert_string_equal(field(world, "x-api-key"), "k t0ken.");
	assert_true(webhook_target_is_private(&world->target));
	assert_int_equal(compose(world, "{\"n\":1}", true), 0);
	assert_string_equal(field(world, "x-plan"), "pro");
	expect_body(world, "{\"n\":1}");
}

static void a_header_that_fails_says_so(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *text;
		const char *code;
	} cases[] = {
	        {"${{ new_value.missing }}", "template_failed"},
	        {"${{ new_value.note }}", "header_failed"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf more = {0};
		buf_format(&more, ",\"headers\":{\"x-y\":\"%s\"}", cases[i].text);
		buf_byte(&more, '\0');
		expect_parsed(world, more.ptr);
		assert_int_equal(compose(world, EVENT, false), E_INVALID);
		assert_string_equal(world->err.code, cases[i].code);
		assert_non_null(strstr(world->err.text, "x-y"));
		buf_free(&more);
	}
}

static void what_is_wrong_is_refused_when_it_is_read(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *more;
		const char *code;
	} cases[] = {
	        {",\"headers\":{\"a\":\"${{ new_value. }}\"}", "invalid_template"},
	        {",\"headers\":{\"a\":\"${{ }}\"}", "invalid_template"},
	        {",\"headers\":{\"a\":\"${{ key\"}", "invalid_template"},
	        {",\"headers\":{\"a\":\"${{ secrets.nope }}\"}", "secret_missing"},
	        {",\"headers\":{\"Content-Length\":\"3\"}", "invalid_invocation"},
	        {",\"headers\":{\"a\":7}", "invalid_invocation"},
	        {",\"sign\":[\"a\"],\"headers\":{\"Webhook-Id\":\"x\"}", "invalid_invocation"},
	        {",\"sign\":\"a\"", "invalid_invocation"},
	        {",\"format\":\"cloudevents\",\"headers\":{\"Ce-Id\":\"x\"}", "invalid_invocation"},
	        {",\"format\":\"cloudevents\",\"headers\":{\"content-type\":\"x\"}",
	         "invalid_invocation"},
	        {",\"format\":\"xml\"", "invalid_invocation"},
	        {",\"follow_redirects\":11", "invalid_invocation"},
	        {",\"concurrency\":-1", "invalid_invocation"},
	        {",\"alarm_path\":\"internal\"", "invalid_invocation"},
	        {",\"alarm_path\":\"/a b\"", "invalid_invocation"},
	        {",\"alarm_path\":7", "invalid_invocation"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_not_equal(parse(world, cases[i].more, true), 0);
		assert_string_equal(world->err.code, cases[i].code);
	}
}

/* Who comes over the socket gets no secret, and what looks like an expression is his own text. */
static void strangers_have_no_secrets(void **state)
{
	struct world *world = *state;
	static const char *const bad[] = {",\"sign\":[\"a\"]", ",\"insecure\":true",
	                                  ",\"ca_file\":\"/etc/passwd\""};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(parse(world, bad[i], false), E_INVALID);
		assert_string_equal(world->err.code, "invalid_invocation");
	}
	assert_int_equal(parse(world, ",\"headers\":{\"a\":\"${{ secrets.token }}\"}", false), 0);
	expect_composed(world);
	assert_string_equal(field(world, "a"), "${{ secrets.token }}");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        TEST(a_signature_is_that_of_the_standard),
	        TEST(each_key_signs),
	        TEST(a_key_that_is_none_is_refused_and_never_shown),
	        TEST(a_structured_event_holds_everything),
	        TEST(a_binary_event_is_in_the_fields),
	        TEST(what_a_field_may_not_hold_is_encoded),
	        TEST(a_call_without_an_event_is_one_too),
	        TEST(headers_speak_of_the_event),
	        TEST(a_header_that_fails_says_so),
	        TEST(what_is_wrong_is_refused_when_it_is_read),
	        TEST(strangers_have_no_secrets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
