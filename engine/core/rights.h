/* This file defines what a token may do, and answers whether it may do this. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_RIGHTS_H
#define ENGINE_CORE_RIGHTS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/field.h"
#include "base/span.h"
#include <stdbool.h>

/*
 * DESIGN. Five lists of patterns (triggers/glob) and one of words. Of a scope of the state: admin
 * holds write, write holds read. Of functions: `invoke` those that may be called, `work` those that
 * may be served. `manage` is about the engine; RIGHTS_VIEW comes with any of its words and with
 * `work`. A function of the engine's own is never a matter of `invoke` alone: api/permission says
 * which right each one takes.
 */
enum right { RIGHT_READ, RIGHT_WRITE, RIGHT_ADMIN, RIGHT_INVOKE, RIGHT_WORK };

#define RIGHTS_WORDS(X)                                                                            \
	X(RIGHTS_VIEW, 1, "view")                                                                  \
	X(RIGHTS_TRIGGERS, 2, "triggers")                                                          \
	X(RIGHTS_JOBS, 4, "jobs")                                                                  \
	X(RIGHTS_DEAD, 8, "dead")                                                                  \
	X(RIGHTS_WORKERS, 16, "workers")                                                           \
	X(RIGHTS_CONFIG, 32, "config")                                                             \
	X(RIGHTS_CLOCK, 64, "clock")                                                               \
	X(RIGHTS_TOKENS, 128, "tokens")

enum rights_word {
#define X(name, bit, text) name = (bit),
	RIGHTS_WORDS(X)
#undef X
	        RIGHTS_EVERYTHING = 255
};

struct rights {
	struct field_strings read;
	struct field_strings write;
	struct field_strings admin;
	struct field_strings invoke;
	struct field_strings work;
	struct field_strings manage; /* words, or "all" */
	unsigned words;              /* bits of rights_word: what `manage` comes to */
};

extern const struct field rights_fields[]; /* struct rights, the lists */

/* To be called when the lists have been read: E_INVALID "invalid_rights". */
int rights_finish(struct rights *rights, struct err *err);
/* A JSON object of the lists. The rights are all zero before; freed by rights_free, also after a
 * failure. */
int rights_read(struct rights *rights, struct span object, struct err *err);
void rights_copy(const struct rights *rights, struct rights *out); /* checked ones */
void rights_write(const struct rights *rights, struct buf *out);   /* as a JSON object */
void rights_free(struct rights *rights);                           /* all zero again */

bool rights_allow(const struct rights *rights, enum right right, struct span name);
/* All that a trigger with this pattern of scopes can see; absent: every scope. */
bool rights_cover(const struct rights *rights, enum right right, struct span pattern);
bool rights_manage(const struct rights *rights, enum rights_word word);
const char *rights_word_name(enum rights_word word);

#endif
