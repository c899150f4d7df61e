/* This file opens adapters that come as shared objects. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADAPTERS_PLUGIN_H
#define ADAPTERS_PLUGIN_H

#include "adapters/adapter.h"

/*
 * DESIGN. The config's `path` names the shared object; it gets the whole config and reads its own
 * members. It exports one constant, `const struct adapter_type pawl_adapter`. A view gets a journal
 * of segments beside it; a store is used as it is. The object stays loaded until the process ends.
 */
#define PLUGIN_SYMBOL "pawl_adapter"

extern const struct adapter_type plugin_adapter;

#endif
