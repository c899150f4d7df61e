/* This file proves that triggers are warned of which wake themselves, as far as that is known. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "core_world.h"
#include "engine/core/footprint.h"
#include "engine/core/own_scope.h"

static const char *warning(const char *id)
{
	static char text[512];
	struct buf out = {0};
	bool warns = footprint_warns(trigger(id), &out);
	(void)snprintf(text, sizeof text, "%.*s", SPAN_ARG(buf_view(&out)));
	assert_int_equal(warns, out.len != 0);
	buf_free(&out);
	return text;
}

static void write_as(const char *id, const char *scope, const char *key)
{
	const struct event event = {.seq = 7,
	                            .kind = EVENT_UPDATED,
	                            .scope = span_of(scope),
	                            .key = span_of(key),
	                            .old_value = SPAN("{\"n\":1}"),
	                            .new_value = SPAN("{\"n\":2}")};
	footprint_note(trigger(id), &event);
}

static void what_wakes_it_is_told_and_stays(void **state)
{
	(void)state;
	declare("t", "f", "{\"scope\":\"s\",\"key\":\"a*\"}");
	declare("guarded", "f", "{\"scope\":\"s\",\"changed\":[\"n\"],\"when\":\"false\"}");
	world_up();
	assert_string_equal(warning("t"), "");
	write_as("t", "other", "a1");
	write_as("t", "s", "b1");
	assert_string_equal(warning("t"), "");
	write_as("t", "s", "a1");
	assert_string_equal(warning("t"),
	                    "its function has written event 7, which wakes it; a chain "
	                    "of such changes ends at delivery.loop_depth");
	write_as("t", "s", "b1");
	assert_non_null(strstr(warning("t"), "event 7"));
	assert_non_null(strstr(warning("guarded"), "unless its condition says no"));
}

/* A trigger that comes later has the same function. */
static void a_later_trigger_is_warned_of_at_once(void **state)
{
	(void)state;
	declare("t", "f", "{\"scope\":\"in\"}");
	world_up();
	write_as("t", "out", "k");
	declare("later", "f", "{\"scope\":\"out\"}");
	declare("deletions", "f", "{\"scope\":\"out\",\"events\":[\"deleted\"]}");
	declare("others", "g", "{\"scope\":\"out\"}");
	declare("any", "f", "{\"order\":\"none\"}");
	world_sync();
	assert_non_null(strstr(warning("later"), "the key \"k\" of the scope \"out\" (event 7)"));
	assert_non_null(strstr(warning("any"), "the scope \"out\""));
	assert_string_equal(warning("deletions"), "");
	assert_string_equal(warning("others"), "");
	assert_string_equal(warning("t"), "");
	/* It is not forgotten while a worker is away. */
	world->spec_count = 0;
	world_sync();
	pass(1000);
	declare("again", "f", "{\"scope\":\"out\"}");
	world_sync();
	assert_non_null(strstr(warning("again"), "the scope \"out\""));
}

static void it_is_bounded(void **state)
{
	(void)state;
	char scope[16];
	declare("t", "f", "{\"scope\":\"s0\"}");
	declare("u", "f", "{\"scope\":\"s70\"}");
	declare("v", "f", "{\"scope\":\"s3\",\"key\":\"x\"}");
	world_up();
	for (int i = 1; i < 100; i++) {
		(void)snprintf(scope, sizeof scope, "s%d", i);
		write_as("t", scope, "x");
	}
	assert_string_equal(warning("v"), ""); /* forgotten */
	assert_non_null(strstr(warning("u"), "s70"));
}

static void functions_are_forgotten_when_there_are_many(void **state)
{
	(void)state;
	struct footprints *prints = footprints_new();
	struct footprint *first = NULL;
	char name[16];
	struct binding binding = {.filter = MEM_NEW(struct filter)};
	const struct event event = {.seq = 1, .kind = EVENT_CREATED, .scope = SPAN("s")};
	for (int i = 0; i < FOOTPRINTS_MOST + 10; i++) {
		(void)snprintf(name, sizeof name, "f%d", i);
		binding.footprint = footprint_take(prints, SPAN("default"), span_of(name));
		footprint_note(&binding, &event);
		first = i == 0 ? binding.footprint : first;
		footprint_drop(prints, binding.footprint);
	}
	assert_ptr_equal(footprint_take(prints, SPAN("default"), SPAN("f0")), first);
	footprint_drop(prints, first);
	filter_free(binding.filter);
	footprints_free(prints);
}

static void the_config_may_say_it_by_itself(void **state)
{
	(void)state;
	static const struct {
		const char *function;
		const char *config;
		bool warns;
	} cases[] = {
	        {"state::set", "{\"scope\":\"s\",\"select\":{\"scope\":\"'s'\",\"key\":\"key\"}}",
	         true},
	        {"state::set", "{\"scope\":\"s\",\"select\":{\"scope\":\"\\\"s\\\"\"}}", true},
	        {"state::update", "{\"scope\":\"s\",\"select\":{\"scope\":\"scope\"}}", true},
	        {"state::update", "{\"select\":{\"scope\":\"event.scope\"}}", true},
	        {"state::set", "{\"select\":{\"scope\":\"'t'\"}}", true},
	        {"state::set", "{\"scope\":\"s\",\"select\":{\"scope\":\"'t'\"}}", false},
	        {"state::set", "{\"scope\":\"s\",\"select\":{\"scope\":\"'s' + 't'\"}}", false},
	        {"state::set", "{\"scope\":\"s\",\"select\":{\"scope\":\"new_value.to\"}}", false},
	        {"state::set", "{\"scope\":\"s\",\"select\":{\"key\":\"key\"}}", false},
	        {"state::set", "{\"scope\":\"s\",\"select\":[\"scope\"]}", false},
	        {"state::set", "{\"scope\":\"s\"}", false},
	        {"state::delete", "{\"scope\":\"s\"}", true},
	        {"mine", "{\"scope\":\"s\",\"select\":{\"scope\":\"'s'\"}}", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = {0};
		bool warns = own_scope_warns(SPAN("state"), span_of(cases[i].function),
		                             span_of(cases[i].config), &out);
		if (warns != cases[i].warns || warns != (out.len != 0)) {
			fail_msg("%s %s", cases[i].function, cases[i].config);
		}
		assert_false(own_scope_warns(SPAN("dead"), span_of(cases[i].function),
		                             span_of(cases[i].config), &out));
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WORLD_TEST(what_wakes_it_is_told_and_stays),
	        WORLD_TEST(a_later_trigger_is_warned_of_at_once),
	        WORLD_TEST(it_is_bounded),
	        cmocka_unit_test(functions_are_forgotten_when_there_are_many),
	        cmocka_unit_test(the_config_may_say_it_by_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
