/* This file reads a trigger whose type has fields of its own beside those of a state trigger. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_OWN_FIELDS_H
#define TRIGGERS_OWN_FIELDS_H

#include "base/err.h"
#include "base/field_row.h"
#include "base/span.h"
#include "triggers/filter.h"

/*
 * DESIGN. Condition, selection and how it is delivered are those of a state trigger. What speaks of
 * a change of the state is not there, unless the type says something of the kind by itself: its own
 * fields go before those of the same name.
 */
struct own_fields {
	const char *type;
	const struct field *table;
	const char *const *foreign; /* fields of state triggers that it has not; ends with NULL */
	const char *asks_by;        /* what it has instead, for who names one of those */
};

/* Fills `config` (all zero before; the caller's to free by the table) and makes the rest of the
 * filter. Errors as on_state_parse. */
int own_fields_parse(const struct own_fields *own, const struct trigger_request *request,
                     void *config, struct filter **out, struct trigger_policy *out_policy,
                     struct err *err);

/* A text that may be a glob: one of the two is set, owned. An absent text sets none. E_INVALID
 * "invalid_trigger" naming `field`. */
int own_fields_glob(const char *text, const char *field, struct span *out_exact,
                    struct span *out_glob, struct err *err);

#endif
