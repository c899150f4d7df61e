/* This file measures how fast conditions are evaluated. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "bench/conditions/match.h"
#include "triggers/expr/expr.h"
#include <stdio.h>
#include <stdlib.h>

/*
 * usage: conditions eval EVENTS CONDITIONS     (one JSON object a line in both)
 *        conditions match EVENTS COUNT
 *
 * Called by conditions.mjs. Prints one JSON object a line.
 */
enum { EVENTS_MAX = 64, ROUNDS = 3, WINDOW_MS = 300, VARIABLES = 5, COMPILES = 2000 };

static const struct span variable_names[VARIABLES] = {
        SPAN("event_type"), SPAN("scope"), SPAN("key"), SPAN("old_value"), SPAN("new_value")};

struct bench {
	struct buf text; /* of the events file */
	struct span events[EVENTS_MAX];
	size_t event_count;
	struct paths *paths;
	struct expr_variable variables[VARIABLES];
	struct expr_env env;
	struct activation *activations; /* one an event */
};

static void read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	size_t got = 1;
	while (got != 0) {
		got = fread(buf_reserve(out, 65536), 1, 65536, file);
		out->len += got;
	}
	(void)fclose(file);
}

static bool next_line(struct span *rest, struct span *out)
{
	if (rest->len == 0) {
		return false;
	}
	const char *end = memchr(rest->ptr, '\n', rest->len);
	size_t len = end != NULL ? (size_t)(end - rest->ptr) : rest->len;
	*out = span_make(rest->ptr, len);
	size_t used = end != NULL ? len + 1 : len;
	*rest = span_make(rest->ptr + used, rest->len - used);
	return true;
}

static void open_bench(struct bench *bench, const char *events)
{
	read_file(events, &bench->text);
	struct span rest = buf_view(&bench->text);
	while (bench->event_count < EVENTS_MAX &&
	       next_line(&rest, &bench->events[bench->event_count])) {
		bench->event_count++;
	}
	bench->paths = paths_new();
	for (size_t i = 0; i < VARIABLES; i++) {
		bench->variables[i] =
		        (struct expr_variable){.name = variable_names[i],
		                               .slot = paths_root(bench->paths, variable_names[i])};
	}
	bench->env = (struct expr_env){
	        .paths = bench->paths, .variables = bench->variables, .variable_count = VARIABLES};
	bench->activations = MEM_ARRAY(struct activation, EVENTS_MAX);
}

static struct expr *compile(const struct bench *bench, struct span text)
{
	struct fault fault = {0};
	struct expr *expr = NULL;
	if (expr_new(&bench->env, text, EXPR_BOOL, &expr, &fault) != 0) {
		(void)fprintf(stderr, "%.*s: %s\n", SPAN_ARG(text), fault.text);
		exit(EXIT_FAILURE);
	}
	return expr;
}

static void bind_all(struct bench *bench)
{
	for (size_t i = 0; i < bench->event_count; i++) {
		struct activation *activation = &bench->activations[i];
		struct span values[VARIABLES];
		json_get_many(bench->events[i], variable_names, VARIABLES, values);
		activation_init(activation, bench->paths, 0);
		activation_reset(activation);
		for (size_t j = 0; j < VARIABLES; j++) {
			activation_bind_json(activation, bench->variables[j].slot, values[j]);
		}
	}
}

static double evaluations_a_second(struct bench *bench, const struct expr *expr)
{
	double best = 0;
	uint64_t yes = 0;
	for (int round = 0; round < ROUNDS; round++) {
		int64_t start = clock_mono_us();
		int64_t now = start;
		uint64_t count = 0;
		while (now - start < WINDOW_MS * INT64_C(1000)) {
			for (size_t i = 0; i < 100 * bench->event_count; i++) {
				struct activation *activation =
				        &bench->activations[i % bench->event_count];
				yes += value_is_true(
				        expr_eval(expr, activation, EXPR_BUDGET, NULL));
			}
			count += 100 * bench->event_count;
			now = clock_mono_us();
		}
		double rate = (double)count * 1e6 / (double)(now - start);
		best = rate > best ? rate : best;
	}
	return yes == UINT64_MAX ? 0 : best;
}

static double compile_us(const struct bench *bench, struct span text)
{
	int64_t start = clock_mono_us();
	for (int i = 0; i < COMPILES; i++) {
		expr_free(compile(bench, text));
	}
	return (double)(clock_mono_us() - start) / COMPILES;
}

static void evaluate(struct bench *bench, struct span name, struct span text)
{
	struct expr *expr = compile(bench, text);
	struct buf answers = {0};
	bind_all(bench);
	for (size_t i = 0; i < bench->event_count; i++) {
		struct value value = expr_eval(expr, &bench->activations[i], EXPR_BUDGET, NULL);
		buf_byte(&answers, value_is_true(value) ? '1' : '0');
	}
	struct buf out = {0};
	buf_byte(&out, '{');
	json_write_member_string(&out, "name", name);
	json_write_member_string(&out, "answers", buf_view(&answers));
	json_write_member_uint(&out, "per_s", (uint64_t)evaluations_a_second(bench, expr));
	json_write_member_uint(&out, "bytes", expr_bytes(expr));
	buf_format(&out, ",\"compile_us\":%.2f}", compile_us(bench, text));
	printf("%.*s\n", SPAN_ARG(buf_view(&out)));
	buf_free(&out);
	buf_free(&answers);
	for (size_t i = 0; i < bench->event_count; i++) {
		activation_close(&bench->activations[i]);
	}
	expr_free(expr);
}

static void evaluate_all(struct bench *bench, const char *conditions)
{
	struct buf file = {0};
	struct buf plain = {0};
	struct span line;
	read_file(conditions, &file);
	for (struct span rest = buf_view(&file); next_line(&rest, &line);) {
		struct span name;
		struct span text;
		if (json_get(line, SPAN("name"), &name) && json_get(line, SPAN("cel"), &text)) {
			buf_clear(&plain);
			(void)buf_reserve(&plain, line.len); /* it does not move */
			name = json_copy_text(name, &plain);
			evaluate(bench, name, json_copy_text(text, &plain));
		}
	}
	buf_free(&file);
	buf_free(&plain);
}

int main(int argc, char **argv)
{
	struct bench bench = {0};
	if (argc != 4) {
		(void)fprintf(stderr, "usage: conditions eval EVENTS CONDITIONS\n"
		                      "       conditions match EVENTS COUNT\n");
		return 2;
	}
	open_bench(&bench, argv[2]);
	if (strcmp(argv[1], "match") == 0) {
		match_measure(bench.events, bench.event_count, strtoul(argv[3], NULL, 10));
	} else {
		evaluate_all(&bench, argv[3]);
	}
	mem_free(bench.activations);
	paths_free(bench.paths);
	buf_free(&bench.text);
	return 0;
}
