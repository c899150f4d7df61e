/* This file writes many keys into an engine: collected, many in one transaction. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/upload.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/print.h"
#include "cli/remote.h"
#include "cli/terminal.h"
#include "triggers/expr/moment_read.h"
#include <stdio.h>

/* An engine takes 8 MiB of keys and values in a transaction, if it is not configured for less. */
enum { BATCH_BYTES = 4 << 20, TOLD_MAX = 20, TRIES = 5 };

/* Where the pieces of one key stand in the upload's buffers. */
struct item {
	const char *from;
	uint64_t line;
	uint64_t hash;   /* of scope and key */
	size_t names_at; /* "scope":...,"key":... */
	size_t names_len;
	size_t rest_at; /* ,"value":...,"encoding":...,"expires_at":... */
	size_t rest_len;
	bool is_there; /* it was found; it stays as it is */
};

struct upload {
	struct upload_options options;
	struct client *client;
	struct item items[UPLOAD_BATCH_MAX];
	size_t count;
	struct buf names;
	struct buf rest;
	struct buf body;
	struct upload_sum sum;
};

int upload_open(const struct invocation *invocation, const struct upload_options *options,
                struct upload **out)
{
	struct client *client = NULL;
	int code = remote_open(invocation, &client);
	if (code == EXIT_DONE) {
		*out = MEM_NEW(struct upload);
		(*out)->options = *options;
		(*out)->client = client;
	}
	return code;
}

void upload_close(struct upload *upload)
{
	if (upload != NULL) {
		client_free(upload->client);
		buf_free(&upload->names);
		buf_free(&upload->rest);
		buf_free(&upload->body);
		mem_free(upload);
	}
}

struct upload_sum upload_sum(const struct upload *upload)
{
	return upload->sum;
}

/* ---- errors ---- */

void upload_refuse(struct upload *upload, const char *from, uint64_t line, const char *why)
{
	upload->sum.failed++;
	if (upload->sum.failed > TOLD_MAX) {
		return;
	}
	progress_clear(upload->options.progress);
	struct buf safe = {0};
	terminal_write_safe(span_of(why), &safe);
	(void)fprintf(stderr, "%s %llu: %.*s\n", from, (unsigned long long)line,
	              SPAN_ARG(buf_view(&safe)));
	buf_free(&safe);
	if (upload->sum.failed == TOLD_MAX) {
		(void)fprintf(stderr, "further errors are only counted\n");
	}
}

/* The member of a problem document, "" when it has none. */
static struct span problem_text(struct span problem, const char *name, struct buf *scratch)
{
	struct span root;
	struct span value;
	buf_clear(scratch);
	if (json_check(problem, &root, NULL) == 0 && json_kind(root) == JSON_OBJECT &&
	    json_get(root, span_of(name), &value) && json_kind(value) == JSON_STRING) {
		json_string(value, scratch);
	}
	return buf_view(scratch);
}

static void refuse_item(struct upload *upload, const struct item *item, struct span problem)
{
	struct buf text = {0};
	(void)problem_text(problem, "detail", &text);
	buf_byte(&text, '\0');
	upload_refuse(upload, item->from, item->line, text.ptr);
	buf_free(&text);
}

static int stop(struct upload *upload, const struct client_answer *answer, const struct err *err)
{
	progress_clear(upload->options.progress);
	if (answer == NULL) {
		(void)fprintf(stderr, "pawl: %s\n", err->text);
		return EXIT_UNREACHABLE;
	}
	print_problem(buf_view(&answer->body));
	return EXIT_FAILED;
}

/* ---- one transaction ---- */

static void write_item(const struct upload *upload, const struct item *item, struct buf *out)
{
	buf_byte(out, '{');
	if (upload->options.only_absent) {
		BUF_LITERAL(out, "\"type\":\"set\",\"if_rev\":\"0\",");
	} else {
		BUF_LITERAL(out, "\"type\":\"set\",");
	}
	buf_add(out, upload->names.ptr + item->names_at, item->names_len);
	buf_add(out, upload->rest.ptr + item->rest_at, item->rest_len);
	buf_byte(out, '}');
}

/* Marks the items from..to that are there already. */
static int look(struct upload *upload, size_t from, size_t to)
{
	struct buf *body = &upload->body;
	struct client_answer answer = {0};
	struct span root;
	struct span list;
	struct span found;
	struct err err;
	buf_clear(body);
	BUF_LITERAL(body, "{\"items\":[");
	for (size_t i = from; i < to; i++) {
		const struct item *item = &upload->items[i];
		buf_format(body, "%s{", i == from ? "" : ",");
		buf_add(body, upload->names.ptr + item->names_at, item->names_len);
		buf_byte(body, '}');
	}
	BUF_LITERAL(body, "]}");
	if (client_ask(upload->client, "POST", SPAN("/v1/state:get-many"), buf_view(body), &answer,
	               &err) != 0) {
		return stop(upload, NULL, &err);
	}
	int code = EXIT_DONE;
	if (answer.status >= 500) {
		code = stop(upload, &answer, NULL);
	} else if (answer.status < 400 && json_check(buf_view(&answer.body), &root, NULL) == 0 &&
	           json_kind(root) == JSON_OBJECT && json_get(root, SPAN("items"), &list)) {
		size_t i = from;
		for (struct json_iter iter = json_iter(list);
		     i < to && json_next_item(&iter, &found); i++) {
			upload->items[i].is_there = json_kind(found) == JSON_OBJECT;
		}
	} /* what is wrong with a key the transaction will say */
	buf_free(&answer.body);
	return code;
}

/* How many were asked to be written; 0: there is nothing to ask. */
static size_t compose(struct upload *upload, size_t from, size_t to)
{
	size_t count = 0;
	buf_clear(&upload->body);
	BUF_LITERAL(&upload->body, "{\"ops\":[");
	for (size_t i = from; i < to; i++) {
		if (!upload->items[i].is_there) {
			BUF_LITERAL(&upload->body, ",");
			upload->body.len -= count == 0;
			write_item(upload, &upload->items[i], &upload->body);
			count++;
		}
	}
	BUF_LITERAL(&upload->body, "]}");
	return count;
}

static bool is_conflict(struct span problem)
{
	struct buf text = {0};
	bool is = span_is(problem_text(problem, "code", &text), "rev_conflict");
	buf_free(&text);
	return is;
}

/* Writes from..to; *out_refused says that the engine took none of them. */
static int transact(struct upload *upload, size_t from, size_t to, struct client_answer *answer,
                    bool *out_refused)
{
	struct err err;
	*out_refused = false;
	for (int attempt = 0;; attempt++) {
		int code = upload->options.only_absent ? look(upload, from, to) : EXIT_DONE;
		size_t count = code == EXIT_DONE ? compose(upload, from, to) : 0;
		if (count == 0) {
			upload->sum.there += code == EXIT_DONE ? to - from : 0;
			return code;
		}
		buf_free(&answer->body);
		if (client_ask(upload->client, "POST", SPAN("/v1/state:transact"),
		               buf_view(&upload->body), answer, &err) != 0) {
			return stop(upload, NULL, &err);
		}
		if (answer->status < 400) {
			upload->sum.written += count;
			upload->sum.there += to - from - count;
			return EXIT_DONE;
		}
		/* Somebody else made one of them after we had looked. */
		bool again = upload->options.only_absent && answer->status == 409 &&
		             is_conflict(buf_view(&answer->body));
		if (!again || attempt == TRIES) {
			*out_refused = true;
			return EXIT_DONE;
		}
	}
}

/* Of what was refused, one half after the other, until the item at fault stands alone. */
static int write_range(struct upload *upload, size_t from, size_t to)
{
	struct client_answer answer = {0};
	bool refused = false;
	int code = transact(upload, from, to, &answer, &refused);
	if (code == EXIT_DONE && refused) {
		bool is_ours = answer.status < 500 && answer.status != 401 &&
		               answer.status != 403 && answer.status != 429;
		if (!is_ours) {
			code = stop(upload, &answer, NULL);
		} else if (to - from == 1) {
			refuse_item(upload, &upload->items[from], buf_view(&answer.body));
		} else {
			size_t middle = from + (to - from) / 2;
			code = write_range(upload, from, middle);
			code = code == EXIT_DONE ? write_range(upload, middle, to) : code;
		}
	}
	buf_free(&answer.body);
	return code;
}

int upload_flush(struct upload *upload)
{
	int code = upload->count != 0 ? write_range(upload, 0, upload->count) : EXIT_DONE;
	upload->count = 0;
	buf_clear(&upload->names);
	buf_clear(&upload->rest);
	return code;
}

/* ---- collecting ---- */

static bool has_ended(struct span expires_at)
{
	struct buf text = {0};
	int64_t at_ms = INT64_MAX;
	int64_t seconds;
	uint32_t nanos;
	if (expires_at.ptr == NULL) {
		return false;
	}
	if (json_kind(expires_at) == JSON_STRING) {
		json_string(expires_at, &text);
		if (moment_read_timestamp(buf_view(&text), &seconds, &nanos) == 0) {
			at_ms = seconds * 1000 + nanos / 1000000;
		}
	} else if (!json_int64(expires_at, &at_ms)) {
		at_ms = INT64_MAX; /* the engine says what is wrong with it */
	}
	buf_free(&text);
	return at_ms <= clock_wall_ms();
}

/* A transaction changes a key once. */
static bool has_key(const struct upload *upload, uint64_t hash)
{
	for (size_t i = 0; i < upload->count; i++) {
		if (upload->items[i].hash == hash) {
			return true;
		}
	}
	return false;
}

int upload_add(struct upload *upload, const struct upload_entry *entry)
{
	if (has_ended(entry->expires_at)) {
		upload->sum.expired++;
		return EXIT_DONE;
	}
	uint64_t hash = hash_bytes(entry->key, hash_bytes(entry->scope, 0));
	size_t bytes = upload->names.len + upload->rest.len;
	bool is_full = upload->count == upload->options.batch ||
	               bytes + entry->key.len + entry->value.len > BATCH_BYTES;
	if (is_full || has_key(upload, hash)) {
		int code = upload_flush(upload);
		if (code != EXIT_DONE) {
			return code;
		}
	}
	struct item *item = &upload->items[upload->count++];
	*item = (struct item){.from = entry->from,
	                      .line = entry->line,
	                      .hash = hash,
	                      .names_at = upload->names.len,
	                      .rest_at = upload->rest.len};
	BUF_LITERAL(&upload->names, "\"scope\":");
	json_write_string(&upload->names, entry->scope);
	BUF_LITERAL(&upload->names, ",\"key\":");
	json_write_string(&upload->names, entry->key);
	item->names_len = upload->names.len - item->names_at;
	BUF_LITERAL(&upload->rest, ",\"value\":");
	buf_span(&upload->rest, entry->value);
	if (entry->encoding.ptr != NULL) {
		BUF_LITERAL(&upload->rest, ",\"encoding\":");
		buf_span(&upload->rest, entry->encoding);
	}
	if (entry->expires_at.ptr != NULL) {
		BUF_LITERAL(&upload->rest, ",\"expires_at\":");
		buf_span(&upload->rest, entry->expires_at);
	}
	item->rest_len = upload->rest.len - item->rest_at;
	return EXIT_DONE;
}
