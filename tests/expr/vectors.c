/* This file runs a folder of public CEL vectors and tells which of them fail. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/expr/typed.h"

#include "base/json.h"
#include "base/mem.h"
#include "triggers/expr/expr.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * usage: vectors DIR [NAME-PART]
 *
 * DIR holds files in the form of ../shared/vectors/cel (see its README): an array of vectors each.
 * Value cases and error cases are counted apart: an engine that fails on everything would pass all
 * of the latter. A folder that is absent ends with 77, "skipped".
 */
enum { SKIPPED = 77, VARIABLES_MAX = 64, FILE_MAX = 64 * 1024 * 1024 };

/* What is not a matter of JSON change events: why the vector is left out. */
static const struct {
	const char *class_;
	const char *reason;
} left_out[] = {
        {"proto", "protocol buffer messages and enums"},
        {"container", "name resolution in a container"},
        {"checker", "the types that a full checker deduces"},
        {"ext_block", "cel.block, which optimizers write"},
        {"ext_network", "ip() and cidr()"},
};

struct tally {
	size_t passed;
	size_t failed;
};

struct run {
	const char *only; /* part of a name, or NULL */
	struct span file;
	struct tally values;
	struct tally errors;
	size_t left_out[sizeof left_out / sizeof *left_out];
};

struct vector {
	struct span section;
	struct span name;
	struct span expr;
	struct span bindings;
	struct span type_env;
	struct span expected; /* typed value; absent: an error */
	struct span class_;
	bool unchecked;
	bool no_macros;
};

static struct span plain(struct arena *arena, struct span json)
{
	if (json.ptr == NULL || json_kind(json) != JSON_STRING) {
		return SPAN("");
	}
	struct buf text = {0};
	json_string(json, &text);
	struct span copy = arena_copy(arena, buf_view(&text));
	buf_free(&text);
	return copy;
}

static struct vector read_vector(struct arena *arena, struct span json)
{
	const struct span names[] = {
	        SPAN("section"),       SPAN("name"),           SPAN("expr"),
	        SPAN("bindings"),      SPAN("expect"),         SPAN("class"),
	        SPAN("disable_check"), SPAN("disable_macros"), SPAN("type_env")};
	struct span found[sizeof names / sizeof *names];
	struct vector vector = {0};
	json_get_many(json, names, sizeof names / sizeof *names, found);
	vector.section = plain(arena, found[0]);
	vector.name = plain(arena, found[1]);
	vector.expr = plain(arena, found[2]);
	vector.bindings = found[3];
	(void)json_get(found[4], SPAN("value"), &vector.expected);
	vector.class_ = plain(arena, found[5]);
	vector.unchecked = found[6].ptr != NULL && json_is_true(found[6]);
	vector.no_macros = found[7].ptr != NULL && json_is_true(found[7]);
	vector.type_env = found[8];
	return vector;
}

/* ---- the environment: every bound or declared name is a variable ---- */

struct world {
	struct paths *paths;
	struct activation activation;
	struct arena arena;
	struct allowance values; /* where bound and expected values lie */
	struct expr_variable variables[VARIABLES_MAX];
	size_t variable_count;
};

static void declare(struct world *world, struct span name)
{
	for (size_t i = 0; i < world->variable_count; i++) {
		if (span_equal(world->variables[i].name, name)) {
			return;
		}
	}
	if (world->variable_count < VARIABLES_MAX) {
		world->variables[world->variable_count++] = (struct expr_variable){
		        .name = name, .slot = paths_root(world->paths, name)};
	}
}

static void open_world(struct world *world, const struct vector *vector)
{
	world->paths = paths_new();
	world->values.budget = INT64_MAX;
	struct span name;
	struct span value;
	if (vector->bindings.ptr != NULL) {
		struct json_iter iter = json_iter(vector->bindings);
		while (json_next_member(&iter, &name, &value)) {
			declare(world, name);
		}
	}
	if (vector->type_env.ptr != NULL) {
		struct json_iter iter = json_iter(vector->type_env);
		while (json_next_item(&iter, &value)) {
			if (json_get(value, SPAN("name"), &name)) {
				declare(world, plain(&world->arena, name));
			}
		}
	}
	activation_init(&world->activation, world->paths, 0);
}

static bool bind(struct world *world, const struct vector *vector)
{
	struct span name;
	struct span json;
	if (vector->bindings.ptr == NULL) {
		return true;
	}
	struct json_iter iter = json_iter(vector->bindings);
	while (json_next_member(&iter, &name, &json)) {
		struct value value;
		if (!typed_read(&world->values, json, &value)) {
			return false;
		}
		activation_bind(&world->activation, paths_root(world->paths, name), value);
	}
	return true;
}

static void close_world(struct world *world)
{
	activation_close(&world->activation);
	paths_free(world->paths);
	arena_close(&world->arena);
	arena_close(&world->values.arena);
}

/* ---- one vector ---- */

static void tell(const struct run *run, const struct vector *vector, struct span what)
{
	printf("FAILED %.*s/%.*s/%.*s: %.*s\n    %.*s\n", SPAN_ARG(run->file),
	       SPAN_ARG(vector->section), SPAN_ARG(vector->name), SPAN_ARG(vector->expr),
	       SPAN_ARG(what));
}

/* Appends what came instead; returns whether it is what was expected. */
static bool judge(struct world *world, const struct vector *vector, struct value value,
                  struct buf *out_got)
{
	struct value expected;
	if (value_is_error(value)) {
		value_write_error(value, out_got);
		return vector->expected.ptr == NULL;
	}
	value_write_text(&world->values, value, 200, out_got);
	buf_format(out_got, " (%s)", value_tag_name(value));
	return vector->expected.ptr != NULL &&
	       typed_read(&world->values, vector->expected, &expected) &&
	       typed_same(&world->values, value, expected);
}

static void run_vector(struct run *run, const struct vector *vector)
{
	struct world world = {0};
	struct fault fault = {0};
	struct expr *expr = NULL;
	struct buf got = {0};
	bool good = false;
	open_world(&world, vector);
	const struct expr_env env = {
	        .paths = world.paths,
	        .variables = world.variables,
	        .variable_count = world.variable_count,
	        .no_macros = vector->no_macros,
	        .unchecked = vector->unchecked,
	};
	if (expr_new(&env, vector->expr, EXPR_ANY, &expr, &fault) != 0) {
		buf_format(&got, "refused: %s", fault.text);
		good = vector->expected.ptr == NULL;
	} else if (!bind(&world, vector)) {
		BUF_LITERAL(&got, "a bound value is of a kind that does not exist here");
	} else {
		struct value value = expr_eval(expr, &world.activation, EXPR_BUDGET, NULL);
		good = judge(&world, vector, value, &got);
	}
	struct tally *tally = vector->expected.ptr != NULL ? &run->values : &run->errors;
	if (good) {
		tally->passed++;
	} else {
		tally->failed++;
		tell(run, vector, buf_view(&got));
	}
	buf_free(&got);
	expr_free(expr);
	close_world(&world);
}

static bool is_left_out(struct run *run, const struct vector *vector)
{
	for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++) {
		if (span_is(vector->class_, left_out[i].class_)) {
			run->left_out[i]++;
			return true;
		}
	}
	return run->only != NULL && strstr(vector->name.ptr, run->only) == NULL &&
	       strstr(run->file.ptr, run->only) == NULL;
}

/* ---- files ---- */

static void read_whole(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	size_t got = 1;
	while (file != NULL && got != 0 && out->len < FILE_MAX) {
		got = fread(buf_reserve(out, 65536), 1, 65536, file);
		out->len += got;
	}
	if (file != NULL) {
		(void)fclose(file);
	}
}

static int run_file(struct run *run, const char *dir, const char *name)
{
	struct buf path = {0};
	struct buf text = {0};
	struct span array;
	struct err err = {0};
	buf_format(&path, "%s/%s", dir, name);
	buf_byte(&path, '\0');
	read_whole(path.ptr, &text);
	int status = json_check(buf_view(&text), &array, &err);
	if (status != 0 || json_kind(array) != JSON_ARRAY) {
		(void)fprintf(stderr, "%s: no array of vectors: %s\n", path.ptr, err.text);
		status = -1;
	} else {
		struct span item;
		run->file = span_of(name);
		for (struct json_iter iter = json_iter(array); json_next_item(&iter, &item);) {
			struct arena arena = {0};
			struct vector vector = read_vector(&arena, item);
			if (!is_left_out(run, &vector)) {
				run_vector(run, &vector);
			}
			arena_close(&arena);
		}
	}
	buf_free(&path);
	buf_free(&text);
	return status;
}

static int is_json(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	return len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

static int run_folder(struct run *run, const char *dir)
{
	struct dirent **entries = NULL;
	int count = scandir(dir, &entries, is_json, alphasort);
	int status = 0;
	if (count < 0) {
		printf("there are no vectors in %s\n0 passed, 0 failed, 1 skipped\n", dir);
		return SKIPPED;
	}
	for (int i = 0; i < count; i++) {
		status |= run_file(run, dir, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return status;
}

int main(int argc, char **argv)
{
	struct run run = {.only = argc > 2 ? argv[2] : NULL};
	if (argc < 2) {
		(void)fprintf(stderr, "usage: vectors DIR [PART-OF-NAME]\n");
		return 2;
	}
	int status = run_folder(&run, argv[1]);
	if (status == SKIPPED) {
		return status;
	}
	for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++) {
		if (run.left_out[i] != 0) {
			printf("left out: %zu of class %s: %s\n", run.left_out[i],
			       left_out[i].class_, left_out[i].reason);
		}
	}
	printf("values: %zu passed, %zu failed\nerrors: %zu passed, %zu failed\n",
	       run.values.passed, run.values.failed, run.errors.passed, run.errors.failed);
	return status != 0 || run.values.failed + run.errors.failed != 0 || run.values.passed == 0
	               ? EXIT_FAILURE
	               : EXIT_SUCCESS;
}
