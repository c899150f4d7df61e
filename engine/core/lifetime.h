/* This file decides when a state record expires: what the request says, or else its scope. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_LIFETIME_H
#define ENGINE_CORE_LIFETIME_H

#include "base/err.h"
#include "base/span.h"
#include "engine/core/argument.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LIFETIME_MAX_DAYS = 36525 }; /* a hundred years */

/* What the config says of the scopes that a glob matches. */
struct scope_rule {
	struct span match;  /* triggers/glob.h */
	int64_t ttl_ms;     /* of records that come without one; 0 = they stay */
	bool event_on_noop; /* as if every write asked for it */
};

/* The first rule that matches counts. Borrowed. */
struct scope_rules {
	const struct scope_rule *list;
	size_t count;
};

/* NULL: none matches. */
const struct scope_rule *scope_rules_find(const struct scope_rules *rules, struct span scope);

/*
 * DESIGN. `ttl_ms`, `ttl` ("30m") or `expires_at` says how long the record lasts; a word in `ttl`
 * says what becomes of the time that it has:
 *
 *   "reset"  it gets the time that the request gives, or else that of its scope   (set without a
 *            word; also update with ttl_ms or expires_at)
 *   "keep"   it keeps what it has, none included; a new record is like "reset"    (update without)
 *   "clear"  it has none from now on
 */
enum lifetime_word { LIFETIME_UNSAID, LIFETIME_RESET, LIFETIME_KEEP, LIFETIME_CLEAR };

struct lifetime {
	enum lifetime_word word;
	int64_t ttl_ms; /* 0 = not said */
	int64_t at_ms;  /* wall clock; 0 = not said */
};

/* Reads ttl_ms, expires_at and ttl. E_INVALID "invalid_ttl". `name` begins the error. */
int lifetime_read(struct span name, const struct span args[ARG_COUNT], struct lifetime *out,
                  struct err *err);

/* Wall clock, 0 = never. `before_ms`: the record's until now; `is_new`: there was none.
 * `keeps`: what is unsaid means "keep". */
int64_t lifetime_end(const struct lifetime *lifetime, const struct scope_rule *rule, bool keeps,
                     bool is_new, int64_t before_ms, int64_t now_ms);

#endif
