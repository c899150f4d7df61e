/* This file is the list of trigger types. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_TRIGGERS_H
#define TRIGGERS_TRIGGERS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "triggers/filter.h"
#include <stdbool.h>
#include <stddef.h>

struct trigger_type {
	const char *name;
	const char *help;
	int (*parse)(const struct trigger_request *request, struct filter **out,
	             struct trigger_policy *out_policy, struct err *err);
	void (*print)(const char *prefix, struct buf *out); /* its fields, for the manual; NULL:
	                                                     * those of another type */
};

size_t trigger_type_count(void);
const struct trigger_type *trigger_type_at(size_t index);

/* True for a type of our own, also for one that is only planned: nobody else may provide it. */
bool trigger_type_is_ours(struct span name);

/* Appends the fields of all types as text, a paragraph each; `prefix` comes before every name. */
void trigger_print_fields(const char *prefix, struct buf *out);

/* Reads a trigger of any type of ours. The config is valid JSON. E_NOT_FOUND
 * "trigger_type_not_found", E_UNSUPPORTED "not_available", or what the type says. The filter is the
 * caller's to free. */
int trigger_parse(const struct trigger_request *request, struct filter **out,
                  struct trigger_policy *out_policy, struct err *err);

#endif
