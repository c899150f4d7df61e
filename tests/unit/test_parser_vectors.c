/* This file tests that every expression of the public suite that means something can be parsed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "parse_copy.h"

#include <dirent.h>
#include <stdio.h>

static const char suite_dir[] = VECTORS_DIR "/cel";

static char *read_whole(const char *name, size_t *out_len)
{
	char path[4096];
	(void)snprintf(path, sizeof path, "%s/%s", suite_dir, name);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	enum { MOST = 4 << 20 };
	char *bytes = malloc(MOST);
	assert_non_null(bytes);
	*out_len = fread(bytes, 1, MOST, file);
	assert_true(*out_len < MOST);
	(void)fclose(file);
	return bytes;
}

/* Messages, containers and the like are outside the subset; an error may be one of syntax. */
static bool must_parse(struct span vector)
{
	static const char *const CLASSES[] = {"core",          "ext_strings",  "ext_math",
	                                      "ext_optionals", "ext_bindings", "ext_macros2",
	                                      "ext_encoders"};
	struct span class = SPAN_NONE;
	struct span expect = SPAN_NONE;
	struct span error = SPAN_NONE;
	assert_true(json_get(vector, SPAN("class"), &class));
	if (json_get(vector, SPAN("expect"), &expect) && json_get(expect, SPAN("error"), &error)) {
		return false;
	}
	for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++) {
		if (json_string_is(class, span_of(CLASSES[i]))) {
			return true;
		}
	}
	return false;
}

static void parse_vector(struct span vector)
{
	struct span value = SPAN_NONE;
	struct span no_macros = SPAN_NONE;
	struct buf text = {0};
	assert_true(json_get(vector, SPAN("expr"), &value));
	json_string(value, &text);
	struct parser_options options = {
	        .no_macros = json_get(vector, SPAN("disable_macros"), &no_macros) &&
	                     json_is_true(no_macros)};
	struct arena arena = {0};
	struct fault fault = {0};
	if (parse_copy(buf_view(&text), &options, &arena, &fault) == NULL) {
		fail_msg("%.*s: %s (%zu)", SPAN_ARG(buf_view(&text)), fault.text, fault.at);
	}
	arena_close(&arena);
	buf_free(&text);
}

static size_t parse_file(const char *name)
{
	size_t len = 0;
	char *bytes = read_whole(name, &len);
	struct span whole = SPAN_NONE;
	struct span vector = SPAN_NONE;
	size_t count = 0;
	assert_int_equal(json_check(span_make(bytes, len), &whole, NULL), 0);
	for (struct json_iter iter = json_iter(whole); json_next_item(&iter, &vector);) {
		if (must_parse(vector)) {
			parse_vector(vector);
			count++;
		}
	}
	free(bytes);
	return count;
}

static void every_vector_parses(void **state)
{
	(void)state;
	DIR *dir = opendir(suite_dir);
	assert_non_null(dir);
	size_t count = 0;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (strstr(entry->d_name, ".json") != NULL) {
			count += parse_file(entry->d_name);
		}
	}
	(void)closedir(dir);
	print_message("%zu expressions\n", count);
	assert_true(count > 100);
}

int main(void)
{
	DIR *dir = opendir(suite_dir);
	if (dir == NULL) {
		print_message("%s is not here\n", suite_dir);
		return 77;
	}
	(void)closedir(dir);
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_vector_parses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
