/* This file tells people what failed in an evaluation, and where in the expression. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_FAILURE_H
#define TRIGGERS_EXPR_FAILURE_H

#include "base/buf.h"
#include "base/span.h"
#include "triggers/expr/value.h"

/* "the operation '-' does not take these types (null - double), in old_value.count - 1"; with line
 * and column where the expression has several lines, or the piece is too long to be shown. Reads
 * the source again: for who shows it, not for the hot path. */
void failure_write(struct span source, struct value error, struct buf *out);

#endif
