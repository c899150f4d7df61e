/* This file writes what an engine's scopes hold into a file, one line of JSON a key. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/export.h"

#include "base/buf.h"
#include "base/json.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "wire/url.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { PAGE = 1000 };

struct export
{
	struct client *client;
	struct progress progress;
	const char *prefix;
	FILE *file;
	uint64_t count;
};

/* An object of an answer; `answer->body` has its text. */
static int ask(struct export *export, struct span path, struct client_answer *answer,
               struct span *out)
{
	struct err err;
	if (client_ask(export->client, "GET", path, SPAN_NONE, answer, &err) != 0) {
		progress_clear(&export->progress);
		(void)fprintf(stderr, "pawl: %s\n", err.text);
		return EXIT_UNREACHABLE;
	}
	if (answer->status >= 400) {
		progress_clear(&export->progress);
		print_problem(buf_view(&answer->body));
		return EXIT_FAILED;
	}
	if (json_check(buf_view(&answer->body), out, &err) != 0 || json_kind(*out) != JSON_OBJECT) {
		progress_clear(&export->progress);
		(void)fprintf(stderr, "pawl export: this is no answer of an engine\n");
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

/* ---- one scope ---- */

static void write_line(struct export *export, struct span scope, struct span item, struct buf *line)
{
	static const struct span names[] = {
	        {"key", 3}, {"value", 5}, {"encoding", 8}, {"rev", 3}, {"expires_at", 10}};
	enum { NAMES = sizeof names / sizeof *names };
	struct span found[NAMES];
	json_get_many(item, names, NAMES, found);
	buf_clear(line);
	buf_byte(line, '{');
	json_write_member_raw(line, "scope", scope);
	for (size_t i = 0; i < NAMES; i++) {
		if (found[i].ptr != NULL) {
			json_write_member_raw(line, names[i].ptr, found[i]);
		}
	}
	BUF_LITERAL(line, "}\n");
	(void)fwrite(line->ptr, 1, line->len, export->file);
	export->count++;
}

/* The first page has an empty cursor. */
static void write_path(const struct export *export, struct span scope, struct span cursor,
                       struct buf *path)
{
	buf_clear(path);
	BUF_LITERAL(path, "/v1/state/");
	url_encode(scope, path);
	buf_format(path, "?with_keys=true&limit=%d", PAGE);
	if (export->prefix != NULL) {
		BUF_LITERAL(path, "&prefix=");
		url_encode(span_of(export->prefix), path);
	}
	if (cursor.len != 0) {
		BUF_LITERAL(path, "&cursor=");
		url_encode(cursor, path);
	}
}

static int export_scope(struct export *export, struct span scope)
{
	struct buf path = {0};
	struct buf cursor = {0};
	struct buf line = {0};
	struct buf quoted = {0};
	bool more = true;
	int code = EXIT_DONE;
	json_write_string(&quoted, scope);
	while (code == EXIT_DONE && more) {
		struct client_answer answer = {0};
		struct span root;
		struct span value;
		struct span item;
		write_path(export, scope, buf_view(&cursor), &path);
		code = ask(export, buf_view(&path), &answer, &root);
		more = false;
		buf_clear(&cursor);
		if (code == EXIT_DONE && json_get(root, SPAN("items"), &value)) {
			for (struct json_iter iter = json_iter(value);
			     json_next_item(&iter, &item);) {
				write_line(export, buf_view(&quoted), item, &line);
			}
		}
		if (code == EXIT_DONE && json_get(root, SPAN("cursor"), &value) &&
		    json_kind(value) == JSON_STRING) {
			json_string(value, &cursor);
			more = true;
		}
		buf_free(&answer.body);
		progress_tell(&export->progress, 0, export->count);
	}
	buf_free(&path);
	buf_free(&cursor);
	buf_free(&line);
	buf_free(&quoted);
	return code;
}

static int export_all(struct export *export)
{
	struct client_answer answer = {0};
	struct buf scope = {0};
	struct span root;
	struct span groups;
	struct span group;
	int code = ask(export, SPAN("/v1/state"), &answer, &root);
	if (code == EXIT_DONE && json_get(root, SPAN("groups"), &groups)) {
		for (struct json_iter iter = json_iter(groups);
		     code == EXIT_DONE && json_next_item(&iter, &group);) {
			buf_clear(&scope);
			json_string(group, &scope);
			code = export_scope(export, buf_view(&scope));
		}
	}
	buf_free(&scope);
	buf_free(&answer.body);
	return code;
}

/* ---- the file ---- */

static int fail_file(const char *path)
{
	(void)fprintf(stderr, "pawl export: %s: %s\n", path, strerror(errno));
	return EXIT_FAILED;
}

/* What was written lasts, under its name; a part of it is nobody's export. */
static int finish_file(struct export *export, const char *path, const char *part, bool is_whole)
{
	bool is_good = ferror(export->file) == 0 && fflush(export->file) == 0;
	if (path == NULL) {
		return is_good ? EXIT_DONE : fail_file("standard output");
	}
	if (!is_whole) {
		(void)fclose(export->file);
		(void)unlink(part);
		return EXIT_FAILED;
	}
	is_good = is_good && fdatasync(fileno(export->file)) == 0;
	int broken = errno;
	is_good = fclose(export->file) == 0 && is_good;
	if (!is_good) {
		errno = broken;
		return fail_file(part);
	}
	return rename(part, path) == 0 ? EXIT_DONE : fail_file(path);
}

int export_run(const struct invocation *invocation)
{
	const char *output = command_option(invocation, "output");
	const char *path = output != NULL && strcmp(output, "-") != 0 ? output : NULL;
	const char *scope = command_option(invocation, "scope");
	struct export export = {.prefix = command_option(invocation, "prefix"), .file = stdout};
	struct buf part = {0};
	int code = remote_open(invocation, &export.client);
	if (code != EXIT_DONE) {
		return code;
	}
	if (path != NULL) {
		buf_format(&part, "%s.part", path);
		buf_byte(&part, '\0');
		export.file = fopen(part.ptr, "we");
	}
	if (export.file == NULL) {
		code = fail_file(part.ptr);
	} else {
		progress_begin(&export.progress, "keys", 0,
		               command_option(invocation, "quiet") != NULL);
		code = scope ? export_scope(&export, span_of(scope)) : export_all(&export);
		int finished = finish_file(&export, path, part.ptr, code == EXIT_DONE);
		if (code == EXIT_DONE && finished == EXIT_DONE) {
			progress_end(&export.progress, export.count, "written");
		}
		code = code == EXIT_DONE ? finished : code;
	}
	client_free(export.client);
	buf_free(&part);
	return code;
}
