/* This file names every adapter once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/adapters.h"

#include "adapters/kv.h"
#include "adapters/plugin.h"
#include <stddef.h>
#include <string.h>

static const struct adapter_type *const adapters[] = {&kv_adapter, &plugin_adapter};

const struct adapter_type *adapters_find(const char *name)
{
	for (size_t i = 0; i < sizeof adapters / sizeof *adapters; i++) {
		if (strcmp(name, adapters[i]->name) == 0) {
			return adapters[i];
		}
	}
	return NULL;
}
