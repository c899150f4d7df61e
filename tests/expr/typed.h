/* This file reads the typed values of the public CEL vectors. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_EXPR_TYPED_H
#define TESTS_EXPR_TYPED_H

#include "triggers/expr/value.h"
#include <stdbool.h>

/* `json` is a typed value as the vectors' README tells: {"int":"-5"}, {"list":[...]}, ... The bytes
 * of the value lie in the allowance's arena. False: a kind that JSON change events cannot have
 * (message, enum). */
bool typed_read(struct allowance *allowance, struct span json, struct value *out);
/* Same type and same value: int 1 is not uint 1, any NaN is any NaN, the order of maps means
 * nothing. */
bool typed_same(struct allowance *allowance, struct value a, struct value b);

#endif
