/* This file fills texts with what expressions make of an event: "Bearer ${{ secrets.crm }}". */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/webhook_template.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/core/secrets.h"
#include <string.h>

enum { SHOWN = 200 };

/* Plain text, or an expression. */
struct part {
	struct span text; /* owned */
	struct expr *expr;
};

struct webhook_template {
	struct condition_env *conditions;
	struct part *parts;
	size_t count;
	size_t event_users;
	bool asks;
	bool has_metadata;
	bool has_secret;
};

void webhook_template_free(struct webhook_template *made)
{
	if (made == NULL) {
		return;
	}
	for (size_t i = 0; i < made->count; i++) {
		struct span text = made->parts[i].text;
		if (made->has_secret && text.len != 0) {
			explicit_bzero((char *)text.ptr, text.len);
		}
		mem_free((char *)text.ptr);
		expr_free(made->parts[i].expr);
	}
	if (made->event_users != 0) {
		made->conditions->event_users -= made->event_users;
	}
	mem_free(made->parts);
	mem_free(made);
}

bool webhook_template_asks(const struct webhook_template *made)
{
	return made->asks;
}

bool webhook_template_has_secret(const struct webhook_template *made)
{
	return made->has_secret;
}

/* ---- reading ---- */

static struct part *add_part(struct webhook_template *made)
{
	made->parts = mem_grow(made->parts, (made->count + 1) * sizeof *made->parts);
	made->parts[made->count] = (struct part){0};
	return &made->parts[made->count++];
}

static void add_text(struct webhook_template *made, struct span text)
{
	if (text.len != 0) {
		add_part(made)->text = mem_span(text);
	}
}

static struct span trimmed(struct span text)
{
	while (text.len != 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t')) {
		text = span_make(text.ptr + 1, text.len - 1);
	}
	while (text.len != 0 && strchr(" \t", text.ptr[text.len - 1]) != NULL) {
		text.len--;
	}
	return text;
}

static int add_secret(const struct webhook_known *known, struct span name,
                      struct webhook_template *made, struct err *err)
{
	struct span value = known->secrets ? secrets_get(known->secrets, name) : SPAN_NONE;
	if (value.ptr == NULL) {
		return err_set(err, E_NOT_FOUND, "secret_missing",
		               "there is no secret \"%.*s\" in the section 'secrets'",
		               SPAN_ARG(name));
	}
	made->has_secret = true;
	add_text(made, value);
	return 0;
}

static int add_expression(const struct webhook_known *known, struct span source,
                          struct webhook_template *made, struct err *err)
{
	struct fault fault = {0};
	struct expr *expr;
	struct expr_env view = known->conditions->views[VIEW_EVENT];
	view.choices = NULL; /* it may be asked of an event of any type */
	if (expr_new(&view, source, EXPR_ANY, &expr, &fault) != 0) {
		return err_set(err, E_INVALID, "invalid_template",
		               "${{ %.*s }}: %s (column %zu)%s%s", SPAN_ARG(source), fault.text,
		               fault.column, fault.hint[0] != '\0' ? "; " : "", fault.hint);
	}
	bool has_event = condition_env_mentions(source, "event");
	made->event_users += has_event;
	known->conditions->event_users += has_event;
	made->has_metadata |= condition_env_mentions(source, "metadata");
	made->asks = true;
	add_part(made)->expr = expr;
	return 0;
}

static int read_hole(const struct webhook_known *known, struct span source,
                     struct webhook_template *made, struct err *err)
{
	static const struct span PREFIX = {"secrets.", 8};
	if (span_starts_with(source, PREFIX)) {
		return add_secret(known,
		                  span_make(source.ptr + PREFIX.len, source.len - PREFIX.len), made,
		                  err);
	}
	return add_expression(known, source, made, err);
}

static int read_text(const struct webhook_known *known, struct span text,
                     struct webhook_template *made, struct err *err)
{
	const char *at = text.ptr;
	const char *end = at + text.len;
	const char *open;
	while ((open = memmem(at, (size_t)(end - at), "${{", 3)) != NULL) {
		const char *inside = open + 3;
		const char *close = memmem(inside, (size_t)(end - inside), "}}", 2);
		if (close == NULL) {
			return err_set(err, E_INVALID, "invalid_template",
			               "a ${{ has no }} behind it");
		}
		add_text(made, span_make(at, (size_t)(open - at)));
		struct span source = trimmed(span_make(inside, (size_t)(close - inside)));
		int status = read_hole(known, source, made, err);
		if (status != 0) {
			return status;
		}
		at = close + 2;
	}
	add_text(made, span_make(at, (size_t)(end - at)));
	return 0;
}

int webhook_template_new(const struct webhook_known *known, struct span text,
                         struct webhook_template **out, struct err *err)
{
	struct webhook_template *made = MEM_NEW(struct webhook_template);
	int status = 0;
	if (known != NULL) {
		made->conditions = known->conditions;
		status = read_text(known, text, made, err);
	} else {
		add_text(made, text);
	}
	if (status != 0) {
		webhook_template_free(made);
		return status;
	}
	*out = made;
	return 0;
}

/* ---- writing ---- */

static int fail(const struct part *part, struct value error, struct err *err)
{
	struct buf text = {0};
	value_write_error(error, &text);
	struct span source = expr_source(part->expr);
	int status = err_set(err, E_INVALID, "template_failed", "${{ %.*s }}: %.*s",
	                     (int)(source.len < SHOWN ? source.len : SHOWN), source.ptr,
	                     SPAN_ARG(buf_view(&text)));
	buf_free(&text);
	return status;
}

/* A text as it is, anything else as JSON has it: a timestamp without its quotes. */
static struct value write_value(struct activation *values, struct value value, struct buf *out)
{
	if (value.tag == VALUE_STRING) {
		buf_span(out, value_text(value));
		return (struct value){.tag = VALUE_UNSET};
	}
	struct buf json = {0};
	struct buf plain = {0};
	struct value error = value_write_json(&values->allowance, value, &json);
	if (!value_is_error(error)) {
		buf_span(out, json_kind(buf_view(&json)) == JSON_STRING
		                      ? json_plain(buf_view(&json), &plain)
		                      : buf_view(&json));
	}
	buf_free(&plain);
	buf_free(&json);
	return error;
}

static int write_part(const struct part *part, struct matching *matching, struct activation *values,
                      struct buf *out, bool *out_absent, struct err *err)
{
	struct value value = matching_eval(matching, part->expr, values);
	if (value.tag == VALUE_OPTIONAL && value.as.inner != NULL) {
		value = *value.as.inner;
	}
	if (value.tag == VALUE_NULL || value.tag == VALUE_OPTIONAL) {
		*out_absent = true;
		return 0;
	}
	struct value error = value_is_error(value) ? value : write_value(values, value, out);
	return value_is_error(error) ? fail(part, error, err) : 0;
}

int webhook_template_write(const struct webhook_template *made, struct matching *matching,
                           struct span metadata, struct buf *out, bool *out_absent, struct err *err)
{
	struct activation *values = NULL;
	struct buf text = {0};
	int status = 0;
	*out_absent = false;
	if (made->asks) {
		values = made->has_metadata ? matching_values_with(matching, metadata)
		                            : matching_values(matching);
	}
	for (size_t i = 0; i < made->count && status == 0 && !*out_absent; i++) {
		const struct part *part = &made->parts[i];
		if (part->expr == NULL) {
			buf_span(&text, part->text);
		} else {
			status = write_part(part, matching, values, &text, out_absent, err);
		}
	}
	if (status == 0 && !*out_absent) {
		buf_span(out, buf_view(&text));
	}
	buf_free(&text);
	return status;
}
