/* This file remembers what requests were answered that may come twice. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_IDEM_H
#define ENGINE_CORE_IDEM_H

#include "base/buf.h"
#include "base/err.h"
#include "base/sha256.h"
#include "base/span.h"
#include "engine/durable/store.h"
#include <stdint.h>

/*
 * DESIGN. Who does not hear the answer of a write sends it again, with the idempotency key that it
 * had. The answer is kept under that key in the group of the change, with a hash of what was asked,
 * for `ttl`; so there is never a change without its answer, or the other way round.
 *
 *   name --> its record is brought into memory with the others --> idem_look
 *     IDEM_NEW: do it, idem_put, commit        IDEM_SAME: the answer of then, when it is durable
 *     IDEM_OTHER: refuse
 *
 * Looking and putting happen in one turn of the loop, so that of two that come at once one is the
 * first, and the other one finds its record. What fails is not kept: it may be tried again.
 *
 * Each record has a second one that sorts by the time when it expires. A timer that is set while
 * there are any deletes both, some at a time.
 */
struct idem;
struct alarms;

enum { IDEM_KEY_MAX = 255 };

/* What a request is known by. */
struct idem_name {
	size_t len;
	char key[IDEM_KEY_MAX + 1];
	uint8_t print[SHA256_LEN]; /* of what was asked */
};

struct idem *idem_new(struct store *store, struct alarms *alarms, int64_t ttl_ms);
void idem_free(struct idem *idem);
void idem_configure(struct idem *idem, int64_t ttl_ms); /* of what comes from now on */

/* `key` is a JSON string of 1 to IDEM_KEY_MAX bytes without control characters; `data` is what the
 * function is given. E_INVALID "invalid_idempotency_key". */
int idem_name_request(struct idem_name *name, struct span key, struct span function,
                      struct span data, struct err *err);
/* Something from outside that has an id of its own, whatever else is in it: no request has this
 * name. */
void idem_name_thing(struct idem_name *name, struct span source, struct span id);
/* To be fetched. Points into the name. */
struct record_key idem_record(const struct idem_name *name);

enum idem_state { IDEM_NEW, IDEM_SAME, IDEM_OTHER };

struct idem_found {
	struct span answer; /* absent: it was nothing; the store's, until the next put */
	uint64_t group;     /* to wait for, as in store_look */
};

/* Precondition: the record is in memory. *out is filled for IDEM_SAME; the group always. */
enum idem_state idem_look(struct idem *idem, const struct idem_name *name, struct idem_found *out);
/* What IDEM_OTHER means: E_CONFLICT "idempotency_conflict". */
int idem_refuse(const struct idem_name *name, struct err *err);
/* Into the open group, in the turn of the look that said IDEM_NEW; the caller commits. */
void idem_put(struct idem *idem, const struct idem_name *name, struct span answer);

#endif
