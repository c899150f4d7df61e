/* This file runs the commands that show events: those of the past, and those that come. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/follow.h"

#include "base/buf.h"
#include "base/json.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/remote.h"
#include "cli/terminal.h"
#include "wire/sse_reader.h"
#include "wire/url.h"
#include <stdio.h>
#include <time.h>

enum { EVENT_MAX = 32 << 20, RETRY_MS = 1000 };

/* ---- printing ---- */

/* Appends the member, a text or any other value, and a space. */
static void add_member(struct span object, const char *name, struct buf *line)
{
	struct span value;
	struct buf text = {0};
	if (json_get(object, span_of(name), &value)) {
		if (json_kind(value) == JSON_STRING) {
			json_string(value, &text);
		} else {
			json_compact(value, &text);
		}
	}
	terminal_write_safe(buf_view(&text), line);
	buf_byte(line, ' ');
	buf_free(&text);
}

static void print_members(struct span object, const char *first, const char *const *members)
{
	struct buf line = {0};
	if (first != NULL) {
		buf_format(&line, "%s ", first);
	}
	for (; *members != NULL; members++) {
		add_member(object, *members, &line);
	}
	printf("%.*s\n", (int)(line.len - 1), line.ptr);
	buf_free(&line);
}

static void print_event(struct span event, bool as_json)
{
	static const char *const members[] = {"time", "id",        "event_type", "scope",
	                                      "key",  "new_value", NULL};
	if (as_json) {
		printf("%.*s\n", SPAN_ARG(event));
	} else {
		print_members(event, NULL, members);
	}
}

/* What is no change: records of a snapshot, where it begins and ends, a condition that failed. */
static void print_other(const struct sse_event *event, bool as_json)
{
	static const char *const record[] = {"rev", "scope", "key", "value", NULL};
	static const char *const end[] = {"id", "records", NULL};
	static const char *const nothing[] = {"scope", "prefix", NULL};
	if (as_json) {
		struct buf line = {0};
		buf_byte(&line, '{');
		json_write_member_string(&line, "type", event->name);
		buf_byte(&line, ',');
		buf_add(&line, event->data.ptr + 1, event->data.len - 1);
		printf("%.*s\n", SPAN_ARG(buf_view(&line)));
		buf_free(&line);
	} else if (span_is(event->name, "snapshot")) {
		print_members(event->data, "snapshot", record);
	} else if (span_is(event->name, "snapshot_end")) {
		print_members(event->data, "snapshot_end", end);
	} else {
		print_members(event->data, "snapshot_begin", nothing);
	}
}

static void complain(struct span data)
{
	struct buf line = {0};
	add_member(data, "seq", &line);
	add_member(data, "detail", &line);
	(void)fprintf(stderr, "pawl: the condition failed at event %.*s\n",
	              SPAN_ARG(buf_view(&line)));
	buf_free(&line);
}

/* ---- a stream that is taken up again and again ---- */

struct stream_of {
	const struct invocation *invocation;
	struct sse_reader reader;
	struct err err;       /* an event that cannot be read */
	bool has_begun;       /* it was there once */
	bool is_reconnecting; /* that was said */
};

static bool took_event(void *ctx, const struct sse_event *event)
{
	struct stream_of *own = ctx;
	bool as_json = own->invocation->json;
	struct span data;
	own->has_begun = true;
	own->is_reconnecting = false;
	if (json_check(event->data, &data, NULL) != 0 || json_kind(data) != JSON_OBJECT ||
	    span_is(event->name, "ready")) {
		return true;
	}
	if (span_is(event->name, "message")) {
		print_event(data, as_json);
	} else if (span_is(event->name, "condition_error")) {
		complain(data);
	} else if (span_starts_with(event->name, SPAN("snapshot")) && data.len > 2) {
		const struct sse_event other = {.name = event->name, .data = data};
		print_other(&other, as_json);
	}
	return true;
}

static bool took_piece(void *ctx, struct span piece)
{
	struct stream_of *own = ctx;
	int status = sse_reader_feed(&own->reader, piece, &own->err);
	(void)fflush(stdout);
	return status == 0 && ferror(stdout) == 0;
}

static void wait_to_retry(struct stream_of *own)
{
	int64_t ms = own->reader.retry_ms != 0 ? own->reader.retry_ms : RETRY_MS;
	const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	if (!own->is_reconnecting) {
		own->is_reconnecting = true;
		(void)fprintf(stderr, "pawl: the stream was cut off; it is taken up again\n");
	}
	(void)nanosleep(&pause, NULL);
}

/* One connection. EXIT_DONE: another one is to be made. */
static int run_once(struct stream_of *own, struct client *client, struct span path)
{
	struct buf headers = {0};
	BUF_LITERAL(&headers, "Accept: text/event-stream\r\n");
	sse_reader_restart(&own->reader);
	if (own->reader.id.len != 0) {
		buf_format(&headers, "Last-Event-ID: %.*s\r\n",
		           SPAN_ARG(buf_view(&own->reader.id)));
	}
	const struct client_request request = {.method = "GET",
	                                       .path = path,
	                                       .headers = buf_view(&headers),
	                                       .piece = took_piece,
	                                       .piece_ctx = own};
	struct client_answer answer = {0};
	struct err err = {0};
	int failed = client_send(client, &request, &answer, &err);
	int code = EXIT_DONE;
	if (failed == 0 && answer.is_abandoned) {
		code = own->err.number != 0 ? remote_report(&own->err) : EXIT_FAILED;
	} else if (failed != 0 && !own->has_begun) {
		code = remote_report(&err);
	} else if (failed == 0 && answer.status >= 400 &&
	           !(answer.status == 503 && own->has_begun)) {
		code = remote_judge(&answer);
	}
	buf_free(&headers);
	buf_free(&answer.body);
	return code;
}

static int follow(const struct invocation *invocation, struct client *client, struct span path)
{
	struct stream_of own = {.invocation = invocation};
	own.reader.event = took_event;
	own.reader.ctx = &own;
	own.reader.max_bytes = EVENT_MAX;
	int code = run_once(&own, client, path);
	while (code == EXIT_DONE) {
		wait_to_retry(&own);
		code = run_once(&own, client, path);
	}
	sse_reader_close(&own.reader);
	return code;
}

/* Appends those that are given as parameters of a query. */
static void add_options(const struct invocation *invocation, const char *const names[],
                        size_t count, struct buf *path)
{
	for (size_t i = 0; i < count; i++) {
		const char *value = command_option(invocation, names[i]);
		if (value != NULL) {
			bool is_first = memchr(path->ptr, '?', path->len) == NULL;
			bool is_flag = strcmp(names[i], "snapshot") == 0;
			buf_format(path, "%c%s=", is_first ? '?' : '&', names[i]);
			url_encode(is_flag ? SPAN("true") : span_of(value), path);
		}
	}
}

int follow_watch(const struct invocation *invocation)
{
	static const char *const names[] = {"prefix", "when", "events", "since", "snapshot"};
	struct client *client;
	int code = remote_open(invocation, &client);
	if (code != EXIT_DONE) {
		return code;
	}
	struct buf path = {0};
	BUF_LITERAL(&path, "/v1/watch?scope=");
	url_encode(span_of(invocation->args[0] != NULL ? invocation->args[0] : ""), &path);
	add_options(invocation, names, sizeof names / sizeof *names, &path);
	code = follow(invocation, client, buf_view(&path));
	buf_free(&path);
	client_free(client);
	return code;
}

/* ---- events of the past ---- */

/* Prints a page; *out_last is the seq up to which it came. */
static int print_page(const struct invocation *invocation, struct client *client,
                      uint64_t *out_last)
{
	static const struct span names[2] = {{"events", 6}, {"next", 4}};
	static const char *const params[] = {"since", "limit", "scope"};
	struct client_answer answer = {0};
	struct buf path = {0};
	struct err err;
	BUF_LITERAL(&path, "/v1/events");
	add_options(invocation, params, sizeof params / sizeof *params, &path);
	int code = client_ask(client, "GET", buf_view(&path), SPAN_NONE, &answer, &err) != 0
	                   ? remote_report(&err)
	                   : remote_judge(&answer);
	struct span found[2];
	if (code == EXIT_DONE &&
	    json_check_object(buf_view(&answer.body), names, 2, found, NULL) == 0) {
		struct span event;
		for (struct json_iter iter = json_iter(found[0]); json_next_item(&iter, &event);) {
			print_event(event, invocation->json);
		}
		(void)fflush(stdout);
		uint64_t next = 1;
		(void)json_uint64(found[1], &next);
		*out_last = next - 1;
	}
	buf_free(&path);
	buf_free(&answer.body);
	return code;
}

/* A scope of /v1/events is exact, one of /v1/watch is a glob. */
static void add_exact(const char *scope, struct buf *path)
{
	struct buf glob = {0};
	for (const char *at = scope; *at != '\0'; at++) {
		if (strchr("*?[]\\", *at) != NULL) {
			buf_byte(&glob, '\\');
		}
		buf_byte(&glob, *at);
	}
	BUF_LITERAL(path, "&scope=");
	url_encode(buf_view(&glob), path);
	buf_free(&glob);
}

int follow_events(const struct invocation *invocation)
{
	struct client *client;
	const char *scope = command_option(invocation, "scope");
	uint64_t last = 0;
	int code = remote_open(invocation, &client);
	if (code != EXIT_DONE) {
		return code;
	}
	code = print_page(invocation, client, &last);
	if (code == EXIT_DONE && command_option(invocation, "follow") != NULL) {
		struct buf path = {0};
		buf_format(&path, "/v1/watch?events=all&since=%llu", (unsigned long long)last);
		if (scope != NULL) {
			add_exact(scope, &path);
		}
		code = follow(invocation, client, buf_view(&path));
		buf_free(&path);
	}
	client_free(client);
	return code;
}
