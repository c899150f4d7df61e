/* This file turns the values of Redis into JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/redis_value.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include <hiredis/hiredis.h>
#include <stdlib.h>

static const char not_text[] = "its value is not UTF-8";

struct redis_form {
	const char *type;
	const char *words[REDIS_VALUE_WORDS]; /* NULL stands for the key */
	int count;
	int kind; /* of the reply */
	const char *(*write)(const redisReply *reply, struct buf *out);
};

bool redis_value_is_text(struct span bytes)
{
	return json_utf8_valid(bytes);
}

static struct span text_of(const redisReply *reply)
{
	return reply->str != NULL ? span_make(reply->str, reply->len) : SPAN("");
}

/* JSON as it is, anything else as a text. */
static bool write_text(struct span text, struct buf *out)
{
	struct span value;
	if (json_check(text, &value, NULL) == 0) {
		buf_span(out, value);
	} else if (redis_value_is_text(text)) {
		json_write_string(out, text);
	} else {
		return false;
	}
	return true;
}

/* Of a string that stands alone it can be told what it is: JSON, a text, or bytes. */
static const char *write_string(const redisReply *reply, struct buf *out)
{
	if (!write_text(text_of(reply), out)) {
		buf_byte(out, '"');
		base64_encode(text_of(reply), out);
		buf_byte(out, '"');
	}
	return NULL;
}

static struct span encoding_of(struct span string)
{
	if (json_check(string, NULL, NULL) == 0) {
		return SPAN_NONE;
	}
	return redis_value_is_text(string) ? SPAN("\"text\"") : SPAN("\"base64\"");
}

static const char *write_hash(const redisReply *reply, struct buf *out)
{
	buf_byte(out, '{');
	for (size_t i = 0; i + 1 < reply->elements; i += 2) {
		struct span name = text_of(reply->element[i]);
		if (!redis_value_is_text(name)) {
			return "the name of a field is not UTF-8";
		}
		if (i != 0) {
			buf_byte(out, ',');
		}
		json_write_string(out, name);
		buf_byte(out, ':');
		if (!write_text(text_of(reply->element[i + 1]), out)) {
			return not_text;
		}
	}
	buf_byte(out, '}');
	return reply->elements == 0 ? "" : NULL; /* there are no empty hashes */
}

static const char *write_list(const redisReply *reply, struct buf *out)
{
	buf_byte(out, '[');
	for (size_t i = 0; i < reply->elements; i++) {
		if (i != 0) {
			buf_byte(out, ',');
		}
		if (!write_text(text_of(reply->element[i]), out)) {
			return not_text;
		}
	}
	buf_byte(out, ']');
	return reply->elements == 0 ? "" : NULL;
}

static int compare_texts(const void *a, const void *b)
{
	const redisReply *const *first = a;
	const redisReply *const *second = b;
	return span_compare(text_of(*first), text_of(*second));
}

static const char *write_set(const redisReply *reply, struct buf *out)
{
	if (reply->elements != 0) {
		qsort(reply->element, reply->elements, sizeof(*reply->element), compare_texts);
	}
	return write_list(reply, out);
}

static const char *write_sorted_set(const redisReply *reply, struct buf *out)
{
	buf_byte(out, '[');
	for (size_t i = 0; i + 1 < reply->elements; i += 2) {
		buf_format(out, "%s[", i != 0 ? "," : "");
		if (!write_text(text_of(reply->element[i]), out)) {
			return not_text;
		}
		buf_byte(out, ',');
		(void)write_text(text_of(reply->element[i + 1]), out); /* inf is none of JSON */
		buf_byte(out, ']');
	}
	buf_byte(out, ']');
	return reply->elements == 0 ? "" : NULL;
}

static const struct redis_form forms[] = {
        {"string", {"GET", NULL}, 2, REDIS_REPLY_STRING, write_string},
        {"hash", {"HGETALL", NULL}, 2, REDIS_REPLY_ARRAY, write_hash},
        {"list", {"LRANGE", NULL, "0", "-1"}, 4, REDIS_REPLY_ARRAY, write_list},
        {"set", {"SMEMBERS", NULL}, 2, REDIS_REPLY_ARRAY, write_set},
        {"zset", {"ZRANGE", NULL, "0", "-1", "WITHSCORES"}, 5, REDIS_REPLY_ARRAY, write_sorted_set},
};

const struct redis_form *redis_value_form(struct span type)
{
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		if (span_is(type, forms[i].type)) {
			return &forms[i];
		}
	}
	return NULL;
}

int redis_value_command(const struct redis_form *form, struct span key,
                        const char *words[REDIS_VALUE_WORDS], size_t lens[REDIS_VALUE_WORDS])
{
	for (int i = 0; i < form->count; i++) {
		bool is_key = form->words[i] == NULL;
		words[i] = is_key ? key.ptr : form->words[i];
		lens[i] = is_key ? key.len : strlen(form->words[i]);
	}
	return form->count;
}

const char *redis_value_write(const struct redis_form *form, const struct redisReply *reply,
                              struct buf *out, struct span *out_encoding)
{
	*out_encoding = SPAN_NONE;
	if (reply->type == REDIS_REPLY_NIL) {
		return "";
	}
	if (reply->type == REDIS_REPLY_ERROR) {
		return "it has become another type while it was read";
	}
	if (reply->type == REDIS_REPLY_STRING) {
		*out_encoding = encoding_of(text_of(reply));
	}
	return reply->type == form->kind ? form->write(reply, out) : "this is no answer of Redis";
}

void redis_value_quote(struct span name, struct buf *out)
{
	if (redis_value_is_text(name)) {
		json_write_string(out, name);
		return;
	}
	buf_byte(out, '"');
	for (size_t i = 0; i < name.len; i++) {
		unsigned char byte = (unsigned char)name.ptr[i];
		if (byte >= ' ' && byte < 0x7f) {
			buf_byte(out, (char)byte);
		} else {
			buf_format(out, "\\x%02x", byte);
		}
	}
	buf_byte(out, '"');
}

int64_t redis_value_end_ms(int64_t left_ms)
{
	return clock_wall_ms() + left_ms;
}
