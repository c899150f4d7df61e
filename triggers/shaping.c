/* This file reads what a trigger says of shaping, and names the windows of its events. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "triggers/shaping.h"

#include "base/json.h"
#include "base/mem.h"
#include <stddef.h>

#define DAY (INT64_C(24) * 60 * 60 * 1000)

static const char *const keep_words[] = {[KEEP_LAST] = "last", [KEEP_FIRST] = "first", NULL};

const struct field debounce_fields[] = {
        {.name = "key",
         .kind = FIELD_STRING,
         .offset = offsetof(struct debounce_text, key),
         .min = 1,
         .max = FIELD_TEXT_MAX,
         .help = "An expression (CEL) over the event, such as key or new_value.user: each of its "
                 "values is waited for on its own."},
        {.name = "wait",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct debounce_text, wait_ms),
         .min = 1,
         .max = 7 * DAY,
         .help = "How long no further event of the same value must have come."},
        {.name = "wait_ms",
         .kind = FIELD_INT,
         .offset = offsetof(struct debounce_text, wait_ms),
         .min = 1,
         .max = 7 * DAY,
         .unit = "ms",
         .help = "The same as wait, in milliseconds."},
        {.name = "max_delay",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct debounce_text, max_delay_ms),
         .min = 1,
         .max = 30 * DAY,
         .help = "So long after the first event the wait ends in any case."},
        {.name = "max_delay_ms",
         .kind = FIELD_INT,
         .offset = offsetof(struct debounce_text, max_delay_ms),
         .min = 1,
         .max = 30 * DAY,
         .unit = "ms",
         .help = "The same as max_delay, in milliseconds."},
        {.name = "keep",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct debounce_text, keep),
         .otherwise = "last",
         .words = keep_words,
         .help = "Which event the handler gets: the last one that came, or the first."},
        {.name = NULL},
};

const struct field batch_fields[] = {
        {.name = "max_size",
         .kind = FIELD_INT,
         .offset = offsetof(struct batch_text, max_size),
         .min = 1,
         .max = SHAPING_BATCH_MAX,
         .help = "A batch of so many events is delivered at once."},
        {.name = "max_wait",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct batch_text, max_wait_ms),
         .min = 1,
         .max = 7 * DAY,
         .help = "So long after its first event a smaller one is delivered, too."},
        {.name = "max_wait_ms",
         .kind = FIELD_INT,
         .offset = offsetof(struct batch_text, max_wait_ms),
         .min = 1,
         .max = 7 * DAY,
         .unit = "ms",
         .help = "The same as max_wait, in milliseconds."},
        {.name = "key",
         .kind = FIELD_STRING,
         .offset = offsetof(struct batch_text, key),
         .min = 1,
         .max = FIELD_TEXT_MAX,
         .help = "An expression (CEL) over the event: a batch holds events of one of its values; "
                 "without it, of all."},
        {.name = NULL},
};

static bool says(struct span config, const char *section)
{
	struct span value;
	return json_get(config, span_of(section), &value) && !json_is_null(value);
}

static int refuse(const char *code, const char *section, const char *what, struct err *err)
{
	return err_set(err, E_INVALID, code, "'%s' %s", section, what);
}

static int read_debounce(const struct debounce_text *text, const char *code,
                         struct shaping *shaping, struct err *err)
{
	if (text->key == NULL) {
		return refuse(code, "debounce",
		              "needs a key: an expression whose values are waited for each on its "
		              "own, such as key: key",
		              err);
	}
	if (text->wait_ms == 0) {
		return refuse(code, "debounce", "needs a wait, such as wait: 2s", err);
	}
	if (text->max_delay_ms == 0) {
		return refuse(code, "debounce",
		              "needs a max_delay: while events come more often than wait, nothing "
		              "would ever be delivered",
		              err);
	}
	if (text->max_delay_ms < text->wait_ms) {
		return refuse(code, "debounce", "cannot have a max_delay below its wait", err);
	}
	shaping->kind = SHAPING_DEBOUNCE;
	shaping->wait_ms = text->wait_ms;
	shaping->max_delay_ms = text->max_delay_ms;
	shaping->keep = (enum shaping_keep)text->keep;
	return 0;
}

static int read_batch(const struct batch_text *text, bool asks_first, const char *code,
                      struct shaping *shaping, struct err *err)
{
	if (text->max_size == 0) {
		return refuse(code, "batch", "needs a max_size, such as max_size: 100", err);
	}
	if (text->max_wait_ms == 0) {
		return refuse(code, "batch",
		              "needs a max_wait, such as max_wait: 1s: a batch that never becomes "
		              "full has to be delivered some time",
		              err);
	}
	if (asks_first) {
		return refuse(code, "batch",
		              "and 'condition_function_id' exclude each other: that function is "
		              "asked about one event; say it with 'when'",
		              err);
	}
	shaping->kind = SHAPING_BATCH;
	shaping->wait_ms = text->max_wait_ms;
	shaping->max_size = (uint32_t)text->max_size;
	return 0;
}

int shaping_new(struct condition_env *env, struct span config, const struct shaping_text *text,
                const char *code, struct condition_fault *where, struct shaping **out,
                struct err *err)
{
	bool debounces = says(config, "debounce");
	bool batches = says(config, "batch");
	const char *key = debounces ? text->debounce.key : text->batch.key;
	if (debounces && batches) {
		return refuse(code, "debounce", "and 'batch' exclude each other; keep one of them",
		              err);
	}
	if (!debounces && !batches) {
		*out = NULL;
		return 0;
	}
	struct shaping *shaping = MEM_NEW(struct shaping);
	int status = debounces ? read_debounce(&text->debounce, code, shaping, err)
	                       : read_batch(&text->batch, says(config, "condition_function_id"),
	                                    code, shaping, err);
	if (status == 0 && key != NULL) {
		status = grouping_new(env, debounces ? "debounce.key" : "batch.key", span_of(key),
		                      &shaping->key, where, err);
	}
	if (status != 0) {
		shaping_free(shaping);
		return status;
	}
	*out = shaping;
	return 0;
}

void shaping_free(struct shaping *shaping)
{
	if (shaping != NULL) {
		grouping_free(shaping->key);
		mem_free(shaping);
	}
}

/* No value as JSON begins like this. */
static void name_by_place(const struct event *event, struct buf *out)
{
	BUF_LITERAL(out, "![");
	json_write_string(out, event->scope);
	buf_byte(out, ',');
	json_write_string(out, event->key);
	buf_byte(out, ']');
}

bool shaping_name(const struct shaping *shaping, struct matching *matching, struct span metadata,
                  struct buf *out)
{
	size_t begin = out->len;
	if (shaping->key == NULL) {
		return true;
	}
	if (grouping_write(shaping->key, matching, metadata, out) &&
	    out->len - begin <= SHAPING_NAME_MAX) {
		return true;
	}
	out->len = begin;
	name_by_place(matching->event, out);
	return false;
}
