/* This file fills texts with what expressions make of an event: "Bearer ${{ secrets.crm }}". */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_WORK_WEBHOOK_TEMPLATE_H
#define ENGINE_WORK_WEBHOOK_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "triggers/matching.h"
#include <stdbool.h>

struct secrets;

/* What the texts of a function may speak of. Without it nothing is filled in: a text is itself. */
struct webhook_known {
	struct condition_env *conditions; /* the variables of expressions; outlives the texts */
	const struct secrets *secrets;
};

/* DESIGN. `${{ expression }}` is CEL over the event, as in a trigger's `when`; it ends at the first
 * "}}". `${{ secrets.name }}` alone in its braces is the secret, put in when the text is read. */
struct webhook_template;

/* E_INVALID "invalid_template", E_NOT_FOUND "secret_missing". */
int webhook_template_new(const struct webhook_known *known, struct span text,
                         struct webhook_template **out, struct err *err);
void webhook_template_free(struct webhook_template *made); /* NULL is harmless */

/* Does it hold an expression at all? If not it needs no event: `matching` may be NULL. */
bool webhook_template_asks(const struct webhook_template *made);
bool webhook_template_has_secret(const struct webhook_template *made);

/* Appends the text. *out_absent (and nothing appended) when an expression gives null, or an
 * optional without a value. E_INVALID "template_failed" with the expression and its error. */
int webhook_template_write(const struct webhook_template *made, struct matching *matching,
                           struct span metadata, struct buf *out, bool *out_absent,
                           struct err *err);

#endif
