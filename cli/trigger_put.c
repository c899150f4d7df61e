/* This file makes and replaces triggers of a running engine. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/trigger_put.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/remote.h"
#include "cli/trigger_file.h"
#include "wire/url.h"
#include <stdio.h>

static const char command_line[] = "(command line)";

/* The options that are members of the trigger, one to one. */
static const char *const members[] = {"type", "function", "scope", "key", "when"};

/* A trigger from options, in the form of the file. --config is the rest of it. */
static int compose(const struct invocation *invocation, struct buf *out)
{
	const char *config = command_option(invocation, "config");
	struct span rest = SPAN_NONE;
	struct span name;
	struct span value;
	struct err err;
	if (config != NULL &&
	    (json_check(span_of(config), &rest, &err) != 0 || json_kind(rest) != JSON_OBJECT)) {
		return command_wrong(invocation, "--config is a JSON object, not", config);
	}
	buf_byte(out, '{');
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const char *given = command_option(invocation, members[i]);
		if (given != NULL) {
			json_write_member_string(out, members[i], span_of(given));
		}
	}
	if (rest.ptr != NULL) {
		for (struct json_iter iter = json_iter(rest);
		     json_next_member(&iter, &name, &value);) {
			json_write_comma(out);
			buf_format(out, "\"%.*s\":", SPAN_ARG(name));
			buf_span(out, value);
		}
	}
	buf_byte(out, '}');
	return EXIT_DONE;
}

static bool has_members(const struct invocation *invocation)
{
	bool has = command_option(invocation, "config") != NULL;
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		has = has || command_option(invocation, members[i]) != NULL;
	}
	return has;
}

/* `config` gets the trigger; what is wrong has been told. */
static int read_trigger(const struct invocation *invocation, struct config *config)
{
	const char *path = command_option(invocation, "file");
	const struct trigger_names names = {.id = invocation->args[0]};
	static struct report report;
	struct buf text = {0};
	struct err err = {0};
	if ((path != NULL) == has_members(invocation)) {
		return command_wrong(invocation,
		                     "say what it is with --file, or with --function and "
		                     "the other options",
		                     NULL);
	}
	int code = path == NULL ? compose(invocation, &text) : EXIT_DONE;
	if (code == EXIT_DONE) {
		int status = path != NULL ? trigger_file_load(path, &names, config, &report, &err)
		                          : trigger_file_parse(buf_view(&text), command_line,
		                                               &names, config, &report, &err);
		if (status != 0) {
			trigger_file_complain(path ? path : command_line, &report, &err);
			code = EXIT_FAILED;
		}
	}
	report_close(&report);
	buf_free(&text);
	return code;
}

static void write_body(const struct config_trigger *trigger, struct buf *out)
{
	buf_byte(out, '{');
	json_write_member_string(out, "trigger_type", span_of(trigger->type));
	json_write_member_string(out, "function_id", span_of(trigger->function));
	if (trigger->namespace_ != NULL) {
		json_write_member_string(out, "namespace", span_of(trigger->namespace_));
	}
	json_write_member_raw(out, "config", span_of(trigger->config));
	if (trigger->metadata != NULL) {
		json_write_member_raw(out, "metadata", span_of(trigger->metadata));
	}
	buf_byte(out, '}');
}

/* Is there a trigger under this path? */
static int look(const struct invocation *invocation, struct span path, bool *out_is_there)
{
	struct client *client = NULL;
	struct client_answer answer = {0};
	struct err err;
	int code = remote_open(invocation, &client);
	if (code != EXIT_DONE) {
		return code;
	}
	if (client_ask(client, "GET", path, SPAN_NONE, &answer, &err) != 0) {
		(void)fprintf(stderr, "pawl: %s\n", err.text);
		code = EXIT_UNREACHABLE;
	}
	*out_is_there = answer.status < 400;
	buf_free(&answer.body);
	client_free(client);
	return code;
}

static int put(const struct invocation *invocation, bool is_new)
{
	struct config *config = MEM_NEW(struct config);
	struct buf path = {0};
	struct buf body = {0};
	bool is_there = false;
	int code = read_trigger(invocation, config);
	if (code == EXIT_DONE) {
		BUF_LITERAL(&path, "/v1/triggers/");
		url_encode(span_of(config->triggers[0].id), &path);
		write_body(&config->triggers[0], &body);
		code = look(invocation, buf_view(&path), &is_there);
	}
	if (code == EXIT_DONE && is_there == is_new) {
		(void)fprintf(stderr,
		              is_new ? "pawl: there is a trigger \"%s\" already; `pawl trigger "
		                       "replace` makes it anew\n"
		                     : "pawl: there is no trigger \"%s\"; `pawl trigger create` "
		                       "makes one\n",
		              config->triggers[0].id);
		code = is_new ? EXIT_FAILED : EXIT_ABSENT;
	} else if (code == EXIT_DONE) {
		code = remote_ask(invocation, "PUT", buf_view(&path), buf_view(&body));
	}
	config_free_items(config);
	mem_free(config);
	buf_free(&path);
	buf_free(&body);
	return code;
}

int trigger_put_create(const struct invocation *invocation)
{
	return put(invocation, true);
}

int trigger_put_replace(const struct invocation *invocation)
{
	return put(invocation, false);
}
