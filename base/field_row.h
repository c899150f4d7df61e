/* This file defines the row of an option table: name, kind, default, bounds and a sentence. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_FIELD_ROW_H
#define BASE_FIELD_ROW_H

#include "base/buf.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_kind {
	FIELD_BOOL,     /* bool */
	FIELD_INT,      /* int64_t */
	FIELD_SIZE,     /* int64_t, bytes: 512, 64k, 16m, 1g (powers of 1024; KiB, MiB, GiB too) */
	FIELD_DURATION, /* int64_t, milliseconds: 500ms, 30s, 15m, 24h, 7d */
	FIELD_DECIMAL,  /* int64_t, thousandths, like min and max: 2, 1.5 */
	FIELD_ENUM,     /* int, the index in `words` */
	FIELD_STRING,   /* char *, NULL when absent without a default */
	FIELD_STRINGS,  /* struct field_strings */
	FIELD_MAP,      /* struct field_map: names to text */
	FIELD_SECTION,  /* a struct of its own at `offset`, described by `fields` */
	FIELD_JSON,     /* struct span, a valid value, borrowed; the caller reads on; JSON only */
	FIELD_OTHER,    /* known, but read by the caller; printed as a section if it has `fields` */
	FIELD_RESERVED, /* known, and refused as not available yet; `help` says what it will be */
};

/* What it takes to change an option of a program that runs. */
enum field_change {
	FIELD_UNSAID,
	FIELD_LIVE,   /* it is taken while the program runs */
	FIELD_RESTART /* it counts from the next start */
};

struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;
	const char *otherwise;    /* the default, as the file would say it; NULL = none. Of
	                           * FIELD_STRINGS it is only printed: the caller knows none as this
	                           */
	int64_t min;              /* the value; of text its bytes; of lists their items */
	int64_t max;              /* 0 with min 0 = no bounds but those of the kind */
	const char *unit;         /* "ms", "percent"; NULL = none */
	const char *const *words; /* FIELD_ENUM, ends with NULL */
	const char *const *later; /* words that are refused as not available yet; may be NULL */
	const struct field *fields;
	bool required;
	enum field_change change; /* rows of the config's tables say it */
	const char *help;         /* one sentence */
};

enum { FIELD_TEXT_MAX = 4096, FIELD_ITEMS_MAX = 1000 };

/* Reads FIELD_BOOL up to FIELD_STRING into the slot (a string there is freed first); false, with
 * the slot untouched, when the text is none or out of bounds. */
bool field_parse(const struct field *field, struct span text, void *slot);
/* Puts the default into the slot of `data`, if the row has one. */
void field_set_default(const struct field *field, void *data);

/* Appends FIELD_BOOL up to FIELD_STRING as the file would say it: "30s". */
void field_print_scalar(const struct field *field, const void *slot, struct buf *out);
/* Appends what a value must be: "a duration such as 30s, from 100ms to 1h". */
void field_expectation(const struct field *field, struct buf *out);
/* Appends the same for who knows the kinds: "From 100ms to 1h." Nothing where nothing is to say. */
void field_bounds(const struct field *field, struct buf *out);

/* Appends the value of a FIELD_DECIMAL. */
void field_print_thousandths(int64_t value, struct buf *out);

const struct field *field_find(const struct field *fields, struct span name);
/* The row whose name is nearest in spelling; NULL when none is near. */
const struct field *field_nearest(const struct field *fields, struct span name);

#endif
