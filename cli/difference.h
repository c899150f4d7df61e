/* This file shows what a changed config changes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_DIFFERENCE_H
#define CLI_DIFFERENCE_H

#include "base/span.h"

/* The answer to a reload, a line for each change. */
void difference_show(struct span answer);

#endif
