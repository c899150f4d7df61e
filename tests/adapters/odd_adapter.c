/* This file is built into shared objects that `plugin` must refuse. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/adapter.h"

extern const struct adapter_type pawl_adapter;

const struct adapter_type pawl_adapter = {
        .size = sizeof(struct adapter_type) - ODD_SIZE,
        .abi_version = ADAPTER_ABI_VERSION + ODD_VERSION,
        .name = "odd",
        .help = "Refused.",
};
