/* This file reads the keys of a Redis server, to be written into an engine. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/redis_source.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/redis_value.h"
#include "cli/upload.h"
#include "wire/url.h"
#include <dlfcn.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#define TEXT_OF(macro) TEXT(macro)
#define TEXT(word)     #word
#define LIBRARY        "libhiredis.so." TEXT_OF(HIREDIS_SONAME)

enum { PAGE = 500, CONNECT_S = 5, ANSWER_S = 60, PORT = 6379 };

/* What we use of hiredis, found by name. */
struct redis_library {
	redisContext *(*connect)(const char *host, int port, struct timeval timeout);
	int (*set_timeout)(redisContext *context, struct timeval timeout);
	int (*append)(redisContext *context, int count, const char **args, const size_t *lens);
	int (*reply)(redisContext *context, void **out);
	void (*free_reply)(void *reply);
	void (*close)(redisContext *context);
};

struct redis_source {
	struct redis_library api;
	redisContext *context;
	struct upload *upload;
	struct progress *progress;
	const char *match;
	const char *scope;
	const char *split;
	uint64_t seen;
	uint64_t streams; /* and other types that have no form here */
};

struct redis_address {
	struct buf host;
	struct buf user;
	struct buf password;
	int port;
	int database;
};

/* ---- the library ---- */

static int load(struct redis_library *api, struct err *err)
{
	const struct {
		const char *name;
		void *function; /* where its address goes */
	} wanted[] = {
	        {"redisConnectWithTimeout", &api->connect}, {"redisSetTimeout", &api->set_timeout},
	        {"redisAppendCommandArgv", &api->append},   {"redisGetReply", &api->reply},
	        {"freeReplyObject", &api->free_reply},      {"redisFree", &api->close},
	};
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL); /* stays until we exit */
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		void *found = library ? dlsym(library, wanted[i].name) : NULL;
		if (found == NULL) {
			const char *why = dlerror();
			return err_set(err, E_UNSUPPORTED, "hiredis_missing",
			               "reading from Redis needs " LIBRARY
			               " (Debian 12: libhiredis0.14): %s",
			               why ? why : wanted[i].name);
		}
		memcpy(wanted[i].function, &found, sizeof found);
	}
	return 0;
}

/* ---- commands ---- */

static int broken(const struct redis_source *source, struct err *err)
{
	return err_set(err, E_IO, "redis_unreachable", "Redis: %s",
	               source->context->errstr[0] ? source->context->errstr
	                                          : "the connection ended");
}

static int put(struct redis_source *source, const char *const *words, size_t count, struct err *err)
{
	size_t lens[6];
	const char *args[6];
	PRE(count <= 6);
	for (size_t i = 0; i < count; i++) {
		args[i] = words[i];
		lens[i] = strlen(words[i]);
	}
	if (source->api.append(source->context, (int)count, args, lens) != REDIS_OK) {
		return broken(source, err);
	}
	return 0;
}

/* The next reply, the caller's to free; an error reply is an error. */
static int take(struct redis_source *source, redisReply **out, struct err *err)
{
	void *reply = NULL;
	if (source->api.reply(source->context, &reply) != REDIS_OK || reply == NULL) {
		return broken(source, err);
	}
	redisReply *answer = reply;
	if (answer->type == REDIS_REPLY_ERROR) {
		(void)err_set(err, E_INVALID, "redis_error", "Redis: %.*s", (int)answer->len,
		              answer->str);
		source->api.free_reply(reply);
		return err->number;
	}
	*out = answer;
	return 0;
}

static int say(struct redis_source *source, const char *const *words, size_t count,
               redisReply **out, struct err *err)
{
	int status = put(source, words, count, err);
	return status == 0 ? take(source, out, err) : status;
}

/* The same, when nobody reads what it answers. */
static int tell(struct redis_source *source, const char *const *words, size_t count,
                struct err *err)
{
	redisReply *reply = NULL;
	int status = say(source, words, count, &reply, err);
	if (status == 0) {
		source->api.free_reply(reply);
	}
	return status;
}

/* ---- connecting ---- */

static int wrong_address(const char *url, struct err *err)
{
	return err_set(err, E_INVALID, "invalid_url",
	               "\"%s\" is no address of Redis such as redis://:password@localhost:6379/0",
	               url);
}

/* "[user]:password@", both percent-encoded; *at moves behind it. */
static bool read_login(const char **at, struct redis_address *out)
{
	const char *end = strchr(*at, '@');
	if (end == NULL) {
		return true;
	}
	const char *colon = memchr(*at, ':', (size_t)(end - *at));
	struct span user = span_make(*at, colon ? (size_t)(colon - *at) : 0);
	struct span password = colon ? span_make(colon + 1, (size_t)(end - colon - 1))
	                             : span_make(*at, (size_t)(end - *at));
	*at = end + 1;
	return url_decode(user, &out->user) && url_decode(password, &out->password);
}

static int read_address(const char *url, struct redis_address *out, struct err *err)
{
	static const char scheme[] = "redis://";
	const char *at = url + sizeof scheme - 1;
	if (strncmp(url, scheme, sizeof scheme - 1) != 0 || !read_login(&at, out)) {
		return wrong_address(url, err);
	}
	size_t len = strcspn(at, ":/");
	long port = PORT;
	long database = 0;
	char *end = NULL;
	buf_add(&out->host, at, len);
	at += len;
	if (*at == ':') {
		port = strtol(at + 1, &end, 10);
		at = end;
	}
	if (*at == '/' && at[1] != '\0') {
		database = strtol(at + 1, &end, 10);
		at = end;
	} else if (*at == '/') {
		at++;
	}
	if (*at != '\0' || len == 0 || port < 1 || port > 65535 || database < 0 ||
	    database > 1000000) {
		return wrong_address(url, err);
	}
	out->port = (int)port;
	out->database = (int)database;
	return 0;
}

static int log_in(struct redis_source *source, const struct redis_address *address, struct err *err)
{
	const char *words[3] = {"AUTH"};
	size_t count = 1;
	if (address->user.len > 1) {
		words[count++] = address->user.ptr;
	}
	words[count++] = address->password.ptr;
	return address->password.len > 1 ? tell(source, words, count, err) : 0;
}

static int connect_to(struct redis_source *source, const char *url, struct err *err)
{
	struct redis_address address = {0};
	int status = read_address(url, &address, err);
	if (status == 0) {
		buf_byte(&address.host, '\0');
		buf_byte(&address.user, '\0');
		buf_byte(&address.password, '\0');
		source->context = source->api.connect(address.host.ptr, address.port,
		                                      (struct timeval){.tv_sec = CONNECT_S});
		if (source->context == NULL || source->context->err != 0) {
			status = err_set(err, E_IO, "redis_unreachable", "%s: %s", url,
			                 source->context ? source->context->errstr : "no memory");
		}
	}
	if (status == 0) {
		(void)source->api.set_timeout(source->context,
		                              (struct timeval){.tv_sec = ANSWER_S});
		status = log_in(source, &address, err);
	}
	if (status == 0 && address.database != 0) {
		char number[16];
		(void)snprintf(number, sizeof number, "%d", address.database);
		status = tell(source, (const char *[]){"SELECT", number}, 2, err);
	}
	buf_free(&address.host);
	buf_free(&address.user);
	buf_free(&address.password);
	return status;
}

/* ---- keys ---- */

static struct span text_of(const redisReply *reply)
{
	return reply->str != NULL ? span_make(reply->str, reply->len) : SPAN("");
}

/* Asks something of every key of a page, in one round trip. */
static int ask_all(struct redis_source *source, const redisReply *keys, const char *command,
                   struct err *err)
{
	int status = 0;
	for (size_t i = 0; i < keys->elements && status == 0; i++) {
		const char *args[2] = {command, keys->element[i]->str};
		const size_t lens[2] = {strlen(command), keys->element[i]->len};
		if (source->api.append(source->context, 2, args, lens) != REDIS_OK) {
			status = broken(source, err);
		}
	}
	return status;
}

/* A key as Redis has it: "users:ada" is ada of users where it is to be split at the colon. */
static void choose_place(const struct redis_source *source, struct span name,
                         struct upload_entry *entry)
{
	size_t len = source->split ? strlen(source->split) : 0;
	const char *found = len != 0 ? memmem(name.ptr, name.len, source->split, len) : NULL;
	if (found != NULL && found != name.ptr && found + len != name.ptr + name.len) {
		entry->scope = span_make(name.ptr, (size_t)(found - name.ptr));
		entry->key = span_make(found + len, (size_t)(name.ptr + name.len - found) - len);
	} else {
		entry->scope = source->scope ? span_of(source->scope) : SPAN("redis");
		entry->key = name;
	}
}

static void refuse(struct redis_source *source, struct span name, const char *why)
{
	struct buf text = {0};
	struct buf shown = {0};
	redis_value_quote(name, &shown);
	buf_format(&text, "%.*s: %s", SPAN_ARG(buf_view(&shown)), why);
	buf_byte(&text, '\0');
	upload_refuse(source->upload, "key", source->seen, text.ptr);
	buf_free(&text);
	buf_free(&shown);
}

/* What is known of one key of a page. */
struct redis_key {
	const struct redis_form *form; /* NULL: gone, or of a type that has none */
	int64_t left_ms;               /* PTTL */
};

static int write_key(struct redis_source *source, struct span name, const struct redis_key *key,
                     const redisReply *reply)
{
	struct buf value = {0};
	char expires_at[24];
	struct upload_entry entry = {.from = "key", .line = source->seen};
	const char *fault = redis_value_write(key->form, reply, &value, &entry.encoding);
	int code = EXIT_DONE;
	if (fault == NULL && !redis_value_is_text(name)) {
		fault = "its name is not UTF-8";
	}
	if (fault != NULL && fault[0] != '\0') {
		refuse(source, name, fault);
	} else if (fault == NULL) {
		choose_place(source, name, &entry);
		entry.value = buf_view(&value);
		if (key->left_ms >= 0) {
			(void)snprintf(expires_at, sizeof expires_at, "%lld",
			               (long long)redis_value_end_ms(key->left_ms));
			entry.expires_at = span_of(expires_at);
		}
		code = upload_add(source->upload, &entry);
	}
	buf_free(&value);
	return code;
}

/* Types, then times. */
static int learn(struct redis_source *source, const redisReply *keys, struct redis_key *known,
                 struct err *err)
{
	int status = ask_all(source, keys, "TYPE", err);
	status = status == 0 ? ask_all(source, keys, "PTTL", err) : status;
	for (size_t i = 0; i < 2 * keys->elements && status == 0; i++) {
		redisReply *reply = NULL;
		status = take(source, &reply, err);
		if (status != 0) {
			return status;
		}
		if (i < keys->elements) {
			known[i].form = redis_value_form(text_of(reply));
			source->streams +=
			        known[i].form == NULL && !span_is(text_of(reply), "none");
		} else {
			known[i - keys->elements].left_ms = reply->integer;
		}
		source->api.free_reply(reply);
	}
	return status;
}

static int ask_values(struct redis_source *source, const redisReply *keys,
                      const struct redis_key *known, struct err *err)
{
	for (size_t i = 0; i < keys->elements; i++) {
		const char *args[REDIS_VALUE_WORDS];
		size_t lens[REDIS_VALUE_WORDS];
		if (known[i].form == NULL) {
			continue;
		}
		int count =
		        redis_value_command(known[i].form, text_of(keys->element[i]), args, lens);
		if (source->api.append(source->context, count, args, lens) != REDIS_OK) {
			return broken(source, err);
		}
	}
	return 0;
}

/* *out_code is why it stopped when the engine is to blame. */
static int take_page(struct redis_source *source, const redisReply *keys, int *out_code,
                     struct err *err)
{
	struct redis_key *known = MEM_ARRAY(struct redis_key, keys->elements + 1);
	int status = learn(source, keys, known, err);
	status = status == 0 ? ask_values(source, keys, known, err) : status;
	for (size_t i = 0; i < keys->elements && status == 0 && *out_code == EXIT_DONE; i++) {
		void *reply = NULL;
		source->seen++;
		if (known[i].form == NULL) {
			continue;
		}
		if (source->api.reply(source->context, &reply) != REDIS_OK || reply == NULL) {
			status = broken(source, err);
		} else { /* an error: it has become another type meanwhile */
			*out_code = write_key(source, text_of(keys->element[i]), &known[i], reply);
			source->api.free_reply(reply);
		}
	}
	mem_free(known);
	return status;
}

static int read_all(struct redis_source *source, int *out_code, struct err *err)
{
	char count[16];
	char cursor[32] = "0";
	int status = 0;
	(void)snprintf(count, sizeof count, "%d", PAGE);
	do {
		const char *words[] = {"SCAN", cursor, "COUNT", count, "MATCH", source->match};
		redisReply *page = NULL;
		status = say(source, words, source->match ? 6 : 4, &page, err);
		if (status != 0) {
			return status;
		}
		bool is_page = page->elements == 2 && page->element[0]->str != NULL &&
		               page->element[0]->len < sizeof cursor;
		if (is_page) {
			memcpy(cursor, page->element[0]->str, page->element[0]->len + 1);
			status = take_page(source, page->element[1], out_code, err);
		} else {
			status = err_set(err, E_IO, "redis_error", "this is no answer of Redis");
		}
		source->api.free_reply(page);
		progress_tell(source->progress, source->seen, upload_sum(source->upload).written);
	} while (status == 0 && *out_code == EXIT_DONE && strcmp(cursor, "0") != 0);
	return status;
}

/* How many keys there are, for the bar. */
static int count_keys(struct redis_source *source, struct err *err)
{
	redisReply *reply = NULL;
	int status = say(source, (const char *[]){"DBSIZE"}, 1, &reply, err);
	if (status == 0 && source->match == NULL && reply->integer > 0) {
		source->progress->total = (uint64_t)reply->integer;
	}
	if (status == 0) {
		source->api.free_reply(reply);
	}
	return status;
}

int redis_source_read(const struct invocation *invocation, struct upload *upload,
                      struct progress *progress)
{
	struct redis_source source = {
	        .upload = upload,
	        .progress = progress,
	        .match = command_option(invocation, "match"),
	        .scope = command_option(invocation, "scope"),
	        .split = command_option(invocation, "split"),
	};
	struct err err;
	int code = EXIT_DONE;
	if (command_option(invocation, "resume") != NULL) {
		return command_wrong(invocation,
		                     "--resume is for files; read from Redis again, what "
		                     "is there already makes no event",
		                     NULL);
	}
	int status = load(&source.api, &err);
	status = status == 0 ? connect_to(&source, command_option(invocation, "from-redis"), &err)
	                     : status;
	status = status == 0 ? count_keys(&source, &err) : status;
	status = status == 0 ? read_all(&source, &code, &err) : status;
	if (source.context != NULL) {
		source.api.close(source.context);
	}
	code = code == EXIT_DONE ? upload_flush(upload) : code;
	if (status != 0) {
		progress_clear(progress);
		(void)fprintf(stderr, "pawl import: %s\n", err.text);
		code = status == E_INVALID && source.context == NULL ? EXIT_USAGE : EXIT_FAILED;
	} else if (source.streams != 0) {
		progress_clear(progress);
		(void)fprintf(
		        stderr,
		        "%llu keys were passed over: streams and types of modules have no form "
		        "here\n",
		        (unsigned long long)source.streams);
	}
	return code;
}
