/* This file tests server-sent events: what is written is what a client reads. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "wire/sse.h"
#include "wire/sse_reader.h"

/* What came, one event a line: "id|name|data". */
struct heard {
	struct buf text;
	unsigned count;
	unsigned stop_at; /* 0: never */
};

static bool hear(void *ctx, const struct sse_event *event)
{
	struct heard *heard = ctx;
	buf_format(&heard->text, "%.*s|%.*s|%.*s\n", SPAN_ARG(event->id), SPAN_ARG(event->name),
	           SPAN_ARG(event->data));
	return ++heard->count != heard->stop_at;
}

static void expect_read(const char *stream, size_t step, const char *wanted)
{
	struct heard heard = {.count = 0};
	struct sse_reader reader = {.event = hear, .ctx = &heard, .max_bytes = 1000};
	struct span bytes = span_of(stream);
	for (size_t at = 0; at < bytes.len; at += step) {
		size_t len = bytes.len - at < step ? bytes.len - at : step;
		assert_int_equal(sse_reader_feed(&reader, span_make(stream + at, len), NULL), 0);
	}
	buf_byte(&heard.text, '\0');
	assert_string_equal(heard.text.ptr, wanted);
	buf_free(&heard.text);
	sse_reader_close(&reader);
}

static void an_event_is_its_fields(void **state)
{
	(void)state;
	struct buf out = {0};
	sse_write_id(&out, SPAN("log-1-7"));
	sse_write_name(&out, SPAN("snapshot"));
	size_t mark = sse_data_begin(&out);
	BUF_LITERAL(&out, "{\"a\":1}");
	sse_data_end(&out, mark);
	sse_write_comment(&out, "hb");
	sse_write_id(&out, SPAN("log-1-8"));
	sse_write_end(&out);
	sse_write_retry(&out, 250);
	buf_byte(&out, '\0');
	assert_string_equal(out.ptr, "id: log-1-7\nevent: snapshot\ndata: {\"a\":1}\n\n"
	                             ": hb\nid: log-1-8\n\nretry: 250\n\n");
	buf_free(&out);
}

static void lines_of_data_are_fields(void **state)
{
	(void)state;
	static const struct {
		const char *data;
		const char *wanted;
	} rows[] = {
	        {"", "data: \n\n"},
	        {"one", "data: one\n\n"},
	        {"one\ntwo", "data: one\ndata: two\n\n"},
	        {"one\r\ntwo\rthree\n", "data: one\ndata: two\ndata: three\ndata: \n\n"},
	        {"\n\r", "data: \ndata: \ndata: \n\n"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf out = {0};
		size_t mark = sse_data_begin(&out);
		buf_span(&out, span_of(rows[i].data));
		sse_data_end(&out, mark);
		buf_byte(&out, '\0');
		assert_string_equal(out.ptr, rows[i].wanted);
		buf_free(&out);
	}
}

static void a_reader_takes_all_that_the_standard_allows(void **state)
{
	(void)state;
	static const struct {
		const char *stream;
		const char *wanted;
	} rows[] = {
	        {"data: one\n\n", "|message|one\n"},
	        {"data:one\r\rdata:  two\r\n\r\n", "|message|one\n|message| two\n"},
	        {"\xEF\xBB\xBF"
	         "data: one\n\n",
	         "|message|one\n"},
	        {"id: 1\ndata: a\ndata\ndata: b\n\ndata: c\n\n", "1|message|a\n\nb\n1|message|c\n"},
	        {": hb\nid: 5\n\ndata: x\n\n", "5|message|x\n"},
	        {"event: e\nid: 5\n\ndata: x\n\n", "5|message|x\n"},
	        {"id: 5\ndata: x\n\nid\ndata: y\n\n", "5|message|x\n|message|y\n"},
	        {"retry: 10\nretry: x\nother: y\nevent: e\ndata: \n\n", "|e|\n"},
	        {"id: 3\ndata: cut", ""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (size_t step = 1; step < 30; step += 4) {
			expect_read(rows[i].stream, step, rows[i].wanted);
		}
	}
}

static void a_new_connection_begins_behind_the_last_event(void **state)
{
	(void)state;
	struct heard heard = {.count = 0};
	struct sse_reader reader = {.event = hear, .ctx = &heard, .max_bytes = 1000};
	assert_int_equal(sse_reader_feed(&reader, SPAN("id: 1\ndata: a\n\nid: 2\ndata: b"), NULL),
	                 0);
	sse_reader_restart(&reader);
	assert_true(span_is(buf_view(&reader.id), "1"));
	assert_int_equal(sse_reader_feed(&reader, SPAN("data: c\n\nretry: 70\n\n"), NULL), 0);
	assert_int_equal(reader.retry_ms, 70);
	buf_byte(&heard.text, '\0');
	assert_string_equal(heard.text.ptr, "1|message|a\n1|message|c\n");
	buf_free(&heard.text);
	sse_reader_close(&reader);
}

static void a_reader_stops_and_refuses_what_is_too_large(void **state)
{
	(void)state;
	struct err err = {0};
	struct heard heard = {.stop_at = 1};
	struct sse_reader reader = {.event = hear, .ctx = &heard, .max_bytes = 30};
	assert_int_equal(sse_reader_feed(&reader, SPAN("data: a\n\ndata: b\n\n"), &err), 0);
	assert_int_equal(heard.count, 1);
	sse_reader_close(&reader);
	reader = (struct sse_reader){.event = hear, .ctx = &heard, .max_bytes = 30};
	assert_int_equal(
	        sse_reader_feed(&reader, SPAN("data: 1234567890123\ndata: 12345678901"), &err),
	        E_LIMIT);
	assert_string_equal(err.code, "event_too_large");
	buf_free(&heard.text);
	sse_reader_close(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_event_is_its_fields),
	        cmocka_unit_test(lines_of_data_are_fields),
	        cmocka_unit_test(a_reader_takes_all_that_the_standard_allows),
	        cmocka_unit_test(a_new_connection_begins_behind_the_last_event),
	        cmocka_unit_test(a_reader_stops_and_refuses_what_is_too_large),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
