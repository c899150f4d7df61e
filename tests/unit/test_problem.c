/* This file proves what a problem document says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/json.h"
#include "engine/api/problem.h"

static void assert_member(struct span object, const char *name, const char *text)
{
	struct span value;
	assert_true(json_get(object, span_of(name), &value));
	struct buf plain = {0};
	json_string(value, &plain);
	buf_byte(&plain, '\0');
	assert_string_equal(plain.ptr, text);
	buf_free(&plain);
}

static void a_known_code_has_its_status_and_instruction(void **state)
{
	(void)state;
	assert_int_equal(problem_status(SPAN("not_found"), 400), 404);
	assert_int_equal(problem_status(SPAN("TIMEOUT"), 400), 504);
	assert_int_equal(problem_status(SPAN("invalid_key"), 500), 400);
	assert_int_equal(problem_status(SPAN("stale_delivery"), 500), 409);
	struct buf out = {0};
	problem_write(&out, 415, SPAN("unsupported_media_type"), SPAN("a \"body\"\nof text"));
	struct span value;
	assert_int_equal(json_check(buf_view(&out), &value, NULL), 0);
	assert_member(value, "code", "unsupported_media_type");
	assert_member(value, "title", "Unsupported Media Type");
	assert_member(value, "detail", "a \"body\"\nof text");
	assert_member(value, "agent_instruction", "Send Content-Type: application/json.");
	struct span status;
	int64_t number = 0;
	assert_true(json_get(value, SPAN("status"), &status));
	assert_true(json_int64(status, &number));
	assert_int_equal(number, 415);
	buf_clear(&out);
	problem_write(&out, 415, SPAN("not_a_cloudevent"), SPAN(""));
	assert_member(
	        buf_view(&out), "agent_instruction",
	        "Send Content-Type: application/cloudevents+json (a list: "
	        "application/cloudevents-batch+json), or the attributes as ce- header fields.");
	assert_int_equal(problem_status(SPAN("not_a_cloudevent"), 400), 415);
	buf_free(&out);
}

static void an_unknown_code_gets_a_sensible_one(void **state)
{
	(void)state;
	assert_int_equal(problem_status(SPAN("my_own_code"), 502), 502);
	struct buf out = {0};
	problem_write(&out, 422, SPAN("my_own_code"), SPAN(""));
	assert_member(buf_view(&out), "agent_instruction",
	              "Correct the request as the detail says and send it again.");
	buf_clear(&out);
	problem_write(&out, 502, SPAN("my_own_code"), SPAN("boom"));
	assert_member(buf_view(&out), "code", "my_own_code");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_known_code_has_its_status_and_instruction),
	        cmocka_unit_test(an_unknown_code_gets_a_sensible_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
