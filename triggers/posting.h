/* This file defines a posting: one place in the index under which a trigger is found. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_POSTING_H
#define TRIGGERS_POSTING_H

#include "base/list.h"
#include "triggers/expr/value.h"
#include <stdint.h>

struct index_bucket;
struct index_entry;

/* What an event must have at a path for a posting to be visited. */
enum access_kind {
	ACCESS_ALWAYS, /* nothing */
	ACCESS_EQUAL,  /* a value that equals `value` */
	ACCESS_PREFIX, /* a string that begins with `value` */
	ACCESS_SUFFIX,
	ACCESS_RANGE, /* a number from `low` to `high` */
	ACCESS_HAS,   /* anything */
	ACCESS_KINDS
};

struct access_key {
	enum access_kind kind;
	uint32_t slot;
	struct value value;
	double low;
	double high;
};

struct posting {
	struct posting *next; /* of the same trigger */
	struct index_entry *entry;
	struct index_bucket *bucket;
	struct list link; /* in the list of its home */
	void *home;       /* who keeps it: a bin, or the paths' own record */
	uint8_t kind;     /* enum access_kind */
	uint8_t len;      /* of a prefix or suffix, as far as it is looked for */
	uint16_t events;  /* bit 1 << kind of event for each that can wake it */
};

#endif
