/* This file proves the state functions that take several keys: transact, get_many, list, clear. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "state_fixture.h"

/* ---- several keys ---- */

static void test_transact_is_all_or_nothing(void **state)
{
	(void)state;
	set("s", "a", "1");
	struct ask *conflict =
	        ask("state::transact", "{'ops':[{'type':'set','scope':'s','key':'new','value':1},"
	                               "{'type':'delete','scope':'s','key':'a','if_rev':'5'}]}");
	struct ask *failed =
	        ask("state::transact", "{'ops':[{'type':'set','scope':'s','key':'new','value':1},"
	                               "{'type':'update','scope':'s','key':'a','ops':"
	                               "[{'type':'append','path':'x','value':1}]}]}");
	fake_settle(fix.store);
	expect_code(conflict, E_CONFLICT, "rev_conflict");
	assert_non_null(strstr(conflict->text, "ops[1]"));
	assert_non_null(strstr(conflict->text, "\"a\" in scope \"s\" is at rev \"1\""));
	expect_code(failed, E_INVALID, "update_failed");
	assert_non_null(strstr(failed->text, "append.target_not_object"));
	assert_int_equal(fix.store->entry_count, 1);
	get("s", "new", "");

	struct ask *good =
	        ask("state::transact", "{'ops':[{'type':'set','scope':'s','key':'new','value':{ }},"
	                               "{'type':'set','scope':'s','key':'a','value': 1},"
	                               "{'type':'update','scope':'t','key':'n','ops':"
	                               "[{'type':'set','path':'x','value':[]}]},"
	                               "{'type':'delete','scope':'s','key':'absent'}]}");
	fake_settle(fix.store);
	expect_result(good, "{'results':[{'old_value':null,'new_value':{ },'rev':'2'},"
	                    "{'old_value':1,'new_value':1,'rev':'1'},"
	                    "{'old_value':null,'new_value':{'x':[]},'rev':'3'},"
	                    "{'old_value':null,'new_value':null,'rev':'0'}]}");
	struct event first;
	struct event second;
	event(1, &first);
	event(2, &second);
	assert_int_equal(first.txn, 2);
	assert_int_equal(second.txn, 2);
	assert_true(span_is(first.new_value, "{ }"));
	assert_true(span_is(second.scope, "t"));
	assert_int_equal(fix.store->entry_count, 3);
}

static void test_transact_is_bounded(void **state)
{
	(void)state;
	char value[700];
	memset(value, '7', sizeof value);
	value[699] = '\0';
	static const char *const set_op = "{'type':'set','scope':'s','key':'%s','value':%s}";
	char ops[3][800];
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(ops[i], sizeof ops[i], set_op,
		               i == 0   ? "a"
		               : i == 1 ? "b"
		                        : "c",
		               value);
	}
	struct ask *large = ask("state::transact", "{'ops':[%s,%s,%s]}", ops[0], ops[1], ops[2]);
	struct ask *fits = ask("state::transact", "{'ops':[%s,%s]}", ops[0], ops[1]);
	struct ask *many = ask("state::transact", "{'ops':[{'type':'delete','scope':'s','key':'a'},"
	                                          "{'type':'delete','scope':'s','key':'b'},"
	                                          "{'type':'delete','scope':'s','key':'c'},"
	                                          "{'type':'delete','scope':'s','key':'d'},"
	                                          "{'type':'delete','scope':'s','key':'e'}]}");
	fake_settle(fix.store);
	expect_code(large, E_LIMIT, "transact_too_large");
	assert_int_equal(fits->status, 0);
	expect_code(many, E_LIMIT, "transact_too_large");
}

static void test_get_many(void **state)
{
	(void)state;
	set("s", "a\\u0062", "1");
	set("t", "c", "2");
	fake_evict(fix.store, "t", "c");
	struct ask *asked = ask("state::get_many",
	                        "{'items':[{'scope':'t','key':'c'},{'scope':'s','key':'a\\u0062'},"
	                        "{'scope':'s','key':'c'}]}");
	struct ask *nothing = ask("state::get_many", "{'scope':'s','keys':[]}");
	fake_settle(fix.store);
	expect_result(asked, "{'items':[{'scope':'t','key':'c','value':2,'rev':'2'},"
	                     "{'scope':'s','key':'a\\u0062','value':1,'rev':'1'},null]}");
	expect_result(nothing, "{'items':[]}");
}

/* ---- walks ---- */

static void fill(const char *scope, int count)
{
	for (int i = 0; i < count; i++) {
		(void)ask("state::set", "{'scope':'%s','key':'k%04d','value':%d}", scope, i, i);
	}
	fake_settle(fix.store);
}

static void test_list(void **state)
{
	(void)state;
	fill("s", 5);
	set("other", "x", "9");
	set("s", "j", "-1");
	set("s", "l", "10");
	static const struct {
		const char *rest, *want;
	} cases[] = {
	        {"", "[-1,0,1,2,3,4,10]"},
	        {",'reverse':true", "[10,4,3,2,1,0,-1]"},
	        {",'prefix':'k'", "[0,1,2,3,4]"},
	        {",'prefix':'k','start':'k0002'", "[2,3,4]"},
	        {",'start':'a','prefix':'k','end':'k0002'", "[0,1]"},
	        {",'start':'k0003','end':'k0003'", "[]"},
	        {",'prefix':'zzz'", "[]"},
	        {",'prefix':null,'limit':null", "[-1,0,1,2,3,4,10]"},
	        {",'end':'k','with_keys':true", "{'items':[{'key':'j','value':-1,'rev':'7'}]}"},
	        {",'limit':1", "{'items':[{'key':'j','value':-1,'rev':'7'}],'cursor':'j'}"},
	        {",'limit':1,'cursor':'k0003'",
	         "{'items':[{'key':'k0004','value':4,'rev':'5'}],'cursor':'k0004'}"},
	        {",'limit':1,'cursor':'k0004'", "{'items':[{'key':'l','value':10,'rev':'8'}]}"},
	        {",'cursor':'k0000','reverse':true",
	         "{'items':[{'key':'j','value':-1,'rev':'7'}]}"},
	        {",'cursor':'j','reverse':true,'prefix':'k'", "{'items':[]}"},
	        {",'limit':2,'prefix':'k','reverse':true",
	         "{'items':[{'key':'k0004','value':4,'rev':'5'},{'key':'k0003','value':3,'rev':'4'}"
	         "],"
	         "'cursor':'k0003'}"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ask *asked = ask("state::list", "{'scope':'s'%s}", cases[i].rest);
		fake_settle(fix.store);
		expect_result(asked, cases[i].want);
	}
	struct ask *groups = ask("state::list_groups", "{}");
	fake_settle(fix.store);
	expect_result(groups, "{'groups':['other','s']}");
}

static void test_values_keep_their_encoding(void **state)
{
	(void)state;
	static const char *const bad[] = {
	        "'value':1,'encoding':'text'",       "'value':'a','encoding':'base64'",
	        "'value':'YQ','encoding':'base64'",  "'value':null,'encoding':'base64'",
	        "'value':'YQ==','encoding':'utf-8'",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ask *asked = ask("state::set", "{'scope':'s','key':'k',%s}", bad[i]);
		fake_settle(fix.store);
		expect_code(asked, E_INVALID, "invalid_encoding");
	}
	static const struct {
		const char *function, *data, *want;
	} steps[] = {
	        {"state::set", "{'scope':'s','key':'k','value':'YQ==','encoding':'base64'}",
	         "{'old_value':null,'new_value':'YQ==','rev':'1'}"},
	        {"state::get", "{'scope':'s','key':'k'}", "'YQ=='"},
	        {"state::get", "{'scope':'s','key':'k','with_rev':true}",
	         "{'value':'YQ==','rev':'1','encoding':'base64'}"},
	        {"state::list", "{'scope':'s','keys_only':true}",
	         "{'items':[{'key':'k','rev':'1','encoding':'base64'}]}"},
	        {"state::get_many", "{'scope':'s','keys':['k']}",
	         "{'items':[{'scope':'s','key':'k','value':'YQ==','rev':'1','encoding':'base64'}]"
	         "}"},
	        /* Only the encoding is another: that is a change. */
	        {"state::set", "{'scope':'s','key':'k','value':'YQ==','encoding':'text'}",
	         "{'old_value':'YQ==','new_value':'YQ==','rev':'2'}"},
	        {"state::set", "{'scope':'s','key':'k','value':'YQ==','encoding':'text'}",
	         "{'old_value':'YQ==','new_value':'YQ==','rev':'2'}"},
	        /* A text stays one while it is a string. */
	        {"state::update",
	         "{'scope':'s','key':'k','ops':[{'type':'set','path':'','value':'b'}]}",
	         "{'old_value':'YQ==','new_value':'b','rev':'3'}"},
	        {"state::get", "{'scope':'s','key':'k','with_rev':true}",
	         "{'value':'b','rev':'3','encoding':'text'}"},
	        {"state::transact",
	         "{'ops':[{'type':'update','scope':'s','key':'k',"
	         "'ops':[{'type':'set','path':'','value':7}]},"
	         "{'type':'set','scope':'s','key':'l','value':'','encoding':'base64'}]}",
	         "{'results':[{'old_value':'b','new_value':7,'rev':'4'},"
	         "{'old_value':null,'new_value':'','rev':'5'}]}"},
	        {"state::get", "{'scope':'s','key':'k','with_rev':true}", "{'value':7,'rev':'4'}"},
	        {"state::get", "{'scope':'s','key':'k','with_rev':true,'with_encoding':true}",
	         "{'value':7,'rev':'4','encoding':'json'}"},
	        {"state::get", "{'scope':'s','key':'l','with_rev':true}",
	         "{'value':'','rev':'5','encoding':'base64'}"},
	        {"state::update",
	         "{'scope':'s','key':'l','ops':[{'type':'append','path':'','value':''}]}",
	         "{'old_value':'','new_value':'','rev':'5'}"},
	        {"state::get", "{'scope':'s','key':'l','with_rev':true}",
	         "{'value':'','rev':'5','encoding':'base64'}"},
	        {"state::update",
	         "{'scope':'s','key':'l','ops':[{'type':'append','path':'','value':'b'}]}",
	         "{'old_value':'','new_value':'b','rev':'6'}"},
	        {"state::get", "{'scope':'s','key':'l','with_rev':true}",
	         "{'value':'b','rev':'6'}"},
	};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct ask *asked = ask(steps[i].function, "%s", steps[i].data);
		fake_settle(fix.store);
		expect_result(asked, steps[i].want);
	}
}

static void test_scopes_namespaces_and_objects(void **state)
{
	(void)state;
	static const char *const scopes[] = {
	        "flat",  "a/1", "a/2", "a/3%2F%25", "a!/x", "b/c/d",
	        "b/%41", "c/",  "/e",  "z%2F/o",    "zz/o",
	};
	char scope[32];
	for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
		set(scopes[i], "k", "1");
	}
	for (int i = 0; i < 200; i++) {
		(void)snprintf(scope, sizeof scope, "m/%03d", i);
		set(scope, "k", "1");
	}
	static const struct {
		const char *function, *data, *want;
	} cases[] = {
	        {"state::list_groups", "{'prefix':'a'}",
	         "{'groups':['a!/x','a/1','a/2','a/3%2F%25']}"},
	        {"state::list_groups", "{'prefix':'a/','limit':2}",
	         "{'groups':['a/1','a/2'],'cursor':'a/2'}"},
	        {"state::list_groups", "{'prefix':'a/','limit':2,'cursor':'a/2'}",
	         "{'groups':['a/3%2F%25']}"},
	        {"state::list_groups", "{'prefix':'a/1'}", "{'groups':['a/1']}"},
	        {"state::list_groups", "{'prefix':'\\u0000'}", "{'groups':[]}"},
	        {"state::list_objects", "{'namespace':'a'}",
	         "{'objects':[{'object_key':'1'},{'object_key':'2'},{'object_key':'3/%'}]}"},
	        {"state::list_objects", "{'namespace':'a','limit':2,'cursor':'2'}",
	         "{'objects':[{'object_key':'3/%'}]}"},
	        {"state::list_objects", "{'namespace':'a','prefix':'3/','limit':1}",
	         "{'objects':[{'object_key':'3/%'}]}"},
	        {"state::list_objects", "{'namespace':'b'}", "{'objects':[]}"},
	        {"state::list_objects", "{'namespace':'z/'}", "{'objects':[{'object_key':'o'}]}"},
	        {"state::list_objects", "{'namespace':'m','limit':1,'cursor':'099'}",
	         "{'objects':[{'object_key':'100'}],'cursor':'100'}"},
	        {"state::list_namespaces", "{}",
	         "{'namespaces':[{'namespace':'a!'},{'namespace':'a'},{'namespace':'m'},"
	         "{'namespace':'z/'},{'namespace':'zz'}]}"},
	        {"state::list_namespaces", "{'limit':2}",
	         "{'namespaces':[{'namespace':'a!'},{'namespace':'a'}],'cursor':'a'}"},
	        {"state::list_namespaces", "{'limit':2,'cursor':'a'}",
	         "{'namespaces':[{'namespace':'m'},{'namespace':'z/'}],'cursor':'z/'}"},
	        {"state::list_namespaces", "{'limit':2,'cursor':'z/'}",
	         "{'namespaces':[{'namespace':'zz'}]}"},
	        {"state::list_namespaces", "{'prefix':'z/'}",
	         "{'namespaces':[{'namespace':'z/'}]}"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ask *asked = ask(cases[i].function, "%s", cases[i].data);
		fake_settle(fix.store);
		expect_result(asked, cases[i].want);
	}
	struct ask *asked = ask("state::list_objects", "{}");
	fake_settle(fix.store);
	expect_code(asked, E_INVALID, "argument_required");
}

static void test_a_list_that_is_too_large(void **state)
{
	(void)state;
	char value[903];
	memset(value, '7', sizeof value);
	value[902] = '\0';
	for (int i = 0; i < 6; i++) {
		char key[] = {(char)('a' + i), '\0'};
		set("s", key, value);
	}
	struct ask *whole = ask("state::list", "{'scope':'s'}");
	struct ask *keyed = ask("state::list", "{'scope':'s','with_keys':true}");
	struct ask *page = ask("state::list", "{'scope':'s','limit':100}");
	fake_settle(fix.store);
	expect_code(whole, E_LIMIT, "result_too_large");
	assert_non_null(strstr(whole->text, "\"limit\""));
	assert_non_null(strstr(whole->text, "\"cursor\""));
	expect_code(keyed, E_LIMIT, "result_too_large");
	assert_int_equal(page->status, 0);
	assert_non_null(strstr(page->result.ptr, "\"cursor\":\"d\"}"));
	struct ask *rest = ask("state::list", "{'scope':'s','limit':100,'cursor':'d'}");
	fake_settle(fix.store);
	assert_null(strstr(rest->result.ptr, "cursor"));
	assert_non_null(strstr(rest->result.ptr, "\"key\":\"f\""));
}

static void test_clear(void **state)
{
	(void)state;
	fill("s", 1200);
	set("s", "stays", "1");
	set("t", "k1", "1");
	size_t before = fix.store->entry_count;
	size_t commits = fix.store->commit_count;
	struct ask *part = ask("state::clear", "{'scope':'s','prefix':'k','limit':10}");
	fake_settle(fix.store);
	expect_result(part, "{'deleted':10,'done':false,'cursor':'k0009'}");
	struct ask *rest = ask("state::clear", "{'scope':'s','prefix':'k','cursor':'k0009'}");
	fake_settle(fix.store);
	expect_result(rest, "{'deleted':1190,'done':true}");
	assert_int_equal(fix.store->entry_count, before + 1200);
	assert_true(fix.store->commit_count >= commits + 4); /* three batches, not one */
	struct event last;
	event(fix.store->entry_count - 1, &last);
	assert_int_equal(last.kind, EVENT_DELETED);
	assert_true(span_is(last.key, "k1199"));
	assert_true(span_is(last.old_value, "1199"));
	get("s", "stays", "1");
	get("t", "k1", "1");
	struct ask *again = ask("state::clear", "{'scope':'s','prefix':'k'}");
	fake_settle(fix.store);
	expect_result(again, "{'deleted':0,'done':true}");
}

static void test_a_clear_that_fails_goes_on_when_asked_again(void **state)
{
	(void)state;
	fill("s", 600);
	struct ask *asked = ask("state::clear", "{'scope':'s'}");
	fake_scan(fix.store);
	fake_commit(fix.store, 0);
	fake_scan(fix.store);
	fake_commit(fix.store, E_UNKNOWN);
	fake_settle(fix.store);
	expect_code(asked, E_UNKNOWN, "outcome_unknown");
	assert_non_null(strstr(asked->text, "512 records are deleted"));
	struct ask *again = ask("state::clear", "{'scope':'s'}");
	fake_settle(fix.store);
	expect_result(again, "{'deleted':88,'done':true}");
}

static void test_clear_deletes_what_is_there_now(void **state)
{
	(void)state;
	fill("s", 3);
	fake_evict(fix.store, "s", "k0001");
	struct ask *asked = ask("state::clear", "{'scope':'s'}");
	fake_scan(fix.store); /* met three keys, waits for one of them */
	struct ask *gone = ask("state::delete", "{'scope':'s','key':'k0002'}");
	struct ask *changed = ask("state::set", "{'scope':'s','key':'k0000','value':'new'}");
	fake_settle(fix.store);
	/* They stand behind the clear in their lanes. */
	expect_result(asked, "{'deleted':3,'done':true}");
	expect_result(gone, "");
	expect_result(changed, "{'old_value':null,'new_value':'new','rev':'7'}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_transact_is_all_or_nothing),
	        TEST(test_transact_is_bounded),
	        TEST(test_get_many),
	        TEST(test_list),
	        TEST(test_values_keep_their_encoding),
	        TEST(test_scopes_namespaces_and_objects),
	        TEST(test_a_list_that_is_too_large),
	        TEST(test_clear),
	        TEST(test_a_clear_that_fails_goes_on_when_asked_again),
	        TEST(test_clear_deletes_what_is_there_now),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
