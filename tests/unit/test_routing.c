/* This file tests which HTTP trigger a path is for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/core/routing.h"
#include "wire/url.h"

struct bench {
	struct routing *routing;
	struct binding *bindings[16];
	size_t count;
};

static struct binding *make(const char *id, const char *method, const char *path)
{
	struct binding *binding = MEM_NEW(struct binding);
	struct err err;
	binding->filter = MEM_NEW(struct filter);
	list_init(&binding->holders);
	list_init(&binding->in_route);
	binding->id = span_of(id);
	binding->function_id = SPAN("f");
	binding->namespace_ = SPAN("default");
	binding->origin = BINDING_API;
	binding->stays = true;
	if (http_rule_new(span_of(method), span_of(path), &binding->filter->http, &err) != 0) {
		fail_msg("%s", err.text);
	}
	return binding;
}

static void unmake(struct binding *binding)
{
	filter_free(binding->filter);
	mem_free(binding);
}

static struct binding *add(struct bench *bench, const char *id, const char *method,
                           const char *path)
{
	struct binding *binding = make(id, method, path);
	routing_add(bench->routing, binding);
	bench->bindings[bench->count++] = binding;
	return binding;
}

static int set_up(void **state)
{
	struct bench *bench = MEM_NEW(struct bench);
	bench->routing = routing_new();
	*state = bench;
	return 0;
}

/* A tree that keeps a node without a binding would not be empty. */
static int tear_down(void **state)
{
	struct bench *bench = *state;
	for (size_t i = 0; i < bench->count; i++) {
		routing_remove(bench->routing, bench->bindings[i]);
		routing_remove(bench->routing, bench->bindings[i]);
		unmake(bench->bindings[i]);
	}
	routing_free(bench->routing);
	mem_free(bench);
	return 0;
}

static size_t split(const char *path, struct span segments[8])
{
	struct span rest = span_of(path);
	size_t count = 0;
	while (url_next_segment(&rest, &segments[count])) {
		count++;
	}
	return count;
}

/* The id of who serves it; "" = nobody. */
static const char *find(const struct bench *bench, const char *method, const char *path)
{
	struct span segments[8];
	size_t count = split(path, segments);
	const struct binding *binding =
	        routing_find(bench->routing, span_of(method), segments, count);
	return binding ? binding->id.ptr : "";
}

static void plain_text_beats_a_parameter_and_that_a_rest(void **state)
{
	struct bench *bench = *state;
	(void)add(bench, "rest", "GET", "/a/*");
	(void)add(bench, "one", "GET", "/a/:x");
	(void)add(bench, "b", "GET", "a/b");
	(void)add(bench, "deep", "GET", "/a/:x/c");
	(void)add(bench, "deeper", "GET", "/a/b/d");
	(void)add(bench, "root", "GET", "/");
	assert_string_equal(find(bench, "GET", "/a/b"), "b");
	assert_string_equal(find(bench, "GET", "/a/c"), "one");
	assert_string_equal(find(bench, "GET", "/a/b/c"), "deep"); /* back from b */
	assert_string_equal(find(bench, "GET", "/a/b/d"), "deeper");
	assert_string_equal(find(bench, "GET", "/a/b/e"), "rest");
	assert_string_equal(find(bench, "GET", "/a/"), "");
	assert_string_equal(find(bench, "GET", "/a//"), "rest");
	assert_string_equal(find(bench, "GET", "/a"), "");
	assert_string_equal(find(bench, "GET", "/"), "root");
	assert_string_equal(find(bench, "GET", "/A/b"), "");
}

static void a_way_without_the_method_is_given_up(void **state)
{
	struct bench *bench = *state;
	(void)add(bench, "get", "GET", "/a/b");
	(void)add(bench, "post", "POST", "/a/:x");
	(void)add(bench, "head", "head", "/h");
	(void)add(bench, "get h", "GET", "/h");
	assert_string_equal(find(bench, "POST", "/a/b"), "post");
	assert_string_equal(find(bench, "HEAD", "/a/b"), "get");
	assert_string_equal(find(bench, "HEAD", "/h"), "head");
	assert_string_equal(find(bench, "PUT", "/a/b"), "");
	struct span segments[8];
	struct buf methods = {0};
	routing_methods(bench->routing, segments, split("/a/b", segments), &methods);
	assert_true(span_is(buf_view(&methods), "GET, POST, HEAD, OPTIONS"));
	buf_clear(&methods);
	routing_methods(bench->routing, segments, split("/a/c", segments), &methods);
	assert_true(span_is(buf_view(&methods), "POST, OPTIONS"));
	buf_clear(&methods);
	routing_methods(bench->routing, segments, split("/b", segments), &methods);
	assert_int_equal(methods.len, 0);
	buf_free(&methods);
}

static void a_rival_is_named(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	struct binding *first = add(bench, "first", "GET", "/a/:x");
	struct binding *second = make("second", "GET", "/a/:y");
	assert_int_equal(routing_check(bench->routing, second, 0, &err), E_CONFLICT);
	assert_string_equal(
	        err.text, "GET /a/:y belongs to the trigger \"first\" (/a/:x), which wakes \"f\"");
	assert_int_equal(routing_check(bench->routing, second, BINDING_API, &err), 0);
	second->id = SPAN("first"); /* another version of it */
	assert_int_equal(routing_check(bench->routing, second, 0, &err), 0);
	second->id = SPAN("second");
	second->origin = BINDING_WORKER;
	assert_int_equal(routing_check(bench->routing, second, 0, &err), E_CONFLICT);
	first->origin = BINDING_WORKER; /* the same function of another worker */
	assert_int_equal(routing_check(bench->routing, second, 0, &err), 0);
	second->function_id = SPAN("g");
	assert_int_equal(routing_check(bench->routing, second, 0, &err), E_CONFLICT);
	first->stays = false; /* its worker has gone */
	assert_int_equal(routing_check(bench->routing, second, 0, &err), 0);
	unmake(second);
}

static void who_is_held_answers_else_the_last_one(void **state)
{
	struct bench *bench = *state;
	struct binding *old = add(bench, "old", "GET", "/a");
	struct binding *fresh = add(bench, "new", "GET", "/a");
	assert_string_equal(find(bench, "GET", "/a"), "new");
	fresh->stays = false;
	assert_string_equal(find(bench, "GET", "/a"), "old");
	old->stays = false;
	assert_string_equal(find(bench, "GET", "/a"), "new");
	old->origin = BINDING_CONFIG;
	fresh->stays = true;
	assert_string_equal(find(bench, "GET", "/a"), "old");
}

static void patterns_that_say_nothing_clear_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *method;
		const char *path;
		const char *says;
	} rows[] = {
	        {"GET", "/{id}", "as :name"},
	        {"GET", "/a/*x/b", "must come last"},
	        {"GET", "/a/*x/", "must come last"},
	        {"GET", "/:", "a parameter whose name"},
	        {"GET", "/:1a", "a parameter whose name"},
	        {"GET", "/*a.b", "a parameter whose name"},
	        {"GET", "/:a/:a", "two parameters"},
	        {"GET", "/:a/*a", "two parameters"},
	        {"GET", "/a b", "as they are"},
	        {"GET", "/a%20b", "as they are"},
	        {"GET", "/a?b=c", "as they are"},
	        {"BREW", "/a", "must be GET"},
	        {"", "/a", "must be GET"},
	        {"GET", "/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3",
	         "more than 32"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct http_rule *rule = NULL;
		struct err err = {0};
		int status =
		        http_rule_new(span_of(rows[i].method), span_of(rows[i].path), &rule, &err);
		if (status != E_INVALID || strstr(err.text, rows[i].says) == NULL) {
			fail_msg("%s %s: %s", rows[i].method, rows[i].path, err.text);
		}
	}
	struct http_rule *rule = NULL;
	assert_int_equal(http_rule_new(SPAN("put"), SPAN("a/:b-1/\xc3\xa4"), &rule, NULL), 0);
	assert_true(span_is(rule->method, "PUT"));
	assert_true(span_is(rule->path, "/a/:b-1/\xc3\xa4"));
	assert_int_equal(rule->count, 3);
	http_rule_free(rule);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(plain_text_beats_a_parameter_and_that_a_rest,
	                                        set_up, tear_down),
	        cmocka_unit_test_setup_teardown(a_way_without_the_method_is_given_up, set_up,
	                                        tear_down),
	        cmocka_unit_test_setup_teardown(a_rival_is_named, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(who_is_held_answers_else_the_last_one, set_up,
	                                        tear_down),
	        cmocka_unit_test(patterns_that_say_nothing_clear_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
