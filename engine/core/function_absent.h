/* This file says why a function cannot be called that nobody serves. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CORE_FUNCTION_ABSENT_H
#define ENGINE_CORE_FUNCTION_ABSENT_H

#include "base/err.h"
#include "base/span.h"

/* E_NOT_FOUND "function_not_found"; `others`: the namespaces where the id does exist, as a text;
 * may be empty. */
int function_absent_say(struct span namespace_, struct span id, struct span others,
                        struct err *err);

#endif
