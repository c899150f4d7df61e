/* This file proves when state records expire, who still sees them, and which events that makes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "state_fixture.h"

/* 2023-11-14T22:13:20.123Z is when the fake store begins. */
#define IN_5S  "'2023-11-14T22:13:25.123Z'"
#define IN_10S "'2023-11-14T22:13:30.123Z'"

static void pass(int64_t ms)
{
	fix.store->passed_ms += ms;
}

static void answers(const char *name, const char *data, const char *want)
{
	struct ask *asked = ask_text(name, data, NULL);
	fake_settle(fix.store);
	expect_result(asked, want);
}

/* The last event: its kind, why, and when its record expires. */
static void last_event_is(enum event_kind kind, const char *reason, int64_t expires_in_ms)
{
	struct event last;
	event(fix.store->entry_count - 1, &last);
	assert_int_equal(last.kind, kind);
	assert_true(span_is(last.reason, reason));
	assert_int_equal(last.expires_at_ms,
	                 expires_in_ms != 0 ? 1700000000123 + expires_in_ms : 0);
}

static void set_for(const char *key, const char *ttl)
{
	struct ask *asked =
	        ask("state::set", "{'scope':'s','key':'%s','value':1,'ttl':'%s'}", key, ttl);
	fake_settle(fix.store);
	assert_int_equal(asked->status, 0);
}

/* ---- how long ---- */

static void a_time_can_be_said_in_three_ways(void **state)
{
	(void)state;
	answers("state::set", "{'scope':'s','key':'a','value':1,'ttl_ms':5000}",
	        "{'old_value':null,'new_value':1,'rev':'1','expires_at':" IN_5S "}");
	last_event_is(EVENT_CREATED, "", 5000);
	answers("state::set", "{'scope':'s','key':'b','value':1,'ttl':'5s'}",
	        "{'old_value':null,'new_value':1,'rev':'2','expires_at':" IN_5S "}");
	answers("state::set",
	        "{'scope':'s','key':'c','value':1,'expires_at':'2023-11-14T23:13:25.123+01:00'}",
	        "{'old_value':null,'new_value':1,'rev':'3','expires_at':" IN_5S "}");
	answers("state::set", "{'scope':'s','key':'d','value':1,'expires_at':1700000005123}",
	        "{'old_value':null,'new_value':1,'rev':'4','expires_at':" IN_5S "}");
	answers("state::get", "{'scope':'s','key':'a','with_rev':true}",
	        "{'value':1,'rev':'1','expires_at':" IN_5S "}");
	answers("state::get_many", "{'scope':'s','keys':['a','x']}",
	        "{'items':[{'scope':'s','key':'a','value':1,'rev':'1','expires_at':" IN_5S
	        "},null]}");
	answers("state::list", "{'scope':'s','limit':1,'with_keys':true}",
	        "{'items':[{'key':'a','value':1,'rev':'1','expires_at':" IN_5S "}],'cursor':'a'}");
}

static void a_set_begins_anew_and_an_update_keeps(void **state)
{
	(void)state;
	set_for("k", "10s");
	answers("state::update",
	        "{'scope':'s','key':'k','ops':[{'type':'increment','path':'','by':1}]}",
	        "{'old_value':1,'new_value':2,'rev':'2','expires_at':" IN_10S "}");
	answers("state::update",
	        "{'scope':'s','key':'k','ttl':'5s','ops':[{'type':'increment','path':'','by':1}]}",
	        "{'old_value':2,'new_value':3,'rev':'3','expires_at':" IN_5S "}");
	answers("state::set", "{'scope':'s','key':'k','value':4,'ttl':'keep'}",
	        "{'old_value':3,'new_value':4,'rev':'4','expires_at':" IN_5S "}");
	answers("state::set", "{'scope':'s','key':'k','value':5}",
	        "{'old_value':4,'new_value':5,'rev':'5'}");
	answers("state::update",
	        "{'scope':'s','key':'k','ttl':'keep','ttl_ms':5000,"
	        "'ops':[{'type':'increment','path':'','by':1}]}",
	        "{'old_value':5,'new_value':6,'rev':'6'}"); /* it has none, and keeps that */
	answers("state::set", "{'scope':'s','key':'new','value':1,'ttl':'keep','ttl_ms':5000}",
	        "{'old_value':null,'new_value':1,'rev':'7','expires_at':" IN_5S "}");
	answers("state::update", "{'scope':'s','key':'new','ttl':'clear','ops':[]}",
	        "{'old_value':1,'new_value':1,'rev':'8'}");
	last_event_is(EVENT_TOUCHED, "", 0);
}

static void the_same_value_with_another_time_is_a_touch(void **state)
{
	(void)state;
	set_for("k", "5s");
	size_t before = fix.store->entry_count;
	answers("state::set", "{'scope':'s','key':'k','value':1,'ttl':'keep'}",
	        "{'old_value':1,'new_value':1,'rev':'1','expires_at':" IN_5S "}");
	assert_int_equal(fix.store->entry_count, before);
	answers("state::set", "{'scope':'s','key':'k','value':1,'ttl':'10s'}",
	        "{'old_value':1,'new_value':1,'rev':'2','expires_at':" IN_10S "}");
	last_event_is(EVENT_TOUCHED, "", 10000);
	answers("state::set", "{'scope':'s','key':'k','value':1,'ttl':'keep','event_on_noop':true}",
	        "{'old_value':1,'new_value':1,'rev':'3','expires_at':" IN_10S "}");
	last_event_is(EVENT_UPDATED, "", 10000);
}

static void a_scope_says_it_for_those_that_do_not(void **state)
{
	(void)state;
	static const struct scope_rule list[] = {{{"session*", 8}, 5000, false},
	                                         {{"*", 1}, 0, true}};
	const struct scope_rules rules = {list, 2};
	state_set_scopes(fix.state, &rules);
	answers("state::set", "{'scope':'sessions','key':'a','value':1}",
	        "{'old_value':null,'new_value':1,'rev':'1','expires_at':" IN_5S "}");
	answers("state::set", "{'scope':'sessions','key':'a','value':2,'ttl':'10s'}",
	        "{'old_value':1,'new_value':2,'rev':'2','expires_at':" IN_10S "}");
	answers("state::set", "{'scope':'sessions','key':'a','value':2,'ttl':'clear'}",
	        "{'old_value':2,'new_value':2,'rev':'3'}");
	answers("state::set", "{'scope':'other','key':'a','value':1}",
	        "{'old_value':null,'new_value':1,'rev':'4'}");
	answers("state::set", "{'scope':'other','key':'a','value':1}",
	        "{'old_value':1,'new_value':1,'rev':'5'}");
	last_event_is(EVENT_UPDATED, "", 0);
}

/* ---- what has expired ---- */

static void nobody_sees_what_has_expired(void **state)
{
	(void)state;
	set_for("a", "5s");
	set_for("b", "10s");
	pass(4999);
	get("s", "a", "1");
	pass(1);
	size_t events = fix.store->entry_count;
	get("s", "a", "");
	answers("state::list", "{'scope':'s','with_keys':true}",
	        "{'items':[{'key':'b','value':1,'rev':'2','expires_at':" IN_10S "}]}");
	answers("state::get_many", "{'scope':'s','keys':['a']}", "{'items':[null]}");
	assert_int_equal(fix.store->entry_count, events); /* reading writes nothing */
}

static void a_write_puts_it_away_first(void **state)
{
	(void)state;
	struct event first;
	set_for("k", "5s");
	fake_evict(fix.store, "s", "k");
	pass(7000);
	answers("state::set", "{'scope':'s','key':'k','value':2}",
	        "{'old_value':null,'new_value':2,'rev':'3'}");
	event(1, &first);
	assert_int_equal(first.kind, EVENT_DELETED);
	assert_true(span_is(first.reason, "expired"));
	assert_true(span_is(first.old_value, "1"));
	assert_int_equal(first.expires_at_ms, 1700000005123);
	last_event_is(EVENT_CREATED, "", 0);
}

static void each_kind_of_write_finds_nothing(void **state)
{
	(void)state;
	set_for("a", "5s");
	set_for("b", "5s");
	set_for("c", "5s");
	set_for("d", "5s");
	pass(5000);
	answers("state::update",
	        "{'scope':'s','key':'a','ops':[{'type':'increment','path':'n','by':1}]}",
	        "{'old_value':null,'new_value':{'n':1},'rev':'6'}");
	answers("state::delete", "{'scope':'s','key':'b'}", "");
	last_event_is(EVENT_DELETED, "expired", 5000);
	struct ask *asked = ask("state::set", "{'scope':'s','key':'c','value':1,'if_rev':'3'}");
	fake_settle(fix.store);
	expect_code(asked, E_CONFLICT, "rev_conflict");
	last_event_is(EVENT_DELETED, "expired", 5000);
	answers("state::transact",
	        "{'ops':[{'type':'check','scope':'s','key':'c','if_rev':'0'},"
	        "{'type':'set','scope':'s','key':'d','value':9,'ttl_ms':5000}]}",
	        "{'results':[{'rev':'0'},{'old_value':null,'new_value':9,'rev':'10',"
	        "'expires_at':" IN_10S "}]}");
}

static void it_is_answered_when_its_end_is_durable(void **state)
{
	(void)state;
	set_for("k", "5s");
	pass(5000);
	struct ask *asked = ask("state::delete", "{'scope':'s','key':'k'}");
	assert_int_equal(fix.store->entry_count, 2);
	assert_false(asked->is_done);
	fake_commit(fix.store, E_IO);
	expect_code(asked, E_IO, "outcome_unknown");
}

static void a_clear_ends_it_as_what_it_is(void **state)
{
	(void)state;
	set_for("k", "5s");
	set("s", "l", "2");
	pass(5000);
	answers("state::clear", "{'scope':'s'}", "{'deleted':1,'done':true}");
	struct event first;
	event(2, &first);
	assert_true(span_is(first.reason, "expired"));
	last_event_is(EVENT_DELETED, "", 0);
}

static void a_refused_write_ends_nothing(void **state)
{
	(void)state;
	set_for("k", "5s");
	pass(5000);
	fix.store->refuses = E_BUSY;
	struct ask *asked = ask("state::set", "{'scope':'s','key':'k','value':2}");
	fake_settle(fix.store);
	expect_code(asked, E_BUSY, "store_recovering");
	assert_int_equal(fix.store->entry_count, 1);
	fix.store->refuses = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(a_time_can_be_said_in_three_ways),
	        TEST(a_set_begins_anew_and_an_update_keeps),
	        TEST(the_same_value_with_another_time_is_a_touch),
	        TEST(a_scope_says_it_for_those_that_do_not),
	        TEST(nobody_sees_what_has_expired),
	        TEST(a_write_puts_it_away_first),
	        TEST(each_kind_of_write_finds_nothing),
	        TEST(it_is_answered_when_its_end_is_durable),
	        TEST(a_clear_ends_it_as_what_it_is),
	        TEST(a_refused_write_ends_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
