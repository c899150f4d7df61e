/* This file proves that docs/http.md lists the routes as the table has them; --write makes it so.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "engine/api/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DOC   SOURCE_DIR "/docs/http.md"
#define BEGIN "<!-- made of the table of routes: build/tests/test_http_doc --write -->\n"
#define END   "<!-- end -->\n"

static void read_doc(struct buf *out)
{
	char bytes[4096];
	FILE *file = fopen(DOC, "rb");
	assert_non_null(file);
	for (size_t got; (got = fread(bytes, 1, sizeof bytes, file)) > 0;) {
		buf_add(out, bytes, got);
	}
	(void)fclose(file);
	buf_byte(out, '\0');
}

static void list_routes(struct buf *out)
{
	size_t count;
	const struct route *routes = route_table(&count);
	buf_format(out, "| request | | function | query |\n| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < count; i++) {
		const struct route *route = &routes[i];
		buf_format(out, "| `%s %s` | %s | ", route->method, route->path, route->summary);
		if (route->function != NULL) {
			buf_format(out, "`%s`", route->function);
		}
		buf_format(out, " | ");
		if (route->params != NULL) {
			buf_format(out, "`%s`", route->params);
		}
		buf_format(out, " |\n");
	}
}

/* The document as it should be. */
static void compose(const char *doc, struct buf *out)
{
	const char *begin = strstr(doc, BEGIN);
	const char *end = strstr(doc, END);
	assert_non_null(begin);
	assert_non_null(end);
	buf_add(out, doc, (size_t)(begin - doc) + strlen(BEGIN));
	list_routes(out);
	buf_add(out, end, strlen(end));
	buf_byte(out, '\0');
}

static void test_the_doc_lists_the_routes(void **state)
{
	(void)state;
	struct buf doc = {0};
	struct buf wanted = {0};
	read_doc(&doc);
	compose(doc.ptr, &wanted);
	if (strcmp(doc.ptr, wanted.ptr) != 0) {
		fail_msg("docs/http.md is behind: build/tests/test_http_doc --write");
	}
	buf_free(&doc);
	buf_free(&wanted);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--write") == 0) {
		struct buf doc = {0};
		struct buf wanted = {0};
		read_doc(&doc);
		compose(doc.ptr, &wanted);
		FILE *file = fopen(DOC, "wb");
		bool good = file && fwrite(wanted.ptr, wanted.len - 1, 1, file) == 1;
		good = file && fclose(file) == 0 && good;
		buf_free(&doc);
		buf_free(&wanted);
		return good ? 0 : 1;
	}
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_doc_lists_the_routes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
