/* This file defines what a token may do, and answers whether it may do this. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/core/rights.h"

#include "base/field_json.h"
#include "base/field_print.h"
#include "triggers/glob.h"
#include <string.h>

enum { PATTERNS_MAX = 64 };

static const char everything[] = "all";

const struct field rights_fields[] = {
        {.name = "read",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct rights, read),
         .max = PATTERNS_MAX,
         .help = "Scopes whose values and events may be read: names, or globs such as cache-*."},
        {.name = "write",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct rights, write),
         .max = PATTERNS_MAX,
         .help = "Scopes that may be written to, and read."},
        {.name = "admin",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct rights, admin),
         .max = PATTERNS_MAX,
         .help = "Scopes that may be cleared as a whole, written to, and read."},
        {.name = "invoke",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct rights, invoke),
         .max = PATTERNS_MAX,
         .help = "Functions that may be called, now or later: names, or globs such as mail::*."},
        {.name = "work",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct rights, work),
         .max = PATTERNS_MAX,
         .help = "Functions that a worker with this token may serve."},
        {.name = "manage",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct rights, manage),
         .max = PATTERNS_MAX,
         .help = "What of the engine may be managed: view, triggers, jobs, dead, workers, config, "
                 "clock, tokens, or all."},
        {.name = NULL},
};

static const struct {
	const char *name;
	enum rights_word word;
} words[] = {
#define X(name, bit, text) {text, name},
        RIGHTS_WORDS(X)
#undef X
};

enum { WORD_COUNT = sizeof words / sizeof *words };

const char *rights_word_name(enum rights_word word)
{
	for (size_t i = 0; i < WORD_COUNT; i++) {
		if (words[i].word == word) {
			return words[i].name;
		}
	}
	return everything;
}

/* ---- reading ---- */

static unsigned bits_of(const char *text)
{
	if (strcmp(text, everything) == 0) {
		return RIGHTS_EVERYTHING;
	}
	for (size_t i = 0; i < WORD_COUNT; i++) {
		if (strcmp(words[i].name, text) == 0) {
			return words[i].word;
		}
	}
	return 0;
}

static int check_patterns(const struct rights *rights, struct err *err)
{
	for (const struct field *field = rights_fields; field->name != NULL; field++) {
		const void *slot = (const char *)rights + field->offset;
		const struct field_strings *list = slot;
		for (size_t i = 0; list != &rights->manage && i < list->count; i++) {
			if (list->items[i][0] == '\0') {
				return err_set(err, E_INVALID, "invalid_rights",
				               "'%s': an empty text allows nothing", field->name);
			}
			if (glob_check(span_of(list->items[i]), err) != 0) {
				if (err != NULL) {
					err->code = "invalid_rights";
					(void)err_wrap(err, "'%s': %s", field->name,
					               list->items[i]);
				}
				return E_INVALID;
			}
		}
	}
	return 0;
}

int rights_finish(struct rights *rights, struct err *err)
{
	rights->words = rights->work.count != 0 ? RIGHTS_VIEW : 0;
	for (size_t i = 0; i < rights->manage.count; i++) {
		unsigned bits = bits_of(rights->manage.items[i]);
		if (bits == 0) {
			return err_set(err, E_INVALID, "invalid_rights",
			               "'manage': there is no %s; the words are view, triggers, "
			               "jobs, dead, workers, config, clock, tokens, all",
			               rights->manage.items[i]);
		}
		rights->words |= bits | RIGHTS_VIEW;
	}
	return check_patterns(rights, err);
}

int rights_read(struct rights *rights, struct span object, struct err *err)
{
	int status = field_read_json(rights_fields, object, "invalid_rights", rights, err);
	return status != 0 ? status : rights_finish(rights, err);
}

void rights_write(const struct rights *rights, struct buf *out)
{
	field_write_json(rights_fields, rights, out);
}

void rights_copy(const struct rights *rights, struct rights *out)
{
	struct buf text = {0};
	*out = (struct rights){0};
	rights_write(rights, &text);
	int status = rights_read(out, buf_view(&text), NULL);
	POST(status == 0);
	buf_free(&text);
}

void rights_free(struct rights *rights)
{
	field_free(rights_fields, rights);
	rights->words = 0;
}

/* ---- asking ---- */

typedef bool match_fn(struct span pattern, struct span text);

static bool one_matches(const struct field_strings *list, match_fn *matches, struct span text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (matches(span_of(list->items[i]), text)) {
			return true;
		}
	}
	return false;
}

/* Of scopes the greater right holds the smaller ones. */
static bool any_allows(const struct rights *rights, enum right right, match_fn *matches,
                       struct span text)
{
	switch (right) {
	case RIGHT_READ:
		if (one_matches(&rights->read, matches, text)) {
			return true;
		}
		/* fall through */
	case RIGHT_WRITE:
		if (one_matches(&rights->write, matches, text)) {
			return true;
		}
		/* fall through */
	case RIGHT_ADMIN:
		return one_matches(&rights->admin, matches, text);
	case RIGHT_INVOKE:
		return one_matches(&rights->invoke, matches, text);
	case RIGHT_WORK:
		return one_matches(&rights->work, matches, text);
	}
	return false;
}

bool rights_allow(const struct rights *rights, enum right right, struct span name)
{
	return any_allows(rights, right, glob_matches, name);
}

/* Surely wide enough: the same pattern, or one of plain bytes and a star at the end whose bytes the
 * other begins with. */
static bool covers(struct span pattern, struct span other)
{
	if (!glob_is_pattern(other) && memchr(other.ptr, '\\', other.len) == NULL) {
		return glob_matches(pattern, other);
	}
	struct span prefix = glob_prefix(pattern);
	bool is_open = prefix.len + 1 == pattern.len && pattern.ptr[prefix.len] == '*';
	return span_equal(pattern, other) ||
	       (is_open && span_starts_with(glob_prefix(other), prefix));
}

bool rights_cover(const struct rights *rights, enum right right, struct span pattern)
{
	return any_allows(rights, right, covers, pattern.ptr == NULL ? SPAN("*") : pattern);
}

bool rights_manage(const struct rights *rights, enum rights_word word)
{
	return (rights->words & (unsigned)word) == (unsigned)word;
}
