/* This file spells a double with the fewest digits that read back the same. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIGGERS_EXPR_DOUBLE_TEXT_H
#define TRIGGERS_EXPR_DOUBLE_TEXT_H

#include <stddef.h>

enum { DOUBLE_TEXT_MAX = 352 };

/* What string(double) gives: "0.0001", "1e-05", "123456.5", "1e+06", "1.2345675e+06", "NaN",
 * "+Inf",
 * "-Inf". Returns the length; there is no NUL. */
size_t double_text_short(double value, char out[DOUBLE_TEXT_MAX]);
/* Never an exponent; "NaN", "Infinity", "-Infinity". */
size_t double_text_plain(double value, char out[DOUBLE_TEXT_MAX]);

#endif
