/* This file asks state functions over the fake store and judges the answers. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_STATE_FIXTURE_H
#define TESTS_UNIT_STATE_FIXTURE_H

#include "engine/core/state.h"
#include "fake_store.h"
#include "triggers/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct ask {
	struct state_request request;
	struct buf data;
	struct buf result;
	bool is_done;
	bool has_result;
	int status;
	size_t order; /* who was answered when */
	const char *code;
	char text[ERR_TEXT_MAX];
	struct ask *next;
};

struct fixture {
	struct store *store;
	struct state *state;
	struct ask *asks;
	size_t answered;
};

static struct fixture fix;

static void ask_done(struct state_request *request, int status, struct span result,
                     const struct err *err)
{
	struct ask *ask = MEM_CONTAINER(request, struct ask, request);
	assert_false(ask->is_done);
	ask->is_done = true;
	ask->status = status;
	ask->order = ++fix.answered;
	ask->has_result = result.ptr != NULL;
	buf_span(&ask->result, result);
	buf_byte(&ask->result, '\0');
	if (status != 0) {
		assert_false(ask->has_result);
		assert_int_equal(err->number, status);
		ask->code = err->code;
		memcpy(ask->text, err->text, sizeof ask->text);
	} else {
		assert_null(err);
	}
}

/* Single quotes stand for double ones. */
static struct ask *ask_text(const char *name, const char *json, const char *baggage)
{
	struct ask *ask = MEM_NEW(struct ask);
	ask->next = fix.asks;
	fix.asks = ask;
	buf_add(&ask->data, json, strlen(json));
	for (size_t i = 0; i < ask->data.len; i++) {
		if (ask->data.ptr[i] == '\'') {
			ask->data.ptr[i] = '"';
		}
	}
	char *exact = mem_copy(ask->data.ptr, ask->data.len);
	buf_free(&ask->data);
	ask->data = (struct buf){exact, strlen(exact), strlen(exact)};
	ask->request = (struct state_request){.name = span_of(name),
	                                      .data = buf_view(&ask->data),
	                                      .traceparent = SPAN("00-trace-01"),
	                                      .baggage = span_of(baggage),
	                                      .done = ask_done};
	assert_true(state_knows(ask->request.name));
	state_run(fix.state, &ask->request);
	assert_false(ask->is_done); /* never from inside */
	return ask;
}

static struct ask *ask(const char *name, const char *format, ...)
{
	char json[4096];
	va_list args;
	va_start(args, format);
	assert_true(vsnprintf(json, sizeof json, format, args) < (int)sizeof json);
	va_end(args);
	return ask_text(name, json, NULL);
}

static void expect_result(const struct ask *ask, const char *want)
{
	char quoted[4096];
	(void)snprintf(quoted, sizeof quoted, "%s", want);
	for (char *at = quoted; *at; at++) {
		*at = *at == '\'' ? '"' : *at;
	}
	assert_true(ask->is_done);
	if (ask->status != 0) {
		fail_msg("%s: %s", ask->code, ask->text);
	}
	assert_string_equal(ask->result.ptr, quoted);
	assert_int_equal(ask->has_result, *want != '\0');
}

static void expect_code(const struct ask *ask, int status, const char *code)
{
	assert_true(ask->is_done);
	if (ask->code == NULL) {
		fail_msg("no error but %s", ask->result.ptr);
	}
	assert_string_equal(ask->code, code);
	assert_int_equal(ask->status, status);
}

/* Asks, lets everything go on, and expects. */
static void get(const char *scope, const char *key, const char *want)
{
	struct ask *asked = ask("state::get", "{'scope':'%s','key':'%s'}", scope, key);
	fake_settle(fix.store);
	expect_result(asked, want);
}

static void set(const char *scope, const char *key, const char *value)
{
	struct ask *asked =
	        ask("state::set", "{'scope':'%s','key':'%s','value':%s}", scope, key, value);
	fake_settle(fix.store);
	assert_int_equal(asked->status, 0);
}

static void event(size_t index, struct event *out)
{
	assert_true(index < fix.store->entry_count);
	struct err err;
	assert_int_equal(event_decode(fix.store->entries[index].seq, fake_entry(fix.store, index),
	                              out, &err),
	                 0);
}

static int set_up(void **state)
{
	(void)state;
	const struct state_limits limits = {.value_bytes = 1000,
	                                    .reply_bytes = 4000,
	                                    .transact_keys = 4,
	                                    .transact_bytes = 1500};
	fix = (struct fixture){.store = fake_store_new()};
	fix.state = state_new(fix.store, &limits);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_settle(fix.store);
	while (fix.asks != NULL) {
		struct ask *asked = fix.asks;
		fix.asks = asked->next;
		assert_true(asked->is_done);
		buf_free(&asked->data);
		buf_free(&asked->result);
		mem_free(asked);
	}
	state_free(fix.state);
	fake_store_free(fix.store);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
