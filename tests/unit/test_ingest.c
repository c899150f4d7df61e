/* This file proves how CloudEvents are read from requests. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/json.h"
#include "engine/api/ingest.h"
#include "wire/cloudevent.h"

#define HEADER(name_, value_)                                                                      \
	{                                                                                          \
		.name = {(name_), sizeof(name_) - 1}, .value = {(value_), sizeof(value_) - 1 }     \
	}

static int read_with(const struct http_header *headers, size_t count, const char *body,
                     struct buf *out, struct err *err)
{
	const struct http_request http = {
	        .headers = headers, .header_count = count, .body = span_of(body)};
	*err = (struct err){0};
	return ingest_read(&http, out, err);
}

static void expect(const struct http_header *headers, size_t count, const char *body,
                   const char *wanted)
{
	struct buf out = {0};
	struct err err;
	int status = read_with(headers, count, body, &out, &err);
	assert_string_equal(err.text, "");
	assert_int_equal(status, 0);
	assert_int_equal(json_check(buf_view(&out), NULL, NULL), 0);
	buf_byte(&out, '\0');
	assert_string_equal(out.ptr, wanted);
	buf_free(&out);
}

static void one_or_several_are_a_list(void **state)
{
	(void)state;
	const struct http_header one[] = {
	        HEADER("Content-Type", "application/CloudEvents+json; charset=utf-8")};
	const struct http_header many[] = {
	        HEADER("content-type", "application/cloudevents-batch+json")};
	expect(one, 1, " {\"a\":1} ", "{\"events\":[{\"a\":1}]}");
	expect(one, 1, "", "{\"events\":[]}");
	expect(many, 1, "[{},{}]", "{\"events\":[{},{}]}");
	expect(many, 1, "", "{\"events\":[]}");
}

static void fields_become_attributes(void **state)
{
	(void)state;
	const struct http_header headers[] = {HEADER("Content-Type", "application/json"),
	                                      HEADER("CE-SpecVersion", "1.0"),
	                                      HEADER("ce-id", "a%22%20b"),
	                                      HEADER("ce-data", "no"),
	                                      HEADER("ce-datacontenttype", "text/plain"),
	                                      HEADER("accept", "x"),
	                                      HEADER("ce-MyExt", "%C3%A9")};
	expect(headers, 7, "{\"n\":1}",
	       "{\"events\":[{\"specversion\":\"1.0\",\"id\":\"a\\\" b\",\"myext\":\"\xc3\xa9\","
	       "\"datacontenttype\":\"application/json\",\"data\":{\"n\":1}}]}");
	expect(headers, 4, "", "{\"events\":[{\"specversion\":\"1.0\",\"id\":\"a\\\" b\"}]}");
}

static void what_is_none_is_refused(void **state)
{
	(void)state;
	const struct http_header plain[] = {HEADER("content-type", "application/json")};
	const struct http_header bad[] = {HEADER("ce-specversion", "1.0"), HEADER("ce-id", "%f")};
	const struct http_header bytes[] = {HEADER("ce-specversion", "1.0"),
	                                    HEADER("ce-id", "\xff")};
	const struct http_header one[] = {HEADER("content-type", CLOUDEVENT_STRUCTURED)};
	struct buf out = {0};
	struct err err;
	assert_int_equal(read_with(plain, 1, "{}", &out, &err), E_UNSUPPORTED);
	assert_string_equal(err.code, "not_a_cloudevent");
	assert_int_equal(read_with(bad, 2, "", &out, &err), E_INVALID);
	assert_int_equal(read_with(bytes, 2, "", &out, &err), E_INVALID);
	assert_int_equal(read_with(one, 1, "{", &out, &err), E_INVALID);
	buf_free(&out);
}

static void a_checked_one_gives_its_type_and_subject(void **state)
{
	(void)state;
	struct buf texts = {0};
	struct span type;
	struct span subject;
	struct err err = {0};
	const struct span whole =
	        SPAN("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":"
	             "\"t\\u0041\",\"subject\":\"\\n\",\"ext\":3,\"none\":null,"
	             "\"data_base64\":\"AA==\"}");
	assert_int_equal(cloudevent_check(whole, &texts, &type, &subject, &err), 0);
	assert_true(span_is(type, "tA"));
	assert_true(span_is(subject, "\n"));
	buf_free(&texts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(one_or_several_are_a_list),
	        cmocka_unit_test(fields_become_attributes),
	        cmocka_unit_test(what_is_none_is_refused),
	        cmocka_unit_test(a_checked_one_gives_its_type_and_subject),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
