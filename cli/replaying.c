/* This file lets a long replay go on, request by request, until all of it has been taken. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/replaying.h"

#include "base/json.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include <stdio.h>
#include <stdlib.h>

struct replaying {
	struct invocation invocation; /* ours: its --from moves on */
	size_t from_at;               /* the place of --from among the options */
	char from[24];
	uint64_t first;    /* seq */
	uint64_t next;     /* seq */
	uint64_t replayed; /* deliveries */
	uint64_t owed;
	unsigned requests;
	bool more;
	struct buf answer; /* the last one */
};

static size_t place_of(const struct command *command, const char *name)
{
	size_t at = 0;
	while (strcmp(command->options[at].name, name) != 0) {
		at++;
	}
	return at;
}

static uint64_t number(struct span object, const char *name)
{
	struct span value;
	uint64_t found = 0;
	if (json_get(object, span_of(name), &value)) {
		(void)json_uint64(value, &found);
	}
	return found;
}

static int ask(struct replaying *replay)
{
	struct buf path = {0};
	struct span root;
	struct span more;
	buf_clear(&replay->answer);
	remote_path(&replay->invocation, "/v1/replay", &path);
	int code = remote_fetch(&replay->invocation, "POST", buf_view(&path), SPAN("{}"),
	                        &replay->answer);
	if (code == EXIT_DONE && (json_check(buf_view(&replay->answer), &root, NULL) != 0 ||
	                          json_kind(root) != JSON_OBJECT)) {
		(void)fprintf(stderr, "pawl replay: this is no answer of an engine\n");
		code = EXIT_FAILED;
	}
	if (code == EXIT_DONE) {
		replay->replayed += number(root, "replayed");
		replay->owed = number(root, "still_owed");
		replay->next = number(root, "next");
		replay->more = json_get(root, SPAN("more"), &more) && json_is_true(more);
		replay->requests++;
	}
	buf_free(&path);
	return code;
}

/* Where the journal ends, if it can be told. */
static uint64_t last_seq(const struct invocation *invocation)
{
	const char *to = command_option(invocation, "to");
	struct buf answer = {0};
	struct span root;
	struct span store;
	uint64_t last = to != NULL ? strtoull(to, NULL, 10) : 0;
	if (to == NULL &&
	    remote_fetch(invocation, "GET", SPAN("/v1/status"), SPAN_NONE, &answer) == EXIT_DONE &&
	    json_check(buf_view(&answer), &root, NULL) == 0 && json_kind(root) == JSON_OBJECT &&
	    json_get(root, SPAN("store"), &store) && json_kind(store) == JSON_OBJECT) {
		last = number(store, "last_seq");
	}
	buf_free(&answer);
	return last;
}

/* One answer as it is, of several the sum. */
static void show(const struct replaying *replay)
{
	struct buf text = {0};
	if (replay->requests == 1) {
		remote_show(&replay->invocation, buf_view(&replay->answer));
		return;
	}
	buf_byte(&text, '{');
	json_write_member_uint(&text, "replayed", replay->replayed);
	json_write_member_uint(&text, "still_owed", replay->owed);
	json_write_member_bool(&text, "more", replay->more);
	json_write_member_uint(&text, "next", replay->next);
	buf_byte(&text, '}');
	remote_show(&replay->invocation, buf_view(&text));
	buf_free(&text);
}

static int go_on(struct replaying *replay)
{
	struct progress progress;
	const char *from = command_option(&replay->invocation, "from");
	replay->first = from != NULL ? strtoull(from, NULL, 10) : 1;
	progress_begin(&progress, "deliveries", 0, false);
	int code = ask(replay);
	if (code == EXIT_DONE && replay->more) {
		uint64_t last = last_seq(&replay->invocation);
		progress.total = last > replay->first ? last - replay->first + 1 : 0;
	}
	while (code == EXIT_DONE && replay->more) {
		progress_tell(&progress, replay->next - replay->first, replay->replayed);
		(void)snprintf(replay->from, sizeof replay->from, "%llu",
		               (unsigned long long)replay->next);
		replay->invocation.options[replay->from_at] = replay->from;
		code = ask(replay);
	}
	progress_clear(&progress);
	if (code == EXIT_DONE) {
		show(replay);
	} else if (replay->more) {
		(void)fprintf(stderr, "%llu deliveries are taken; go on with --from %llu\n",
		              (unsigned long long)replay->replayed,
		              (unsigned long long)replay->next);
	}
	return code;
}

int replaying_run(const struct invocation *invocation)
{
	struct replaying replay = {.invocation = *invocation};
	bool is_one = command_option(invocation, "limit") != NULL ||
	              command_option(invocation, "rate") != NULL ||
	              command_option(invocation, "dry-run") != NULL;
	if (is_one) {
		struct buf path = {0};
		remote_path(invocation, "/v1/replay", &path);
		int code = remote_ask(invocation, "POST", buf_view(&path), SPAN("{}"));
		buf_free(&path);
		return code;
	}
	replay.from_at = place_of(invocation->command, "from");
	int code = go_on(&replay);
	buf_free(&replay.answer);
	return code;
}
