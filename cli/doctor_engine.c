/* This file examines an engine that runs, by what it says of itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/doctor_engine.h"

#include "base/clock.h"
#include "base/json.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "engine/config.h"
#include <inttypes.h>
#include <stdio.h>

enum { CLOCKS_APART_MS = 2000, NAMED_MAX = 3 };

/* ---- members of an answer ---- */

static struct span member(struct span object, const char *name)
{
	struct span value = SPAN_NONE;
	if (object.ptr != NULL && json_kind(object) == JSON_OBJECT) {
		(void)json_get(object, span_of(name), &value);
	}
	return value;
}

static uint64_t number(struct span object, const char *name)
{
	struct span value = member(object, name);
	uint64_t found = 0;
	if (value.ptr != NULL) {
		(void)json_uint64(value, &found);
	}
	return found;
}

/* The text of a member in a buffer that ends with a NUL; "" without one. */
static const char *text(struct span object, const char *name, struct buf *scratch)
{
	struct span value = member(object, name);
	buf_clear(scratch);
	if (value.ptr != NULL && json_kind(value) == JSON_STRING) {
		json_string(value, scratch);
	}
	buf_byte(scratch, '\0');
	return scratch->ptr;
}

/* ---- what /v1/status says ---- */

static void examine_state(struct span status, struct findings *findings)
{
	struct buf word = {0};
	struct buf version = {0};
	const char *said = text(status, "status", &word);
	bool is_ok = strcmp(said, "ok") == 0;
	findings_add(findings, is_ok ? FINDINGS_OK : FINDINGS_FAIL, "engine",
	             "the lines below, and the engine's log, say why", "its status is %s", said);
	const char *theirs = text(status, "version", &version);
	bool is_same = strcmp(theirs, PAWL_VERSION) == 0;
	findings_add(findings, is_same ? FINDINGS_OK : FINDINGS_WARN, "engine",
	             "restart the engine with the version that is installed",
	             "it is version %s, this program is %s", theirs, PAWL_VERSION);
	buf_free(&word);
	buf_free(&version);
}

static void examine_store(struct span status, const struct config *config,
                          struct findings *findings)
{
	struct span store = member(status, "store");
	struct span writable = member(store, "writable");
	struct buf why = {0};
	if (writable.ptr != NULL && !json_is_true(writable)) {
		findings_add(
		        findings, FINDINGS_FAIL, "store",
		        "make room on the disk or mend it; the engine goes on by itself, reads "
		        "are answered meanwhile",
		        "it refuses writes: %s", text(store, "message", &why));
	} else {
		findings_add(findings, FINDINGS_OK, "store", NULL, "it takes writes");
	}
	if (json_is_true(member(store, "volatile"))) {
		findings_add(findings, FINDINGS_WARN, "store",
		             "say store_method: file_based, if the data should last",
		             "it is in memory: nothing survives a restart");
	}
	if (number(store, "recoveries") != 0) {
		findings_add(findings, FINDINGS_WARN, "store",
		             "look for errors of the disk in the engine's log and in dmesg",
		             "a write or sync has failed %" PRIu64
		             " times since the engine was started, and was recovered from",
		             number(store, "recoveries"));
	}
	uint64_t bytes = number(store, "journal_bytes");
	uint64_t most = config ? (uint64_t)config->journal.max_bytes : 0;
	if (most != 0) {
		uint64_t percent = bytes / (most / 100 + 1);
		findings_add(
		        findings, percent >= 90 ? FINDINGS_WARN : FINDINGS_OK, "journal",
		        "some trigger holds old events back (`pawl triggers` shows what waits); "
		        "let it go on, remove it, or raise journal.max_bytes",
		        "it has %" PRIu64 " of %" PRIu64 " MiB", bytes >> 20, most >> 20);
	}
	buf_free(&why);
}

static void examine_time(struct span status, int64_t asked_ms, struct span clock,
                         struct findings *findings)
{
	struct buf kind = {0};
	int64_t theirs_ms = 0;
	struct span now = member(clock, "now_ms");
	if (strcmp(text(status, "clock", &kind), "real") != 0) {
		findings_add(findings, FINDINGS_WARN, "clock",
		             "start it without --clock, unless it is for tests",
		             "the engine's clock is %s: it stands still until it is turned",
		             text(status, "clock", &kind));
	} else if (now.ptr != NULL && json_int64(now, &theirs_ms)) {
		int64_t apart_ms =
		        theirs_ms > asked_ms ? theirs_ms - asked_ms : asked_ms - theirs_ms;
		bool is_far = apart_ms > CLOCKS_APART_MS;
		findings_add(findings, is_far ? FINDINGS_WARN : FINDINGS_OK, "clock",
		             "synchronise both machines",
		             "the engine's clock and ours are %" PRId64 " ms apart", apart_ms);
	}
	buf_free(&kind);
}

static void examine_counts(struct span status, struct findings *findings)
{
	uint64_t dead = number(status, "dead_letters");
	uint64_t unbound = number(status, "unbound_triggers");
	struct span restart = member(member(status, "config"), "needs_restart");
	struct span item;
	findings_add(findings, dead != 0 ? FINDINGS_WARN : FINDINGS_OK, "dead",
	             "`pawl dead list` says why they died, `pawl dead replay-all` tries them again",
	             "there are %" PRIu64 " dead letters", dead);
	if (unbound != 0) {
		findings_add(
		        findings, FINDINGS_WARN, "triggers",
		        "start the worker that serves them; `pawl triggers` names the functions",
		        "the functions of %" PRIu64 " triggers have never been offered", unbound);
	}
	if (restart.ptr != NULL && json_kind(restart) == JSON_ARRAY) {
		struct json_iter iter = json_iter(restart);
		if (json_next_item(&iter, &item)) {
			findings_add(findings, FINDINGS_WARN, "config",
			             "restart the engine when it suits",
			             "changes wait for a restart: %.*s", SPAN_ARG(restart));
		}
	}
}

/* ---- triggers and functions ---- */

/* Names those of a list whose member is this text (NULL: any), as "a, b and 4 more". */
static uint64_t name_some(struct span list, const char *id, const char *name, const char *wanted,
                          struct buf *out)
{
	struct buf value = {0};
	struct buf title = {0};
	struct span item;
	uint64_t count = 0;
	for (struct json_iter iter = json_iter(list); json_next_item(&iter, &item);) {
		const char *found = text(item, name, &value);
		if (found[0] == '\0' || (wanted != NULL && strcmp(found, wanted) != 0)) {
			continue;
		}
		if (count++ < NAMED_MAX) {
			buf_format(out, "%s%s", out->len == 0 ? "" : ", ", text(item, id, &title));
		}
	}
	if (count > NAMED_MAX) {
		buf_format(out, " and %" PRIu64 " more", count - NAMED_MAX);
	}
	buf_byte(out, '\0');
	buf_free(&value);
	buf_free(&title);
	return count;
}

/* One list of the engine in which something may stand still. */
static const struct still_row {
	const char *path;
	const char *list;
	const char *id;
	const char *member;
	const char *wanted;
	const char *topic;
	const char *what;
	const char *advice;
} still_rows[] = {
        {"/v1/triggers", "registered_triggers", "id", "status", "paused", "triggers",
         "are paused: nothing of theirs is delivered",
         "`pawl trigger show ID` says since when and why, `pawl trigger resume ID` lets it go on"},
        {"/v1/functions", "functions", "function_id", "disabled", NULL, "functions",
         "are disabled: nobody is called", "mend the endpoint, then `pawl enable FUNCTION`"},
};

static void examine_still(struct client *client, const struct still_row *row,
                          struct findings *findings)
{
	struct client_answer answer = {0};
	struct buf names = {0};
	struct span root;
	struct span list;
	struct err err;
	if (client_ask(client, "GET", span_of(row->path), SPAN_NONE, &answer, &err) != 0 ||
	    answer.status >= 400 || json_check(buf_view(&answer.body), &root, NULL) != 0) {
		findings_add(findings, FINDINGS_WARN, row->topic, "look at the rights of the token",
		             "%s was not answered", row->path);
	} else {
		list = member(root, row->list);
		uint64_t count =
		        list.ptr == NULL || json_kind(list) != JSON_ARRAY
		                ? 0
		                : name_some(list, row->id, row->member, row->wanted, &names);
		findings_add(findings, count != 0 ? FINDINGS_WARN : FINDINGS_OK, row->topic,
		             row->advice, "%" PRIu64 " %s%s%s", count, row->what,
		             count != 0 ? ": " : "", count != 0 ? names.ptr : "");
	}
	buf_free(&answer.body);
	buf_free(&names);
}

/* ---- the whole ---- */

static void examine_answers(struct client *client, struct span status, const struct config *config,
                            struct findings *findings)
{
	struct client_answer clock = {0};
	struct span value = SPAN_NONE;
	struct err err;
	examine_state(status, findings);
	examine_store(status, config, findings);
	int64_t asked_ms = clock_wall_ms();
	if (client_ask(client, "GET", SPAN("/v1/clock"), SPAN_NONE, &clock, &err) == 0 &&
	    clock.status < 400) {
		(void)json_check(buf_view(&clock.body), &value, NULL);
	}
	examine_time(status, asked_ms, value, findings);
	buf_free(&clock.body);
	examine_counts(status, findings);
	for (size_t i = 0; i < sizeof still_rows / sizeof *still_rows; i++) {
		examine_still(client, &still_rows[i], findings);
	}
}

/* Where the configuration's engine is, if nobody named another. */
static void choose_engine(const struct config *config, struct client_options *options,
                          struct buf *url)
{
	bool is_named = strcmp(options->link.url, command_common_default("url")) != 0;
	if (is_named || config == NULL) {
		return;
	}
	const char *host = config->listen_host;
	if (host == NULL) { /* not on a plain port */
		if (config->unix_.path != NULL) {
			buf_format(url, "unix:%s", config->unix_.path);
			buf_byte(url, '\0');
			options->link.url = url->ptr;
		}
		return;
	}
	bool is_any = strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
	bool is_v6 = !is_any && strchr(host, ':') != NULL;
	buf_format(url, "http://%s%s%s:%u", is_v6 ? "[" : "", is_any ? "127.0.0.1" : host,
	           is_v6 ? "]" : "", (unsigned)config->listen_port);
	buf_byte(url, '\0');
	options->link.url = url->ptr;
}

void doctor_engine_examine(const struct invocation *invocation, const struct config *config,
                           bool is_held, struct findings *findings)
{
	struct client_options options = invocation->engine;
	struct client *client = NULL;
	struct client_answer answer = {0};
	struct buf url = {0};
	struct span status;
	struct err err;
	choose_engine(config, &options, &url);
	if (client_new(&options, &client, &err) != 0 ||
	    client_ask(client, "GET", SPAN("/v1/status"), SPAN_NONE, &answer, &err) != 0) {
		findings_add(findings, is_held ? FINDINGS_FAIL : FINDINGS_WARN, "engine",
		             is_held ? "look at its log, and whether this is its address"
		                     : "start it with `pawl run`, or name another with --url",
		             "%s%s", is_held ? "an engine has the data directory, but: " : "",
		             err.text);
	} else if (answer.status >= 400 ||
	           json_check_object(buf_view(&answer.body), NULL, 0, NULL, NULL) != 0) {
		bool is_denied = answer.status == 401 || answer.status == 403;
		findings_add(findings, FINDINGS_FAIL, "engine",
		             is_denied ? "give a token that may look at the engine"
		                       : "look whether this is the address of an engine",
		             "%s answers with status %d", options.link.url, answer.status);
	} else {
		(void)json_check(buf_view(&answer.body), &status, NULL);
		findings_add(findings, FINDINGS_OK, "engine", NULL, "it answers at %s",
		             options.link.url);
		examine_answers(client, status, config, findings);
	}
	buf_free(&answer.body);
	buf_free(&url);
	client_free(client);
}
