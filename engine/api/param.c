/* This file reads query parameters by the types that a table of routes gives them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/param.h"

#include "base/json.h"
#include <string.h>

static int invalid(struct err *err, const char *what, struct span name)
{
	return err_set(err, E_INVALID, "invalid_parameter", "%s: %.*s", what, SPAN_ARG(name));
}

bool param_next(const char **list, struct span *out_name, struct span *out_type)
{
	const char *at = *list;
	while (at && *at == ' ') {
		at++;
	}
	if (at == NULL || *at == '\0') {
		return false;
	}
	size_t len = strcspn(at, " ");
	size_t name_len = strcspn(at, " :");
	*out_name = span_make(at, name_len);
	*out_type = name_len < len ? span_make(at + name_len + 1, len - name_len - 1) : SPAN("");
	*list = at + len;
	return true;
}

bool param_find(const char *params, struct span name, struct span *out_type)
{
	struct span word;
	while (param_next(&params, &word, out_type)) {
		if (span_equal(word, name)) {
			return true;
		}
	}
	return false;
}

int param_to_json(struct span name, struct span type, struct buf *text, struct err *err)
{
	struct span plain = buf_view(text);
	struct buf json = {0};
	int64_t number = 0;
	if (span_is(type, "int")) {
		struct span checked;
		if (plain.len == 0 || json_check(plain, &checked, NULL) != 0 ||
		    json_kind(checked) != JSON_NUMBER || !json_int64(checked, &number)) {
			return invalid(err, "not a whole number", name);
		}
		buf_int(&json, number);
	} else if (span_is(type, "bool")) {
		bool is_true = plain.len == 0 || span_is(plain, "true") || span_is(plain, "1");
		if (!is_true && !span_is(plain, "false") && !span_is(plain, "0")) {
			return invalid(err, "neither true nor false", name);
		}
		buf_span(&json, is_true ? SPAN("true") : SPAN("false"));
	} else if (!json_utf8_valid(plain)) {
		return invalid(err, "not UTF-8", name);
	} else {
		json_write_string(&json, plain);
	}
	buf_free(text);
	*text = json;
	return 0;
}
