/* This file turns command lines into requests and answers into what a person reads. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/remote.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/print.h"
#include "cli/terminal.h"
#include "wire/url.h"
#include <stdio.h>
#include <time.h>

/* A request and what came of it. */
struct exchange_of {
	struct client *client;
	struct client_answer answer;
};

int remote_report(const struct err *err)
{
	(void)fprintf(stderr, "pawl: %s\n", err->text);
	return err->number == E_IO ? EXIT_UNREACHABLE : EXIT_USAGE;
}

int remote_judge(const struct client_answer *answer)
{
	if (answer->status < 400) {
		return EXIT_DONE;
	}
	print_problem(buf_view(&answer->body));
	return answer->status == 404 ? EXIT_ABSENT : EXIT_FAILED;
}

static void add_params(const struct invocation *invocation, struct buf *path)
{
	const struct option_row *row = invocation->command->options;
	char separator = memchr(path->ptr, '?', path->len) != NULL ? '&' : '?';
	for (size_t i = 0; row != NULL && row[i].name != NULL; i++) {
		const char *value = invocation->options[i];
		if (value == NULL) {
			continue;
		}
		buf_byte(path, separator);
		for (const char *name = row[i].name; *name != '\0'; name++) {
			buf_byte(path, *name == '-' ? '_' : *name);
		}
		buf_byte(path, '=');
		url_encode(row[i].value ? span_of(value) : SPAN("true"), path);
		separator = '&';
	}
}

void remote_path(const struct invocation *invocation, const char *template, struct buf *path)
{
	for (const char *at = template; *at != '\0'; at++) {
		if (*at == '{') {
			url_encode(span_of(invocation->args[at[1] - '1']), path);
			at += 2;
		} else {
			buf_byte(path, *at);
		}
	}
	add_params(invocation, path);
}

/* The engine's clock, which may be another than ours; 0: it does not say. */
static int64_t ask_now(const struct invocation *invocation)
{
	struct client_answer answer = {0};
	struct client *client = NULL;
	struct span root;
	struct span value;
	struct err err;
	int64_t now_ms = 0;
	if (client_new(&invocation->engine, &client, &err) == 0 &&
	    client_ask(client, "GET", SPAN("/v1/clock"), SPAN_NONE, &answer, &err) == 0 &&
	    answer.status < 400 && json_check(buf_view(&answer.body), &root, NULL) == 0 &&
	    json_kind(root) == JSON_OBJECT && json_get(root, SPAN("now_ms"), &value)) {
		(void)json_int64(value, &now_ms);
	}
	buf_free(&answer.body);
	client_free(client);
	return now_ms;
}

/* On a terminal times are told by how far away they are; a program finds them exact. */
static void show_table(const struct invocation *invocation, struct span list)
{
	const char *columns = invocation->command->columns;
	struct print_style style = {
	        .wide = invocation->wide,
	        .color = terminal_has_color(invocation->color),
	        .columns = terminal_width(),
	};
	if (style.columns != 0 && !style.wide && print_has_times(columns)) {
		style.now_ms = ask_now(invocation);
	}
	print_table(list, columns, &style);
}

void remote_show(const struct invocation *invocation, struct span body)
{
	const struct command *command = invocation->command;
	struct span value;
	struct span list;
	if (body.len == 0) {
		return;
	}
	if (invocation->json || json_check(body, &value, NULL) != 0) {
		printf("%.*s\n", SPAN_ARG(body));
	} else if (command->show != NULL) {
		command->show(value);
	} else if (command->list != NULL && json_kind(value) == JSON_OBJECT &&
	           json_get(value, span_of(command->list), &list)) {
		show_table(invocation, list);
		if (command->below != NULL) {
			command->below(list);
		}
	} else {
		print_json(value);
	}
}

int remote_open(const struct invocation *invocation, struct client **out)
{
	struct err err;
	return client_new(&invocation->engine, out, &err) != 0 ? remote_report(&err) : EXIT_DONE;
}

static int ask(const struct invocation *invocation, const char *method, struct span path,
               struct span body, struct client_answer *out)
{
	struct client *client;
	struct err err;
	int code = remote_open(invocation, &client);
	if (code != EXIT_DONE) {
		return code;
	}
	int status = client_ask(client, method, path, body, out, &err);
	client_free(client);
	return status != 0 ? remote_report(&err) : EXIT_DONE;
}

int remote_fetch(const struct invocation *invocation, const char *method, struct span path,
                 struct span body, struct buf *out)
{
	struct client_answer answer = {0};
	int code = ask(invocation, method, path, body, &answer);
	if (code == EXIT_DONE) {
		code = remote_judge(&answer);
	}
	if (code == EXIT_DONE) {
		buf_span(out, buf_view(&answer.body));
	}
	buf_free(&answer.body);
	return code;
}

int remote_ask(const struct invocation *invocation, const char *method, struct span path,
               struct span body)
{
	struct buf answer = {0};
	int code = remote_fetch(invocation, method, path, body, &answer);
	if (code == EXIT_DONE) {
		remote_show(invocation, buf_view(&answer));
	}
	buf_free(&answer);
	return code;
}

int remote_request(const struct invocation *invocation)
{
	const struct command *command = invocation->command;
	struct buf path = {0};
	remote_path(invocation, command->path, &path);
	struct span body = SPAN_NONE;
	if (command->body != NULL) {
		const char *given = invocation->args[command->body[0] - '1'];
		body = given ? span_of(given) : SPAN("{}");
	}
	int code = remote_ask(invocation, command->method, buf_view(&path), body);
	buf_free(&path);
	return code;
}

int remote_update(const struct invocation *invocation)
{
	struct buf path = {0};
	struct buf body = {0};
	struct err err;
	struct span ops;
	int code;
	if (json_check(span_of(invocation->args[2]), &ops, &err) != 0) {
		(void)fprintf(stderr, "pawl update: the operations are no JSON: %s\n", err.text);
		code = EXIT_USAGE;
	} else {
		remote_path(invocation, "/v1/state/{1}/{2}/update", &path);
		buf_byte(&body, '{');
		json_write_member_raw(&body, "ops", ops);
		buf_byte(&body, '}');
		code = remote_ask(invocation, "POST", buf_view(&path), buf_view(&body));
	}
	buf_free(&path);
	buf_free(&body);
	return code;
}

int remote_scopes(const struct invocation *invocation)
{
	struct client_answer answer = {0};
	int code = ask(invocation, "GET", SPAN("/v1/state"), SPAN_NONE, &answer);
	struct span groups;
	if (code == EXIT_DONE) {
		code = remote_judge(&answer);
	}
	if (code == EXIT_DONE && invocation->json) {
		printf("%.*s\n", SPAN_ARG(buf_view(&answer.body)));
	} else if (code == EXIT_DONE && json_get(buf_view(&answer.body), SPAN("groups"), &groups)) {
		struct span group;
		for (struct json_iter iter = json_iter(groups); json_next_item(&iter, &group);) {
			struct buf text = {0};
			json_string(group, &text);
			struct buf safe = {0};
			terminal_write_safe(buf_view(&text), &safe);
			printf("%.*s\n", SPAN_ARG(buf_view(&safe)));
			buf_free(&text);
			buf_free(&safe);
		}
	}
	buf_free(&answer.body);
	return code;
}
