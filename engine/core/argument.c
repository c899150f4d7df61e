/* This file reads and judges the arguments of state functions. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/argument.h"

#include "base/json.h"

static const struct span names[ARG_COUNT] = {
#define X(name, text, kind) [name] = {text, sizeof(text) - 1},
        ARGUMENTS(X)
#undef X
};

static const uint8_t kinds[ARG_COUNT] = {
#define X(name, text, kind) [name] = (kind),
        ARGUMENTS(X)
#undef X
};

static int check_kind(const struct argument_form *form, enum argument argument, struct span value,
                      struct err *err)
{
	static const char *const wanted[] = {[KIND_STRING] = "a string",
	                                     [KIND_BOOL] = "true or false",
	                                     [KIND_COUNT] = "a whole number from 1 on",
	                                     [KIND_ARRAY] = "an array"};
	uint64_t count;
	bool good = true;
	switch ((enum argument_kind)kinds[argument]) {
	case KIND_ANY:
		return 0;
	case KIND_STRING:
		good = json_kind(value) == JSON_STRING;
		break;
	case KIND_BOOL:
		good = json_kind(value) == JSON_BOOL;
		break;
	case KIND_COUNT:
		good = json_kind(value) == JSON_NUMBER && json_uint64(value, &count) && count > 0;
		break;
	case KIND_ARRAY:
		good = json_kind(value) == JSON_ARRAY;
		break;
	}
	if (good) {
		return 0;
	}
	return err_set(err, E_INVALID, "invalid_argument", "%.*s: \"%s\" must be %s, not %s",
	               SPAN_ARG(form->name), names[argument].ptr, wanted[kinds[argument]],
	               json_kind_name(json_kind(value)));
}

int arguments_read(const struct argument_form *form, struct span object, struct span out[ARG_COUNT],
                   struct err *err)
{
	struct span wanted[ARGUMENT_FORM_MAX];
	struct span values[ARGUMENT_FORM_MAX];
	for (size_t i = 0; i < form->count; i++) {
		wanted[i] = names[form->list[i]];
	}
	json_get_many(object, wanted, form->count, values);
	for (size_t i = 0; i < form->count; i++) {
		enum argument argument = (enum argument)form->list[i];
		struct span value = values[i];
		if (value.ptr != NULL && kinds[argument] != KIND_ANY && json_is_null(value)) {
			value = SPAN_NONE;
		}
		if (value.ptr == NULL && i < form->required) {
			return err_set(err, E_INVALID, "argument_required",
			               "%.*s: \"%s\" is missing", SPAN_ARG(form->name),
			               names[argument].ptr);
		}
		if (value.ptr != NULL) {
			int status = check_kind(form, argument, value, err);
			if (status != 0) {
				return status;
			}
		}
		out[argument] = value;
	}
	return 0;
}

static int read_name(struct span function, const char *what, size_t most, struct span value,
                     struct buf *scratch, struct span *out, struct err *err)
{
	struct span plain = json_plain(value, scratch);
	if (plain.len == 0 || plain.len > most) {
		return err_set(err, E_INVALID, "invalid_key",
		               "%.*s: the %s is %zu bytes long; it must be 1 to %zu",
		               SPAN_ARG(function), what, plain.len, most);
	}
	/* A valid string is UTF-8 already, and only an escape can bring in a NUL. */
	if (plain.ptr != value.ptr + 1 && memchr(plain.ptr, '\0', plain.len) != NULL) {
		return err_set(err, E_INVALID, "invalid_key",
		               "%.*s: the %s holds the character U+0000; take it out",
		               SPAN_ARG(function), what);
	}
	*out = plain;
	return 0;
}

int argument_scope(struct span name, struct span value, struct buf *scratch, struct span *out,
                   struct err *err)
{
	return read_name(name, "scope", ARGUMENT_SCOPE_MAX, value, scratch, out, err);
}

int argument_key(struct span name, struct span value, struct buf *scratch, struct span *out,
                 struct err *err)
{
	return read_name(name, "key", ARGUMENT_KEY_MAX, value, scratch, out, err);
}

int argument_record(const struct argument_form *form, const struct span args[ARG_COUNT],
                    struct buf *scratch, struct record_key *out, struct err *err)
{
	(void)buf_reserve(scratch, args[ARG_SCOPE].len + args[ARG_KEY].len);
	out->space = SPACE_STATE;
	int status = argument_scope(form->name, args[ARG_SCOPE], scratch, &out->part, err);
	return status != 0 ? status
	                   : argument_key(form->name, args[ARG_KEY], scratch, &out->key, err);
}

void argument_reserve(struct buf *scratch, struct span data)
{
	if (memchr(data.ptr, '\\', data.len) != NULL) {
		(void)buf_reserve(scratch, data.len);
	}
}

bool argument_is_true(struct span value)
{
	return value.ptr != NULL && json_is_true(value);
}

uint64_t argument_count(struct span value, uint64_t otherwise)
{
	uint64_t count;
	return value.ptr != NULL && json_uint64(value, &count) ? count : otherwise;
}
