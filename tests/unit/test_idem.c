/* This file proves that a write with an idempotency key is done once, however often it is asked. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core_world.h"
#include "engine/core/idem.h"
#include "engine/core/state.h"

enum { TTL_MS = 3600000, A_MINUTE = 60000 };

static struct state *state_of_world;
static struct idem *idem;

struct ask {
	struct state_request request;
	struct buf data;
	struct buf result;
	bool is_done;
	int status;
	char code[64];
};

static void asked(struct state_request *request, int status, struct span result,
                  const struct err *err)
{
	struct ask *ask = MEM_CONTAINER(request, struct ask, request);
	ask->is_done = true;
	ask->status = status;
	buf_span(&ask->result, result);
	(void)snprintf(ask->code, sizeof ask->code, "%s", status != 0 ? err->code : "");
}

/* Single quotes stand for double ones. */
static struct ask *begin_ask(const char *name, const char *json)
{
	struct ask *ask = MEM_NEW(struct ask);
	buf_add(&ask->data, json, strlen(json));
	for (size_t i = 0; i < ask->data.len; i++) {
		ask->data.ptr[i] = (char)(ask->data.ptr[i] == '\'' ? '"' : ask->data.ptr[i]);
	}
	ask->request = (struct state_request){
	        .name = span_of(name), .data = buf_view(&ask->data), .done = asked};
	state_run(state_of_world, &ask->request);
	return ask;
}

static void free_ask(struct ask *ask)
{
	buf_free(&ask->data);
	buf_free(&ask->result);
	mem_free(ask);
}

/* Expects this result (or code, for an error), and that it is a repetition or not. */
static void end_ask(struct ask *ask, const char *want, bool replayed)
{
	char quoted[256];
	(void)snprintf(quoted, sizeof quoted, "%s", want);
	for (char *at = quoted; *at; at++) {
		*at = (char)(*at == '\'' ? '"' : *at);
	}
	assert_true(ask->is_done);
	buf_byte(&ask->result, '\0');
	assert_string_equal(ask->status != 0 ? ask->code : ask->result.ptr, quoted);
	assert_int_equal(ask->request.replayed, replayed);
	free_ask(ask);
}

static void ask(const char *name, const char *json, const char *want, bool replayed)
{
	struct ask *made = begin_ask(name, json);
	turn();
	end_ask(made, want, replayed);
}

static void up(void)
{
	const struct state_limits limits = {.value_bytes = 100000,
	                                    .reply_bytes = 100000,
	                                    .transact_keys = 8,
	                                    .transact_bytes = 100000};
	idem = idem_new(world->store, world->alarms, TTL_MS);
	state_of_world = state_new(world->store, &limits);
	state_set_idem(state_of_world, idem);
}

static void down(void)
{
	turn();
	state_free(state_of_world);
	idem_free(idem);
}

static void again(bool crash)
{
	down();
	restart(crash);
	up();
}

static int begin(void **state)
{
	(void)world_set_up(state);
	world_up();
	up();
	return 0;
}

static int end(void **state)
{
	down();
	return world_tear_down(state);
}

#define IDEM_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static uint64_t events(void)
{
	return store_next_seq(world->store) - 1;
}

static bool has_record(const char *key)
{
	return fault_has(world->disk, space_idem(span_of(key)));
}

static bool has_time(const char *key, int64_t expires_ms)
{
	struct space_key room;
	return fault_has(world->disk, space_idem_time(&room, (uint64_t)expires_ms, span_of(key)));
}

static const char increment[] = "{'scope':'s','key':'k','ops':[{'type':'increment','path':'n',"
                                "'by':1}],'idempotency_key':'a'}";
static const char first[] = "{'old_value':null,'new_value':{'n':1},'rev':'1'}";

static void the_same_is_done_once(void **state)
{
	(void)state;
	ask("state::update", increment, first, false);
	ask("state::update", increment, first, true);
	/* The order of members is no other request. */
	ask("state::update",
	    "{'idempotency_key':'a','ops':[{'by':1,'type':'increment','path':'n'}],'key':'k',"
	    "'scope':'s'}",
	    first, true);
	assert_int_equal(events(), 1);
	again(true);
	ask("state::update", increment, first, true);
	assert_int_equal(events(), 1);
	ask("state::get", "{'scope':'s','key':'k'}", "{'n':1}", false);
}

static void another_request_is_refused(void **state)
{
	(void)state;
	ask("state::set", "{'scope':'s','key':'k','value':1,'idempotency_key':'a'}",
	    "{'old_value':null,'new_value':1,'rev':'1'}", false);
	ask("state::set", "{'scope':'s','key':'k','value':2,'idempotency_key':'a'}",
	    "idempotency_conflict", false);
	ask("state::delete", "{'scope':'s','key':'k','idempotency_key':'a'}",
	    "idempotency_conflict", false);
	ask("state::set", "{'scope':'s','key':'k','value':2,'idempotency_key':'b'}",
	    "{'old_value':1,'new_value':2,'rev':'2'}", false);
}

/* Nothing was deleted: the repetition must not delete what came since. */
static void what_did_nothing_does_nothing_again(void **state)
{
	(void)state;
	ask("state::delete", "{'scope':'s','key':'k','idempotency_key':'a'}", "", false);
	ask("state::set", "{'scope':'s','key':'k','value':1}",
	    "{'old_value':null,'new_value':1,'rev':'1'}", false);
	ask("state::delete", "{'scope':'s','key':'k','idempotency_key':'a'}", "", true);
	ask("state::get", "{'scope':'s','key':'k'}", "1", false);
	ask("state::set", "{'scope':'s','key':'k','value':1,'idempotency_key':'b'}",
	    "{'old_value':1,'new_value':1,'rev':'1'}", false);
	again(true);
	ask("state::set", "{'scope':'s','key':'k','value':1,'idempotency_key':'b'}",
	    "{'old_value':1,'new_value':1,'rev':'1'}", true);
	assert_int_equal(events(), 1);
}

static void what_failed_may_be_tried_again(void **state)
{
	(void)state;
	static const char set[] =
	        "{'scope':'s','key':'k','value':2,'if_rev':'1','idempotency_key':'a'}";
	ask("state::set", set, "rev_conflict", false);
	ask("state::set", "{'scope':'s','key':'k','value':1}",
	    "{'old_value':null,'new_value':1,'rev':'1'}", false);
	ask("state::set", set, "{'old_value':1,'new_value':2,'rev':'2'}", false);
	/* The rev is another one now, and the answer still that of then. */
	ask("state::set", set, "{'old_value':1,'new_value':2,'rev':'2'}", true);
}

/* On one key, on different keys, from memory or not: one is the first. */
static void of_two_at_once_one_is_the_first(void **state)
{
	(void)state;
	struct ask *one = begin_ask("state::update", increment);
	struct ask *two = begin_ask("state::update", increment);
	struct ask *other = begin_ask("state::set", "{'scope':'t','key':'z','value':1,"
	                                            "'idempotency_key':'a'}");
	assert_false(two->is_done);
	turn();
	end_ask(one, first, false);
	end_ask(two, first, true);
	end_ask(other, "idempotency_conflict", false);
	assert_int_equal(events(), 1);
}

static void a_transaction_has_one_key(void **state)
{
	(void)state;
	static const char both[] = "{'ops':[{'type':'set','scope':'s','key':'a','value':1},"
	                           "{'type':'set','scope':'s','key':'b','value':2}],"
	                           "'idempotency_key':'a'}";
	struct ask *made = begin_ask("state::transact", both);
	turn();
	assert_int_equal(made->status, 0);
	struct ask *repeated = begin_ask("state::transact", both);
	turn();
	assert_true(repeated->request.replayed);
	assert_true(span_equal(buf_view(&made->result), buf_view(&repeated->result)));
	assert_int_equal(events(), 2);
	free_ask(made);
	free_ask(repeated);
	ask("state::transact",
	    "{'ops':[{'type':'set','scope':'s','key':'a','value':1,'idempotency_key':'b'}]}",
	    "invalid_argument", false);
	ask("state::clear", "{'scope':'s','idempotency_key':'b'}", "not_available", false);
	ask("state::transact", "{'ops':[],'idempotency_key':'c'}", "{'results':[]}", false);
}

/* The answer is lost with the change, or is there with it. */
static void what_is_lost_is_done_again(void **state)
{
	(void)state;
	lose_writes(1);
	ask("state::update", increment, "outcome_unknown", false);
	pass(5000);
	ask("state::update", increment, first, false);
	ask("state::update", increment, first, true);
	fault_plan(world->disk, FAULT_WRITE, FAULT_HAPPENS_AND_FAILS, 1, E_IO);
	static const char second[] = "{'scope':'s','key':'k','value':7,'idempotency_key':'b'}";
	ask("state::set", second, "outcome_unknown", false);
	pass(5000);
	ask("state::set", second, "{'old_value':{'n':1},'new_value':7,'rev':'2'}", true);
	assert_int_equal(events(), 2);
}

static void it_is_forgotten_when_its_time_is_over(void **state)
{
	(void)state;
	int64_t expires_ms = clock_wall_ms() + TTL_MS;
	ask("state::update", increment, first, false);
	flush();
	assert_true(has_record("a") && has_time("a", expires_ms));
	jump(TTL_MS - 1000);
	ask("state::update", increment, first, true);
	jump(2000);
	ask("state::update", increment, "{'old_value':{'n':1},'new_value':{'n':2},'rev':'2'}",
	    false);
	flush();
	assert_false(has_time("a", expires_ms));
	assert_true(has_record("a") && has_time("a", expires_ms + TTL_MS + 1000));
	again(false);
	jump(TTL_MS + A_MINUTE);
	pass(500);
	assert_false(has_record("a") || has_time("a", expires_ms + TTL_MS + 1000));
	ask("state::update", increment, "{'old_value':{'n':2},'new_value':{'n':3},'rev':'3'}",
	    false);
}

/* More than one sweep takes; those that have time are left alone. */
static void many_are_forgotten_in_parts(void **state)
{
	(void)state;
	enum { MANY = 700 };
	char data[128];
	for (int i = 0; i < MANY + 1; i++) {
		if (i == MANY) {
			jump(TTL_MS / 2);
		}
		(void)snprintf(data, sizeof data,
		               "{'scope':'s','key':'k','value':%d,'idempotency_key':'n%d'}", i, i);
		struct ask *made = begin_ask("state::set", data);
		turn();
		assert_int_equal(made->status, 0);
		free_ask(made);
	}
	jump(TTL_MS / 2 + A_MINUTE);
	pass(1000);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(data, sizeof data, "n%d", i);
		assert_false(has_record(data));
	}
	assert_true(has_record("n700"));
	jump(TTL_MS);
	pass(1000);
	assert_false(has_record("n700"));
}

static void a_key_has_a_size(void **state)
{
	(void)state;
	char data[600];
	char key[300];
	memset(key, 'x', sizeof key);
	key[255] = '\0';
	(void)snprintf(data, sizeof data,
	               "{'scope':'s','key':'k','value':1,'idempotency_key':'%s'}", key);
	ask("state::set", data, "{'old_value':null,'new_value':1,'rev':'1'}", false);
	key[255] = 'x';
	key[256] = '\0';
	(void)snprintf(data, sizeof data,
	               "{'scope':'s','key':'k','value':1,'idempotency_key':'%s'}", key);
	ask("state::set", data, "invalid_idempotency_key", false);
	ask("state::set", "{'scope':'s','key':'k','value':1,'idempotency_key':'a\\u0001'}",
	    "invalid_idempotency_key", false);
	ask("state::set", "{'scope':'s','key':'k','value':1,'idempotency_key':7}",
	    "invalid_argument", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        IDEM_TEST(the_same_is_done_once),
	        IDEM_TEST(another_request_is_refused),
	        IDEM_TEST(what_did_nothing_does_nothing_again),
	        IDEM_TEST(what_failed_may_be_tried_again),
	        IDEM_TEST(of_two_at_once_one_is_the_first),
	        IDEM_TEST(a_transaction_has_one_key),
	        IDEM_TEST(what_is_lost_is_done_again),
	        IDEM_TEST(it_is_forgotten_when_its_time_is_over),
	        IDEM_TEST(many_are_forgotten_in_parts),
	        IDEM_TEST(a_key_has_a_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
