/* This file is the list of adapters. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_ADAPTERS_H
#define ADAPTERS_ADAPTERS_H

#include "adapters/adapter.h"

/* "kv", "plugin"; NULL if there is none of that name. What open gives back may have a type of its
 * own: ask that one for flags and functions. */
const struct adapter_type *adapters_find(const char *name);

#endif
