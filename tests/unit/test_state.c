/* This file proves what state functions do to one key: values, revs, order, durability, events. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "state_fixture.h"

/* ---- one key ---- */

static void test_set_is_answered_when_it_is_durable(void **state)
{
	(void)state;
	struct ask *first = ask("state::set", "{'scope':'s','key':'k','value':{'a' : 1}}");
	struct ask *second = ask("state::set", "{'scope':'s','key':'k','data':null}");
	fake_scan(fix.store);
	assert_false(first->is_done);
	fake_commit(fix.store, 0);
	expect_result(first, "{'old_value':null,'new_value':{'a' : 1},'rev':'1'}");
	expect_result(second, "{'old_value':{'a' : 1},'new_value':null,'rev':'2'}");
	get("s", "k", "null");
	get("s", "absent", "");
}

static void test_get_with_rev(void **state)
{
	(void)state;
	set("s", "k", "[1]");
	struct ask *there = ask("state::get", "{'scope':'s','key':'k','with_rev':true}");
	struct ask *absent = ask("state::get", "{'scope':'s','key':'x','with_rev':true}");
	fake_settle(fix.store);
	expect_result(there, "{'value':[1],'rev':'1'}");
	expect_result(absent, "");
}

static void test_what_changes_nothing_makes_no_event(void **state)
{
	(void)state;
	set("s", "k", "{'a':1}");
	struct ask *same = ask("state::set", "{'scope':'s','key':'k','value':{ 'a': 1 }}");
	struct ask *none = ask("state::delete", "{'scope':'s','key':'absent'}");
	fake_settle(fix.store);
	expect_result(same, "{'old_value':{'a':1},'new_value':{ 'a': 1 },'rev':'1'}");
	expect_result(none, "");
	assert_int_equal(fix.store->entry_count, 1);
	struct ask *asked =
	        ask("state::set", "{'scope':'s','key':'k','value':{'a':1},'event_on_noop':true}");
	fake_settle(fix.store);
	expect_result(asked, "{'old_value':{'a':1},'new_value':{'a':1},'rev':'2'}");
	assert_int_equal(fix.store->entry_count, 2);
}

static void test_delete_returns_what_was_there(void **state)
{
	(void)state;
	set("s", "k", "{'a':1}");
	struct ask *asked = ask("state::delete", "{'scope':'s','key':'k'}");
	fake_settle(fix.store);
	expect_result(asked, "{'a':1}");
	get("s", "k", "");
	struct event deleted;
	event(1, &deleted);
	assert_int_equal(deleted.kind, EVENT_DELETED);
	assert_true(span_is(deleted.old_value, "{\"a\":1}"));
	assert_null(deleted.new_value.ptr);
	assert_int_equal(deleted.rev, 2);
	assert_int_equal(deleted.prev, 1);
}

static void test_if_rev(void **state)
{
	(void)state;
	set("s", "k", "1");
	static const struct {
		const char *name, *rest;
		bool is_conflict;
	} cases[] = {
	        {"state::set", "'key':'k','value':2,'if_rev':'0'", true},
	        {"state::set", "'key':'k','value':2,'if_rev':'7'", true},
	        {"state::set", "'key':'k','value':2,'if_rev':'x'", true},
	        {"state::set", "'key':'n','value':2,'if_rev':'1'", true},
	        {"state::delete", "'key':'k','if_rev':'2'", true},
	        {"state::delete", "'key':'n','if_rev':'2'", true},
	        {"state::delete", "'key':'n','if_rev':'0'", false},
	        {"state::update", "'key':'k','ops':[],'if_rev':'2'", true},
	        {"state::set", "'key':'n','value':2,'if_rev':'0'", false},
	        {"state::set", "'key':'k','value':2,'if_rev':'1'", false},
	        {"state::delete", "'key':'k','if_rev':'3'", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ask *asked = ask(cases[i].name, "{'scope':'s',%s}", cases[i].rest);
		fake_settle(fix.store);
		if (cases[i].is_conflict) {
			expect_code(asked, E_CONFLICT, "rev_conflict");
			assert_non_null(strstr(asked->text, cases[i].rest[7] == 'k' ? "rev \"1\""
			                                                            : "rev \"0\""));
		} else {
			assert_int_equal(asked->status, 0);
		}
	}
	assert_int_equal(fix.store->entry_count, 4);
}

static void test_update(void **state)
{
	(void)state;
	struct ask *made = ask("state::update", "{'scope':'s','key':'k','ops':"
	                                        "[{'type':'increment','path':'n','by':2}]}");
	struct ask *partly = ask("state::update", "{'scope':'s','key':'k','ops':["
	                                          "{'type':'append','path':'n','value':2},"
	                                          "{'type':'set','path':'a','value':1}]}");
	struct ask *nothing =
	        ask("state::update", "{'scope':'s','key':'k','atomic':true,'event_on_noop':true,"
	                             "'ops':[{'type':'append','path':'n','value':2},"
	                             "{'type':'set','path':'a','value':7}]}");
	struct ask *absent =
	        ask("state::update",
	            "{'scope':'s','key':'x','ops':[{'type':'increment','path':'','by':1}]}");
	struct ask *malformed =
	        ask("state::update", "{'scope':'s','key':'k','ops':[{'type':'no'}]}");
	fake_settle(fix.store);
	expect_result(made, "{'old_value':null,'new_value':{'n':2},'rev':'1'}");
	assert_true(span_starts_with(
	        buf_view(&partly->result),
	        SPAN("{\"old_value\":{\"n\":2},\"new_value\":{\"n\":2,\"a\":1},\"rev\":\"2\","
	             "\"errors\":[{\"op_index\":0,\"code\":\"append.type_mismatch\",")));
	assert_true(span_starts_with(buf_view(&nothing->result),
	                             SPAN("{\"old_value\":{\"n\":2,\"a\":1},\"new_value\":{\"n\":2,"
	                                  "\"a\":1},\"rev\":\"2\",\"errors\":[{")));
	assert_true(span_starts_with(
	        buf_view(&absent->result),
	        SPAN("{\"old_value\":null,\"new_value\":null,\"rev\":\"0\",\"errors\":[{")));
	expect_code(malformed, E_INVALID, "invalid_ops");
	assert_int_equal(fix.store->entry_count, 2);
	get("s", "x", "");
}

/* ---- lanes ---- */

static void test_order_holds_while_a_fetch_is_out(void **state)
{
	(void)state;
	set("s", "slow", "0");
	fake_evict(fix.store, "s", "slow");
	struct ask *first = ask("state::set", "{'scope':'s','key':'slow','value':1}");
	struct ask *second = ask("state::get", "{'scope':'s','key':'slow'}");
	struct ask *third = ask("state::delete", "{'scope':'s','key':'slow'}");
	struct ask *fourth = ask("state::get", "{'scope':'s','key':'slow'}");
	struct ask *other = ask("state::set", "{'scope':'s','key':'other','value':1}");
	assert_int_equal(fix.store->fetch_count, 1);
	fake_commit(fix.store, 0);
	expect_result(other, "{'old_value':null,'new_value':1,'rev':'2'}");
	assert_false(first->is_done);
	assert_true(fake_fetch(fix.store, 0));
	fake_commit(fix.store, 0);
	expect_result(first, "{'old_value':0,'new_value':1,'rev':'3'}");
	expect_result(second, "1");
	expect_result(third, "1");
	expect_result(fourth, "");
	assert_true(first->order < second->order && second->order < third->order &&
	            third->order < fourth->order);
	assert_int_equal(fix.store->fetch_count, 1);
}

static void test_a_failed_fetch_fails_only_who_asked(void **state)
{
	(void)state;
	set("s", "k", "0");
	fake_evict(fix.store, "s", "k");
	struct ask *first = ask("state::get", "{'scope':'s','key':'k'}");
	struct ask *second = ask("state::get", "{'scope':'s','key':'k'}");
	assert_true(fake_fetch(fix.store, E_IO));
	fake_settle(fix.store);
	expect_code(first, E_IO, "io_error");
	expect_result(second, "0");
}

static void test_keys_in_opposite_order_do_not_wait_for_each_other(void **state)
{
	(void)state;
	set("s", "a", "0");
	set("s", "b", "0");
	fake_evict(fix.store, "s", "a");
	fake_evict(fix.store, "s", "b");
	struct ask *ab =
	        ask("state::transact", "{'ops':[{'type':'set','scope':'s','key':'a','value':1},"
	                               "{'type':'set','scope':'s','key':'b','value':1},"
	                               "{'type':'check','scope':'s','key':'a','if_rev':'1'}]}");
	struct ask *ba =
	        ask("state::transact", "{'ops':[{'type':'set','scope':'s','key':'b','value':2},"
	                               "{'type':'set','scope':'s','key':'a','value':2}]}");
	struct ask *b = ask("state::get", "{'scope':'s','key':'b'}");
	struct ask *many = ask("state::get_many", "{'scope':'s','keys':['b','a','x']}");
	fake_settle(fix.store);
	expect_result(ab, "{'results':[{'old_value':0,'new_value':1,'rev':'3'},"
	                  "{'old_value':0,'new_value':1,'rev':'4'},{'rev':'1'}]}");
	expect_result(ba, "{'results':[{'old_value':1,'new_value':2,'rev':'5'},"
	                  "{'old_value':1,'new_value':2,'rev':'6'}]}");
	expect_result(b, "2");
	expect_result(many, "{'items':[{'scope':'s','key':'b','value':2,'rev':'5'},"
	                    "{'scope':'s','key':'a','value':2,'rev':'6'},null]}");
	assert_true(ab->order < ba->order && ba->order < b->order);
}

static void test_a_long_queue_is_no_deep_stack(void **state)
{
	(void)state;
	set("s", "k", "0");
	fake_evict(fix.store, "s", "k");
	struct ask *last = NULL;
	for (int i = 0; i < 20000; i++) {
		last = ask("state::update", "{'scope':'s','key':'k','ops':"
		                            "[{'type':'increment','path':'','by':1}]}");
	}
	fake_settle(fix.store);
	expect_result(last, "{'old_value':19999,'new_value':20000,'rev':'20001'}");
}

/* ---- rule 1 ---- */

static void test_nothing_leaves_before_what_it_saw_is_durable(void **state)
{
	(void)state;
	struct ask *asks[] = {
	        ask("state::set", "{'scope':'s','key':'k','value':1}"),
	        ask("state::get", "{'scope':'s','key':'k'}"),
	        ask("state::set", "{'scope':'s','key':'k','value':1}"),
	        ask("state::set", "{'scope':'s','key':'k','value':2,'if_rev':'0'}"),
	        ask("state::get_many", "{'scope':'s','keys':['x','k']}"),
	        ask("state::transact",
	            "{'ops':[{'type':'check','scope':'s','key':'k','if_rev':'9'}]}"),
	        ask("state::list", "{'scope':'s'}"),
	        ask("state::list_groups", "{}"),
	};
	size_t count = sizeof asks / sizeof *asks;
	fake_scan(fix.store);
	for (size_t i = 0; i < count; i++) {
		assert_false(asks[i]->is_done);
	}
	fake_commit(fix.store, E_UNKNOWN);
	for (size_t i = 0; i < count; i++) {
		expect_code(asks[i], E_UNKNOWN, "outcome_unknown");
		assert_int_equal(asks[i]->order, i + 1);
	}
	get("s", "k", "");
}

static void test_writes_are_refused_and_reads_go_on(void **state)
{
	(void)state;
	set("s", "k", "1");
	fix.store->refuses = E_BUSY;
	struct ask *asks[] = {
	        ask("state::set", "{'scope':'s','key':'k','value':2}"),
	        ask("state::delete", "{'scope':'s','key':'k'}"),
	        ask("state::update", "{'scope':'s','key':'k','ops':[]}"),
	        ask("state::transact", "{'ops':[{'type':'delete','scope':'s','key':'k'}]}"),
	        ask("state::clear", "{'scope':'s'}"),
	};
	fake_settle(fix.store);
	for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
		expect_code(asks[i], E_BUSY, "store_recovering");
	}
	get("s", "k", "1");
}

/* ---- arguments ---- */

static const struct {
	const char *name, *data, *code, *says;
} wrong[] = {
        {"state::set", "{'key':'k','value':1}", "argument_required", "\"scope\""},
        {"state::set", "{'scope':'s','value':1}", "argument_required", "\"key\""},
        {"state::set", "{'scope':'s','key':null,'value':1}", "argument_required", "\"key\""},
        {"state::set", "{'scope':'s','key':'k'}", "value_required", "\"value\""},
        {"state::set", "{'scope':5,'key':'k','value':1}", "invalid_argument", "a string"},
        {"state::set", "{'scope':'','key':'k','value':1}", "invalid_key", "scope"},
        {"state::set", "{'scope':'s','key':'','value':1}", "invalid_key", "key"},
        {"state::get", "{'scope':'s','key':'a\\u0000b'}", "invalid_key", "U+0000"},
        {"state::get", "{'scope':'\\u0000','key':'a'}", "invalid_key", "scope"},
        {"state::set", "{'scope':'s','key':'k','value':1,'ttl_ms':0}", "invalid_argument",
         "ttl_ms"},
        {"state::set", "{'scope':'s','key':'k','value':1,'ttl_ms':99999999999999}", "invalid_ttl",
         "ttl_ms"},
        {"state::set", "{'scope':'s','key':'k','value':1,'expires_at':'tomorrow'}", "invalid_ttl",
         "2030-01-31T12:00:00Z"},
        {"state::set", "{'scope':'s','key':'k','value':1,'expires_at':-5}", "invalid_ttl",
         "expires_at"},
        {"state::set", "{'scope':'s','key':'k','value':1,'ttl':'forever'}", "invalid_ttl", "30m"},
        {"state::set", "{'scope':'s','key':'k','value':1,'ttl':'5s','ttl_ms':5}", "invalid_ttl",
         "leave the others out"},
        {"state::update", "{'scope':'s','key':'k','ops':[],'ttl':'clear','ttl_ms':5}",
         "invalid_ttl", "\"clear\""},
        {"state::update", "{'scope':'s','key':'k','ops':[],'idempotency_key':''}",
         "invalid_idempotency_key", "1 to 255"},
        {"state::update", "{'scope':'s','key':'k'}", "argument_required", "\"ops\""},
        {"state::update", "{'scope':'s','key':'k','ops':{}}", "invalid_argument", "array"},
        {"state::update", "{'scope':'s','key':'k','ops':[],'atomic':1}", "invalid_argument",
         "true or false"},
        {"state::set", "{'scope':'s','key':'k','value':1,'if_rev':1}", "invalid_argument",
         "if_rev"},
        {"state::list", "{}", "argument_required", "\"scope\""},
        {"state::list", "{'scope':'s','limit':0}", "invalid_argument", "limit"},
        {"state::list", "{'scope':'s','limit':1.5}", "invalid_argument", "limit"},
        {"state::get_many", "{}", "argument_required", "\"items\""},
        {"state::get_many", "{'keys':['a']}", "argument_required", "\"scope\""},
        {"state::get_many", "{'items':['a']}", "invalid_argument", "an object"},
        {"state::get_many", "{'items':[{'scope':'s'}]}", "argument_required", "\"key\""},
        {"state::get_many", "{'scope':'s','keys':[1]}", "invalid_argument", "a string"},
        {"state::clear", "{'prefix':'a'}", "argument_required", "\"scope\""},
        {"state::transact", "{'ops':[1]}", "invalid_argument", "ops[0]"},
        {"state::transact", "{'ops':[{'scope':'s','key':'k'}]}", "argument_required", "\"type\""},
        {"state::transact", "{'ops':[{'type':'x','scope':'s','key':'k'}]}", "invalid_argument",
         "check"},
        {"state::transact", "{'ops':[{'type':'check','scope':'s','key':'k'}]}", "argument_required",
         "if_rev"},
        {"state::transact", "{'ops':[{'type':'update','scope':'s','key':'k'}]}",
         "argument_required", "ops"},
        {"state::transact", "{'ops':[{'type':'set','scope':'s','key':'k'}]}", "value_required",
         "value"},
        {"state::transact",
         "{'ops':[{'type':'delete','scope':'s','key':'k'},"
         "{'type':'set','scope':'s','key':'\\u006b','value':1}]}",
         "duplicate_key", "ops[1]: ops[0]"},
        {"state::transact", "{'ops':[{'type':'set','scope':'s','key':'k','value':1,'ttl':1}]}",
         "invalid_argument", "\"ttl\""},
        {"state::transact", "{'ops':[{'type':'set','scope':'s','key':'k','value':1,'ttl':'x'}]}",
         "invalid_ttl", "ops[0]"},
};

static void test_what_is_asked_wrongly(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct ask *asked = ask_text(wrong[i].name, wrong[i].data, NULL);
		fake_settle(fix.store);
		assert_true(asked->is_done && asked->status != 0);
		assert_string_equal(asked->code, wrong[i].code);
		if (strstr(asked->text, wrong[i].says) == NULL) {
			fail_msg("%s: \"%s\" does not say %s", wrong[i].data, asked->text,
			         wrong[i].says);
		}
	}
	assert_int_equal(fix.store->entry_count, 0);
	assert_false(state_knows(SPAN("state::rename")));
}

static void test_sizes_at_their_limits(void **state)
{
	(void)state;
	char text[1100];
	memset(text, 'a', sizeof text);
	struct ask *asks[] = {
	        ask("state::get", "{'scope':'%.512s','key':'k'}", text),
	        ask("state::get", "{'scope':'%.513s','key':'k'}", text),
	        ask("state::get", "{'scope':'s','key':'%.1024s'}", text),
	        ask("state::get", "{'scope':'s','key':'%.1025s'}", text),
	        ask("state::set", "{'scope':'s','key':'k','value':'%.997s'}", text),
	        ask("state::set", "{'scope':'s','key':'k','value':'%.998s'}", text),
	        ask("state::update",
	            "{'scope':'s','key':'k','ops':[{'type':'append','path':'','value':'b'}]}"),
	};
	fake_settle(fix.store);
	expect_result(asks[0], "");
	expect_code(asks[1], E_INVALID, "invalid_key");
	assert_non_null(strstr(asks[1]->text, "513"));
	expect_result(asks[2], "");
	expect_code(asks[3], E_INVALID, "invalid_key");
	assert_int_equal(asks[4]->status, 0);
	expect_code(asks[5], E_LIMIT, "value_too_large");
	assert_non_null(strstr(asks[5]->text, "1001"));
	assert_non_null(strstr(asks[5]->text, "1000"));
	expect_code(asks[6], E_LIMIT, "value_too_large");
}

/* ---- events ---- */

static int cause_of(void *ctx, struct span baggage, struct event_cause *cause,
                    struct binding **out_by, struct err *err)
{
	(void)out_by;
	(*(int *)ctx)++;
	if (span_is(baggage, "pawl.delivery=old")) {
		return err_set(err, E_CONFLICT, "stale_delivery", "another attempt has begun");
	}
	*cause = (struct event_cause){
	        .root = SPAN("log-1-1"), .depth = 2, .path = SPAN("t1"), .delivery = SPAN("d1")};
	return 0;
}

static void test_what_stands_in_an_event(void **state)
{
	(void)state;
	int asked_for_cause = 0;
	state_set_cause(fix.state, cause_of, &asked_for_cause);
	(void)ask_text("state::set", "{'scope':'s\\u0063','key':'k','value':[1, 2]}", "other=1");
	(void)ask_text("state::set", "{'scope':'sc','key':'k','value':3}", "a=b,pawl.delivery=d1");
	struct ask *stale =
	        ask_text("state::set", "{'scope':'sc','key':'k','value':4}", "pawl.delivery=old");
	fake_settle(fix.store);
	expect_code(stale, E_CONFLICT, "stale_delivery");
	assert_int_equal(asked_for_cause, 2);
	assert_int_equal(fix.store->entry_count, 2);

	struct event made;
	event(0, &made);
	assert_int_equal(made.kind, EVENT_CREATED);
	assert_true(span_is(made.scope, "sc") && span_is(made.key, "k"));
	assert_null(made.old_value.ptr);
	assert_true(span_is(made.new_value, "[1, 2]"));
	assert_true(made.rev == 1 && made.old_rev == 0 && made.prev == 0 && made.txn == 0);
	assert_true(made.epoch == 3 && made.time_ms == 1700000000123 && made.expires_at_ms == 0);
	assert_true(span_is(made.traceparent, "00-trace-01"));
	assert_null(made.cause.root.ptr);

	event(1, &made);
	assert_int_equal(made.kind, EVENT_UPDATED);
	assert_true(span_is(made.old_value, "[1, 2]") && span_is(made.new_value, "3"));
	assert_true(made.rev == 2 && made.old_rev == 1 && made.prev == 1);
	assert_int_equal(made.cause.depth, 2);
	assert_true(span_is(made.cause.root, "log-1-1") && span_is(made.cause.path, "t1"));
	assert_true(span_is(made.cause.delivery, "d1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_set_is_answered_when_it_is_durable),
	        TEST(test_get_with_rev),
	        TEST(test_what_changes_nothing_makes_no_event),
	        TEST(test_delete_returns_what_was_there),
	        TEST(test_if_rev),
	        TEST(test_update),
	        TEST(test_order_holds_while_a_fetch_is_out),
	        TEST(test_a_failed_fetch_fails_only_who_asked),
	        TEST(test_keys_in_opposite_order_do_not_wait_for_each_other),
	        TEST(test_a_long_queue_is_no_deep_stack),
	        TEST(test_nothing_leaves_before_what_it_saw_is_durable),
	        TEST(test_writes_are_refused_and_reads_go_on),
	        TEST(test_what_is_asked_wrongly),
	        TEST(test_sizes_at_their_limits),
	        TEST(test_what_stands_in_an_event),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
