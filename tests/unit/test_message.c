/* This file proves that frames of the worker protocol are read, refused and written as they must.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "wire/baggage.h"
#include "wire/message.h"

static int parse_from(enum message_sender from, const char *frame, struct buf *scratch,
                      struct message *out, struct err *err)
{
	*err = (struct err){0};
	return message_parse(span_of(frame), from, scratch, out, err);
}

static void a_frame_is_read_without_a_copy(void **state)
{
	(void)state;
	static const char frame[] =
	        " {\"type\":\"invokefunction\",\"invocation_id\":\"i1\",\"function_id\":\"state::"
	        "set\","
	        "\"data\":{\"a\": 1.50},\"action\":{\"type\":\"void\"},\"unknown\":[1],"
	        "\"baggage\":\"a=b\",\"namespace\":\"default\"} ";
	struct buf scratch = {0};
	struct message message;
	struct err err;
	assert_int_equal(parse_from(MESSAGE_FROM_WORKER, frame, &scratch, &message, &err), 0);
	assert_int_equal(message.type, MESSAGE_INVOKE_FUNCTION);
	assert_true(span_is(message.invocation_id, "i1"));
	assert_true(span_is(message.function_id, "state::set"));
	assert_true(span_is(message.data, "{\"a\": 1.50}"));
	assert_true(span_is(message.action, "{\"type\":\"void\"}"));
	assert_true(span_is(message.baggage, "a=b"));
	assert_true(span_is(message.namespace, "default"));
	assert_null(message.metadata.ptr);
	assert_null(message.traceparent.ptr);
	assert_true(message.data.ptr > frame && message.data.ptr < frame + sizeof(frame));
	assert_true(message.function_id.ptr > frame &&
	            message.function_id.ptr < frame + sizeof(frame));
	assert_int_equal(scratch.len, 0);
	buf_free(&scratch);
}

static void escaped_strings_stay_where_they_are(void **state)
{
	(void)state;
	struct buf scratch = {0};
	struct message message;
	struct message_error error;
	struct err err;
	assert_int_equal(parse_from(MESSAGE_FROM_WORKER,
	                            "{\"type\":\"invocationresult\",\"invocation_id\":\"a\\u0041\","
	                            "\"function_id\":\"f\\n\",\"error\":{\"code\":\"c\\t\","
	                            "\"message\":\"m\\u00e4\",\"stacktrace\":7}}",
	                            &scratch, &message, &err),
	                 0);
	message_error_parse(message.error, &scratch, &error);
	assert_true(span_is(message.invocation_id, "aA"));
	assert_true(span_is(message.function_id, "f\n"));
	assert_true(span_is(error.code, "c\t"));
	assert_true(span_is(error.text, "m\xc3\xa4"));
	assert_null(error.stacktrace.ptr);
	assert_null(message.result.ptr);
	buf_free(&scratch);
}

static void null_is_absent_but_as_a_value(void **state)
{
	(void)state;
	struct buf scratch = {0};
	struct message message;
	struct err err;
	assert_int_equal(parse_from(MESSAGE_FROM_WORKER,
	                            "{\"type\":\"invokefunction\",\"function_id\":\"f\","
	                            "\"data\":null,\"metadata\":null,\"namespace\":null}",
	                            &scratch, &message, &err),
	                 0);
	assert_true(span_is(message.data, "null"));
	assert_null(message.metadata.ptr);
	assert_null(message.namespace.ptr);
	assert_int_equal(parse_from(MESSAGE_FROM_WORKER,
	                            "{\"type\":\"invocationresult\",\"invocation_id\":\"i\","
	                            "\"result\":null,\"error\":null}",
	                            &scratch, &message, &err),
	                 0);
	assert_true(span_is(message.result, "null"));
	assert_null(message.error.ptr);
	buf_free(&scratch);
}

static const struct {
	const char *frame;
	int number;
	const char *code;
	const char *text;
} refusals[] = {
        {"", E_INVALID, "invalid_json", NULL},
        {"[]", E_INVALID, "invalid_json", NULL},
        {"{\"type\":\"ping\"", E_INVALID, "invalid_json", NULL},
        {"{}", E_INVALID, "invalid_message", "the field 'type' is missing"},
        {"{\"type\":1}", E_INVALID, "invalid_message", "the field 'type' must be a string"},
        {"{\"type\":\"nonsense\"}", E_NOT_FOUND, "unknown_type",
         "no frame from a worker has the type \"nonsense\""},
        {"{\"type\":\"Ping\"}", E_NOT_FOUND, "unknown_type",
         "no frame from a worker has the type \"Ping\""},
        {"{\"type\":\"workerregistered\",\"worker_id\":\"w\"}", E_NOT_FOUND, "unknown_type",
         "no frame from a worker has the type \"workerregistered\""},
        {"{\"type\":\"registerfunction\"}", E_INVALID, "invalid_message",
         "the field 'id' of registerfunction is missing"},
        {"{\"type\":\"registerfunction\",\"id\":null}", E_INVALID, "invalid_message",
         "the field 'id' of registerfunction must be a string, and it is of kind null"},
        {"{\"type\":\"registerfunction\",\"id\":\"f\",\"invocation\":[]}", E_INVALID,
         "invalid_message",
         "the field 'invocation' of registerfunction must be an object, and it is of kind array"},
        {"{\"type\":\"registertrigger\",\"id\":\"t\",\"trigger_type\":{},\"function_id\":1}",
         E_INVALID, "invalid_message",
         "the field 'trigger_type' of registertrigger must be a string, and it is of kind object"},
};

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	struct buf scratch = {0};
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct message message;
		struct err err;
		assert_int_equal(parse_from(MESSAGE_FROM_WORKER, refusals[i].frame, &scratch,
		                            &message, &err),
		                 refusals[i].number);
		assert_string_equal(err.code, refusals[i].code);
		if (refusals[i].text) {
			assert_string_equal(err.text, refusals[i].text);
		}
	}
	buf_free(&scratch);
}

static void a_refused_frame_still_says_whom_to_answer(void **state)
{
	(void)state;
	struct buf scratch = {0};
	struct message message;
	struct err err;
	assert_int_equal(parse_from(MESSAGE_FROM_WORKER,
	                            "{\"type\":\"invokefunction\",\"invocation_id\":\"i\","
	                            "\"action\":1}",
	                            &scratch, &message, &err),
	                 E_INVALID);
	assert_int_equal(message.type, MESSAGE_INVOKE_FUNCTION);
	assert_true(span_is(message.invocation_id, "i"));
	assert_null(message.action.ptr);
	assert_string_equal(err.text, "the field 'function_id' of invokefunction is missing");
	buf_free(&scratch);
}

static void actions_are_read(void **state)
{
	(void)state;
	struct buf scratch = {0};
	struct message_action action;
	struct err err = {0};
	assert_int_equal(message_action_parse(SPAN_NONE, &scratch, &action, &err), 0);
	assert_int_equal(action.kind, MESSAGE_CALL);
	assert_int_equal(message_action_parse(SPAN("{\"type\":\"void\"}"), &scratch, &action, &err),
	                 0);
	assert_int_equal(action.kind, MESSAGE_VOID);
	assert_int_equal(message_action_parse(SPAN("{\"type\":\"enqueue\",\"queue\":\"q\"}"),
	                                      &scratch, &action, &err),
	                 0);
	assert_int_equal(action.kind, MESSAGE_ENQUEUE);
	assert_true(span_is(action.queue, "q"));
	assert_true(span_is(action.text, "{\"type\":\"enqueue\",\"queue\":\"q\"}"));
	static const char *const wrong[] = {"{}", "{\"type\":1}", "{\"type\":\"call\"}",
	                                    "{\"type\":\"enqueue\"}",
	                                    "{\"type\":\"enqueue\",\"queue\":\"\"}"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(message_action_parse(span_of(wrong[i]), &scratch, &action, &err),
		                 E_INVALID);
	}
	buf_free(&scratch);
}

static void expect_written(const struct buf *out, const char *wanted)
{
	assert_true(span_is(buf_view(out), wanted));
	assert_int_equal(json_check(buf_view(out), NULL, NULL), 0);
}

static void frames_are_written_from_the_table(void **state)
{
	(void)state;
	struct buf out = {0};
	message_write(&out, &(struct message){.type = MESSAGE_PONG});
	expect_written(&out, "{\"type\":\"pong\"}");

	buf_clear(&out);
	message_write(&out, &(struct message){.type = MESSAGE_WORKER_REGISTERED,
	                                      .worker_id = SPAN("w"),
	                                      .reattach_token = SPAN("\"t\"")});
	expect_written(&out, "{\"type\":\"workerregistered\",\"worker_id\":\"w\","
	                     "\"reattach_token\":\"\\\"t\\\"\"}");

	buf_clear(&out);
	struct message call = {.type = MESSAGE_INVOKE_FUNCTION,
	                       .invocation_id = SPAN("i"),
	                       .function_id = SPAN("f"),
	                       .metadata = SPAN("[1]")};
	message_begin(&out, &call, MESSAGE_FIELD_data);
	BUF_LITERAL(&out, "{\"x\":1}");
	message_end(&out);
	expect_written(&out, "{\"type\":\"invokefunction\",\"invocation_id\":\"i\",\"function_id\":"
	                     "\"f\",\"metadata\":[1],\"data\":{\"x\":1}}");

	buf_clear(&out);
	struct message result = {.type = MESSAGE_INVOCATION_RESULT,
	                         .invocation_id = SPAN("i"),
	                         .function_id = SPAN("f")};
	message_write(&out, &result);
	expect_written(&out, "{\"type\":\"invocationresult\",\"invocation_id\":\"i\","
	                     "\"function_id\":\"f\"}");

	buf_clear(&out);
	struct message_error error = {SPAN("TIMEOUT"), SPAN("it \"took\" too long"), SPAN_NONE};
	message_write_failed(&out, &result, &error);
	expect_written(&out, "{\"type\":\"invocationresult\",\"invocation_id\":\"i\","
	                     "\"function_id\":\"f\",\"error\":{\"code\":\"TIMEOUT\","
	                     "\"message\":\"it \\\"took\\\" too long\"}}");

	buf_clear(&out);
	error.stacktrace = SPAN("at a\nat b");
	message_write_error(&out, &error);
	expect_written(&out, "{\"code\":\"TIMEOUT\",\"message\":\"it \\\"took\\\" too long\","
	                     "\"stacktrace\":\"at a\\nat b\"}");
	buf_free(&out);
}

/* Writes one of each type with every field set, and reads it back. */
static void what_is_written_is_read_back(void **state)
{
	(void)state;
	struct buf out = {0};
	struct buf again = {0};
	struct buf scratch = {0};
	for (int type = MESSAGE_UNKNOWN + 1; type < MESSAGE_TYPE_COUNT; type++) {
		struct message message = {.type = (enum message_type)type};
		for (int i = 0; i < MESSAGE_FIELD_COUNT; i++) {
			message.fields[i] = SPAN("{\"a\":\"\\\\\"}");
		}
		buf_clear(&out);
		buf_clear(&again);
		message_write(&out, &message);
		struct message back;
		struct err err = {0};
		if (message_parse(buf_view(&out), MESSAGE_FROM_WORKER, &scratch, &back, &err) !=
		    0) {
			assert_int_equal(message_parse(buf_view(&out), MESSAGE_FROM_ENGINE,
			                               &scratch, &back, &err),
			                 0);
		}
		assert_int_equal(back.type, type);
		message_write(&again, &back);
		assert_true(span_equal(buf_view(&out), buf_view(&again)));
		assert_true(span_starts_with(span_make(out.ptr + 9, out.len - 9),
		                             span_of(message_type_name(message.type))));
	}
	buf_free(&out);
	buf_free(&again);
	buf_free(&scratch);
}

static void baggage_names_a_delivery(void **state)
{
	(void)state;
	struct buf out = {0};
	struct buf scratch = {0};
	struct baggage baggage;
	baggage_write(&out, &(struct baggage){SPAN("ab-1-7/t1"), 3});
	assert_true(span_is(buf_view(&out), "pawl.delivery=ab-1-7/t1,pawl.attempt=3"));
	assert_true(baggage_parse(buf_view(&out), &scratch, &baggage));
	assert_true(span_is(baggage.delivery, "ab-1-7/t1"));
	assert_int_equal(baggage.attempt, 3);
	assert_int_equal(scratch.len, 0);

	buf_clear(&out);
	baggage_write(&out, &(struct baggage){SPAN("a b,c;d=%\xc3\xa4"), UINT32_MAX});
	assert_true(span_is(buf_view(&out), "pawl.delivery=a%20b%2Cc%3Bd=%25%C3%A4,"
	                                    "pawl.attempt=4294967295"));
	assert_true(baggage_parse(buf_view(&out), &scratch, &baggage));
	assert_true(span_is(baggage.delivery, "a b,c;d=%\xc3\xa4"));

	assert_true(baggage_parse(SPAN("u=1;p=2 , pawl.attempt = 2 ;x,, pawl.delivery=d%2F1\t"),
	                          &scratch, &baggage));
	assert_true(span_is(baggage.delivery, "d/1"));
	assert_int_equal(baggage.attempt, 2);
	buf_free(&out);
	buf_free(&scratch);
}

static void other_baggage_names_none(void **state)
{
	(void)state;
	static const char *const wrong[] = {
	        "",
	        "a=b",
	        "pawl.delivery=d",
	        "pawl.attempt=1",
	        "pawl.delivery=,pawl.attempt=1",
	        "pawl.delivery=d%2,pawl.attempt=1",
	        "pawl.delivery=d%00,pawl.attempt=1",
	        "pawl.delivery=d,pawl.attempt=0",
	        "pawl.delivery=d,pawl.attempt=-1",
	        "pawl.delivery=d,pawl.attempt=4294967296",
	        "pawl.delivery;pawl.attempt",
	        "pawl.delivery=a b,pawl.attempt=1",
	        "pawl.delivery=\xc3\xa4,pawl.attempt=1",
	};
	struct buf scratch = {0};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct baggage baggage = {0};
		assert_false(baggage_parse(span_of(wrong[i]), &scratch, &baggage));
		assert_null(baggage.delivery.ptr);
	}
	buf_free(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_frame_is_read_without_a_copy),
	        cmocka_unit_test(escaped_strings_stay_where_they_are),
	        cmocka_unit_test(null_is_absent_but_as_a_value),
	        cmocka_unit_test(what_is_wrong_is_said),
	        cmocka_unit_test(a_refused_frame_still_says_whom_to_answer),
	        cmocka_unit_test(actions_are_read),
	        cmocka_unit_test(frames_are_written_from_the_table),
	        cmocka_unit_test(what_is_written_is_read_back),
	        cmocka_unit_test(baggage_names_a_delivery),
	        cmocka_unit_test(other_baggage_names_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
