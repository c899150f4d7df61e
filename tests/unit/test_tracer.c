/* This file tests spans: who is whose parent, and which traces are wanted. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "engine/core/tracer.h"
#include <string.h>

#define TRACE  "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static size_t taken;
static struct tracer_span last;

static void take(void *ctx, const struct tracer_span *span, const struct tracer_end *end)
{
	(void)ctx;
	(void)end;
	taken++;
	last = *span;
}

static struct tracer_span begin(struct tracer *tracer, struct span parent, struct span seed)
{
	struct tracer_span span = {0};
	taken = 0;
	tracer_begin(tracer, parent, seed, &span);
	return span;
}

static const struct tracer_end done = {.kind = TRACER_SERVER, .name = {"x", 1}};

static void a_child_is_of_its_parent(void **state)
{
	(void)state;
	struct tracer *tracer = tracer_new(0, take, NULL);
	struct tracer_span span = begin(tracer, SPAN("00-" TRACE "-" PARENT "-01"), SPAN_NONE);
	assert_memory_equal(span.text, "00-" TRACE "-", 36);
	assert_memory_not_equal(span.text + 36, PARENT, 16);
	assert_string_equal(span.text + 52, "-01");
	tracer_end(tracer, &span, &done);
	assert_int_equal(taken, 1);
	assert_true(last.has_parent);
	assert_int_equal(last.parent[0], 0xb7);
	tracer_end(tracer, &span, &done); /* it has ended */
	assert_int_equal(taken, 1);
	struct tracer_span other = begin(tracer, SPAN("00-" TRACE "-" PARENT "-01"), SPAN_NONE);
	assert_memory_not_equal(other.at.span, last.at.span, sizeof last.at.span);
	tracer_free(tracer);
}

static void what_nobody_wants_goes_through(void **state)
{
	(void)state;
	struct tracer *tracer = tracer_new(1000000, take, NULL);
	struct tracer_span span = begin(tracer, SPAN("00-" TRACE "-" PARENT "-00"), SPAN_NONE);
	assert_string_equal(span.text, "00-" TRACE "-" PARENT "-00");
	tracer_end(tracer, &span, &done);
	assert_int_equal(taken, 0);
	tracer_free(tracer);
}

static void traces_begin_by_chance_and_alike_from_a_seed(void **state)
{
	(void)state;
	static const uint32_t shares[] = {0, 250000, 1000000};
	for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
		struct tracer *tracer = tracer_new(shares[i], take, NULL);
		size_t wanted = 0;
		for (int j = 0; j < 10000; j++) {
			struct tracer_span span = begin(tracer, SPAN("none"), SPAN_NONE);
			assert_false(span.has_parent);
			wanted += span.at.is_sampled;
		}
		assert_in_range(wanted, shares[i] / 100 - (i == 1 ? 500 : 0),
		                shares[i] / 100 + (i == 1 ? 500 : 0));
		struct tracer_span a = begin(tracer, SPAN_NONE, SPAN("1-2/t"));
		struct tracer_span b = begin(tracer, SPAN_NONE, SPAN("1-2/t"));
		assert_memory_equal(a.at.trace, b.at.trace, sizeof a.at.trace);
		assert_int_equal(a.at.is_sampled, b.at.is_sampled);
		assert_memory_not_equal(a.at.span, b.at.span, sizeof a.at.span);
		tracer_free(tracer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_child_is_of_its_parent),
	        cmocka_unit_test(what_nobody_wants_goes_through),
	        cmocka_unit_test(traces_begin_by_chance_and_alike_from_a_seed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
